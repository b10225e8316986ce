"""What an applicant sends the office (全程网办): told with the courier's number, followed where we can, put right, called off."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ingest.models import Case, Original
from ingest.services.awaiting import awaited, check_wanted
from logistics.models import Carrier, CarrierAccount, CustodyEvent, Parcel, ParcelItem, Waybill
from logistics.models.waybills import LIVING
from logistics.postage.payment import decide_payment
from logistics.rules.parcels import (
    ON_THE_ROAD,
    NotNow,
    ParcelState,
    Party,
    WaybillState,
    waybill_number,
)
from logistics.rules.payers import Leg
from logistics.rules.tracking import COMING_BACK
from logistics.services.ends import is_receiver
from logistics.services.moving import move_original
from logistics.services.parcels import Stale, move_state, next_number, record_parcel
from logistics.services.waybills import PAYMENTS
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, check_may
from registry.rules.talk import fitting
from registry.time import local_day
from registry.tokens import Purpose, mint
from storage.errors import Refused

Proof = CustodyEvent.Proof
LONGEST_NAME = 60


@dataclass(frozen=True)
class CourierWord:
    """Which courier takes it, as the applicant says: one that we know, or a name; and its number."""

    number: str
    carrier: Carrier | None = None
    company: str = ""

    @property
    def name(self) -> str:
        return self.carrier.name if self.carrier else " ".join(self.company.split())


def announce(
    *, case: Case, papers: Collection[int], told: CourierWord, actor: Actor, now: datetime
) -> Parcel:
    """The applicant has sent these originals to the office that decides; from here they are on the road, on their word.

    The same courier and number told again answer the same parcel, with whatever else is in it as they now say. Whoever
    pays decides which courier may be told: a centre pays only on its own account.
    """
    _check_hands(actor, case)
    told = checked(told)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        known = _parcels_of(case).filter(told_carrier=told.name, told_number=told.number)
        parcel = known.exclude(state=ParcelState.CANCELLED.value).first()
        if parcel is None:
            originals = check_wanted(case, papers)
            parcel = open_parcel(case=case, told=told, now=now)
            _put_in(parcel, originals, told, actor=actor, now=now)
            follow_told(parcel=parcel, told=told, actor=actor, now=now)
        elif more := [original for original in awaited(case) if original.pk in papers]:
            if parcel.state not in ON_THE_ROAD:
                raise NotNow("papers_seen", "这个运单号的信封已经签收或退回，请核对运单号。")
            _put_in(parcel, more, told, actor=actor, now=now)
    return parcel


def correct_number(*, parcel: Parcel, told: CourierWord, actor: Actor, now: datetime) -> None:
    """The number was mistyped, or it was another courier. Open until a courier tells of the parcel or it is received."""
    case = _case_of(parcel)
    _check_hands(actor, case)
    told = checked(told)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        parcel.refresh_from_db()
        if (parcel.told_carrier, parcel.told_number) == (told.name, told.number):
            return
        _must_be_unseen(parcel, "改正运单号")
        changed = Parcel.objects.filter(pk=parcel.pk, state=parcel.state).update(
            told_carrier=told.name, told_number=told.number
        )
        if not changed:
            raise Stale
        parcel.refresh_from_db()
        _record(parcel, "parcel.renumbered", told, actor, now)
        follow_told(parcel=parcel, told=told, actor=actor, now=now)


def call_off(*, parcel: Parcel, actor: Actor, now: datetime) -> None:
    """It will not come: the applicant has not sent it after all, or the office learnt that it went back to them.

    The originals are with the applicant again and are waited for. The applicant may say so until a courier tells of it;
    said again it changes nothing.
    """
    case = _case_of(parcel)
    at_office = actor.office_id is not None
    if at_office:
        check_may(actor, "parcel.receive", parcel)
        if not is_receiver(actor, parcel):
            raise NotYours
    else:
        _check_hands(actor, case)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        parcel.refresh_from_db()
        if parcel.state in (ParcelState.CANCELLED, ParcelState.RETURNED):
            return
        if not at_office:
            _must_be_unseen(parcel, "撤销寄出登记")
        waybill = _living(parcel)
        back = waybill is not None and waybill.latest_kind in COMING_BACK
        move_state(parcel, "take_back" if back else "call_off", ended_at=now)
        for item in parcel.items.filter(holds=True).select_related("original__case"):
            back_to_applicant(item, actor=actor, now=now)
        if waybill is not None and not back:
            _drop(waybill, actor=actor, now=now)
        parcel.waybills.filter(state=WaybillState.BOOKED, ended_at__isnull=True).update(ended_at=now)
        kind = "parcel.returned" if back else "parcel.called_off"
        record_parcel(parcel, kind, actor=actor, now=now, data={"leg": parcel.leg})


def back_to_applicant(item: ParcelItem, *, actor: Actor, now: datetime) -> None:
    """An original of an applicant's parcel is with the applicant after all, as somebody reports; it is waited for again."""
    item.holds = False
    item.save(update_fields=["holds"])
    move_original(
        original=item.original,
        to_place=Original.Place.APPLICANT,
        to_id=item.parcel.sender_id,
        proof=Proof.REPORT,
        parcel=item.parcel,
        actor=actor,
        now=now,
    )


