"""What an applicant in 全程网办 has to send, where to and who pays, and what is on its way: for their page, platforms, the office."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ingest.models import Case, Original
from ingest.services.awaiting import awaited, coming
from logistics.couriers.base import Party as CourierParty
from logistics.models import Carrier, Parcel
from logistics.postage.payment import decide_payment
from logistics.rules.parcels import ParcelState, Party, WaybillState
from logistics.rules.payers import Leg, NoPayer, PaymentTerm
from logistics.rules.tracking import TrackingKind
from logistics.services.announcing import active_accounts
from logistics.services.ends import courier_party
from registry.models import ServiceCentre
from registry.terms import Mode
from registry.time import local_day
from storage.errors import Refused


@dataclass(frozen=True)
class PaperOwed:
    """One paper that lies with the applicant. `due`: the day for which it was promised (容缺), if it was."""

    original: Original
    due: date | None

    @property
    def position(self) -> int:
        """Its place on the checklist."""
        return self.original.material.position if self.original.material else 0


@dataclass(frozen=True)
class PaperSent:
    """A parcel of the applicant. `open`: its number may still be put right, or the parcel called off."""

    parcel: Parcel
    names: tuple[str, ...]
    positions: tuple[int, ...]
    says: str
    open: bool


@dataclass(frozen=True)
class PapersOwed:
    """`point` is where the office receives, None while no address is registered. `payer` is empty when the applicant pays,
    `term` too where the policy does not say who does.

    `carriers` are those that may be named; `named_only`: no others, because a centre pays on its accounts with them.
    """

    office: str
    point: CourierParty | None
    payer: str
    term: str
    owed: tuple[PaperOwed, ...]
    sent: tuple[PaperSent, ...]
    carriers: Sequence[Carrier]
    named_only: bool


def papers_owed(*, case: Case, now: datetime, arriving: bool = False) -> PapersOwed | None:
    """None for a case whose applicant sends nothing. A handful of queries.

    `arriving`: for the office with an envelope on its desk, `owed` is all that may be in it, also of a case that ended.
    """
    if case.mode != Mode.ONLINE:
        return None
    owed, sent = coming(case) if arriving else awaited(case), [_sent(parcel) for parcel in _parcels(case)]
    if not owed and not sent:
        return None
    office = case.lead_office()
    payer, term = _payer(case, office.pk, now)
    carriers = (
        [account.carrier for account in active_accounts(payer.pk)]
        if payer
        else list(Carrier.objects.filter(active=True).order_by("name"))
    )
    return PapersOwed(
        office=office.name,
        point=_point(office.pk),
        payer=payer.name if payer else "",
        term=PaymentTerm(term).label if term else "",
        owed=tuple(PaperOwed(original, _due(original)) for original in owed),
        sent=tuple(sent),
        carriers=carriers,
        named_only=payer is not None,
    )


def _payer(case: Case, office: int, now: datetime) -> tuple[ServiceCentre | None, str]:
    """The centre that pays for a parcel to this office, None for the applicant or where the policy does not say."""
    parcel = Parcel(
        leg=Leg.ONLINE_APPLICATION.value,
        sender_kind=Party.APPLICANT.value,
        sender_id=case.pk,
        receiver_kind=Party.OFFICE.value,
        receiver_id=office,
    )
    try:
        decision = decide_payment(parcel=parcel, on=local_day(now))
    except NoPayer:
        return None, ""
    centre = ServiceCentre.objects.filter(pk=decision.payer_centre_id or 0).first()
    return centre, decision.term.value


def _point(office: int) -> CourierParty | None:
    try:
        return courier_party(Party.OFFICE, office)
    except Refused:
        return None


def _due(original: Original) -> date | None:
    return original.material.deferred_until if original.material else None


def _parcels(case: Case) -> list[Parcel]:
    rows = Parcel.objects.filter(sender_kind=Party.APPLICANT.value, sender_id=case.pk)
    rows = rows.exclude(state=ParcelState.CANCELLED.value)
    return list(rows.prefetch_related("items__original__material", "waybills").order_by("pk"))


def _sent(parcel: Parcel) -> PaperSent:
    originals = [item.original for item in parcel.items.all()]
    latest = next(
        (
            waybill.latest_kind
            for waybill in parcel.waybills.all()
            if waybill.state == WaybillState.BOOKED and waybill.latest_kind
        ),
        "",
    )
    said = {
        ParcelState.HANDED_OVER: "已登记寄出",
        ParcelState.RECEIVED: "审批部门已签收",
        ParcelState.RETURNED: "已退回给您",
    }
    told = said.get(ParcelState(parcel.state))
    on_the_way = TrackingKind(latest).label if latest else told or ParcelState(parcel.state).label
    over = parcel.state in (ParcelState.RECEIVED, ParcelState.RETURNED, ParcelState.LOST)
    return PaperSent(
        parcel=parcel,
        names=tuple(original.name for original in originals),
        positions=tuple(original.material.position for original in originals if original.material),
        says=(told or ParcelState(parcel.state).label) if over else on_the_way,
        open=parcel.state == ParcelState.HANDED_OVER and not latest,
    )