def open_parcel(*, case: Case, told: CourierWord | None, now: datetime) -> Parcel:
    """A parcel of the applicant to the deciding office, on the road from now on, still without a list."""
    return Parcel.objects.create(
        number=next_number(now),
        code=mint(Purpose.PARCEL).identifier,
        leg=Leg.ONLINE_APPLICATION.value,
        state=ParcelState.HANDED_OVER,
        sender_kind=Party.APPLICANT.value,
        sender_id=case.pk,
        receiver_kind=Party.OFFICE.value,
        receiver_id=case.lead_office().pk,
        told_carrier=told.name if told else "",
        told_number=told.number if told else "",
        created_at=now,
        handed_over_at=now,
    )


def put_on_list(parcel: Parcel, originals: Iterable[Original], *, now: datetime) -> None:
    """What is in the envelope, in the caller's transaction."""
    ParcelItem.objects.bulk_create(
        ParcelItem(parcel=parcel, original=original, added_at=now) for original in originals
    )


def follow_told(*, parcel: Parcel, told: CourierWord, actor: Actor, now: datetime) -> None:
    """The waybill of what was told, where a centre's account lets us follow it; otherwise the number is only shown.

    Nobody asks the courier here: upkeep subscribes and polls as for every other waybill. In the caller's transaction.
    """
    decision = decide_payment(parcel=parcel, on=local_day(now))
    account = _account(parcel, told, decision.payer_centre_id)
    living = _living(parcel)
    if account is None:
        if living is not None:
            _drop(living, actor=actor, now=now)
        return
    payer, settling = PAYMENTS[decision.term]
    values = {
        "carrier": account.carrier,
        "account": account,
        "number": told.number,
        "company": account.carrier.company,
        "term": decision.term.value,
        "payer": payer.value,
        "settling": settling.value,
        "subscribed_at": None,
        "subscriptions": 0,
        "tried_at": None,
    }
    try:
        with transaction.atomic():
            waybill, new = Waybill.objects.update_or_create(
                parcel=parcel,
                state__in=LIVING,
                defaults=values,
                create_defaults={
                    **values,
                    "reference": f"{parcel.number}-{parcel.waybills.count() + 1}",
                    "state": WaybillState.BOOKED.value,
                    "requested_at": now,
                    "booked_at": now,
                },
            )
    except IntegrityError as error:
        raise NotNow(
            "waybill_taken",
            "该运单号已登记在另一个寄件上；请核对号码，一个信封只装一个办件的材料。",
        ) from error
    if new:
        _record(parcel, "waybill.booked", told, actor, now, reference=waybill.reference, term=waybill.term)


def _put_in(
    parcel: Parcel, originals: list[Original], told: CourierWord, *, actor: Actor, now: datetime
) -> None:
    """On the list, and on the road with it, on the applicant's word."""
    put_on_list(parcel, originals, now=now)
    for original in originals:
        move_original(
            original=original,
            to_place=Original.Place.PARCEL,
            to_id=parcel.pk,
            proof=Proof.REPORT,
            parcel=parcel,
            actor=actor,
            now=now,
        )
    _record(parcel, "parcel.announced", told, actor, now)


def _account(parcel: Parcel, told: CourierWord, payer_id: int | None) -> CarrierAccount | None:
    """The account through which it is followed: the payer's, which has to be there, or else the office's centre's."""
    if payer_id is None:
        centre_id = (
            ServiceCentre.objects.filter(offices=parcel.receiver_id).values_list("pk", flat=True).get()
        )
        return active_accounts(centre_id).filter(carrier=told.carrier).first() if told.carrier else None
    account = active_accounts(payer_id).filter(carrier=told.carrier).first() if told.carrier else None
    if account is None:
        names = "、".join(active_accounts(payer_id).values_list("carrier__name", flat=True))
        centre = ServiceCentre.objects.get(pk=payer_id).name
        raise Refused(
            "papers_courier",
            f"此件邮费由{centre}承担，请交由{names or '其登记的快递公司'}寄送，并写明运单号。",
        )
    return account


def active_accounts(centre_id: int) -> QuerySet[CarrierAccount]:
    """A centre's accounts with couriers that are in use, by the courier's name."""
    rows = CarrierAccount.objects.filter(centre=centre_id, active=True, carrier__active=True)
    return rows.select_related("carrier").order_by("carrier__name")


def _drop(waybill: Waybill, *, actor: Actor, now: datetime) -> None:
    """We ordered nothing there: there is nothing to give back but our note of the number, which may be told again."""
    Waybill.objects.filter(pk=waybill.pk).update(state=WaybillState.CANCELLED.value, number="", ended_at=now)
    record_parcel(waybill.parcel, "waybill.cancelled", actor=actor, now=now, data={"waybill": waybill.number})


def _record(
    parcel: Parcel, kind: str, told: CourierWord, actor: Actor, now: datetime, **more: object
) -> None:
    data = {"leg": parcel.leg, "carrier": told.name, "waybill": told.number, **more}
    record_parcel(parcel, kind, actor=actor, now=now, data=data)


def checked(told: CourierWord) -> CourierWord:
    if not told.name:
        raise Refused("papers_company", "请选择快递公司；不在列表里的，请填写公司名称。")
    fitting(told.name, longest=LONGEST_NAME, what="快递公司名称")
    return CourierWord(waybill_number(told.number), told.carrier, told.company)


def _must_be_unseen(parcel: Parcel, what: str) -> None:
    seen = parcel.waybills.exclude(latest_kind="").exists()
    if seen or parcel.state != ParcelState.HANDED_OVER:
        raise NotNow("papers_seen", f"快递公司已揽收或审批部门已签收，不能{what}；有出入请联系审批部门。")


def _living(parcel: Parcel) -> Waybill | None:
    return parcel.waybills.filter(state__in=LIVING).first()


def _parcels_of(case: Case) -> QuerySet[Parcel]:
    return Parcel.objects.filter(sender_kind=Party.APPLICANT.value, sender_id=case.pk)


def _case_of(parcel: Parcel) -> Case:
    """Raises NotYours for a parcel that no applicant sends."""
    if not parcel.is_from_applicant:
        raise NotYours
    return Case.objects.select_related("item", "window").get(pk=parcel.sender_id)


def _check_hands(actor: Actor, case: Case) -> None:
    """The applicant, whom the progress page let in by the telephone number, or the platform that filed the case."""
    if actor.kind != "applicant":
        check_may(actor, "parcel.announce", case)
