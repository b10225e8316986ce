"""邮资: what a parcel is expected to cost, whom and why; written once, reversed when wrong, never edited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from ingest.models import Case
from logistics.models import Charge, ChargeShare, Parcel, TariffContract, Waybill
from logistics.models.waybills import LIVING
from logistics.postage.books import Books, post
from logistics.postage.contracts import STANDARD, contract_in_force
from logistics.postage.payment import case_of, decide_payment, region_code_at
from logistics.rules.payers import Decision, PaymentTerm
from logistics.rules.tariffs import Consignment, Quote, quote
from logistics.services.weighing import pays_by_weight
from registry import events
from registry.actors import Actor
from registry.permissions import check_may
from registry.rules.talk import fitting
from registry.time import local_day
from storage.errors import Refused

# What a reversal repeats of the charge that it takes back.
_COPIED = (
    "parcel_id",
    "waybill_id",
    "centre_id",
    "office_id",
    "case_id",
    "leg",
    "mode",
    "term",
    "policy_code",
    "rule_code",
    "words",
    "contract_id",
    "charged_weight_g",
    "consignment",
    "parts",
)


def charge_parcel(*, parcel: Parcel, actor: Actor, now: datetime) -> Charge:
    """The expected charge of a weighed parcel that has a waybill. Asking again answers the standing charge.

    A parcel that was reweighed, or sent under another waybill, has its old charge reversed first. Raises Refused
    when it is not weighed, has no waybill, nobody can be named to pay, or no tariff covers the route.
    """
    with transaction.atomic():
        parcel = Parcel.objects.select_for_update().get(pk=parcel.pk)
        waybill = _waybill(parcel)
        case = case_of(parcel)
        # The day the waybill was ordered decides: a policy or tariff that changes later does not reach back.
        day = local_day(waybill.requested_at)
        decision = decide_payment(parcel=parcel, on=day)
        if not parcel.weight_g and decision.payer_centre_id is not None:
            raise _not_weighed()
        consignment = consignment_to_price(parcel, case, decision)
        standing = Charge.objects.standing().filter(parcel=parcel).first()
        if standing is not None:
            if standing.waybill_id == waybill.pk and standing.consignment == consignment_data(consignment):
                return standing
            _reverse(standing, reason="重新计费", actor=actor, now=now)
        contract = _contract(waybill, decision)
        priced = quote(contract.as_tariff(), consignment) if contract else None
        return _write(parcel, waybill, case, decision, consignment, contract, priced, actor=actor, now=now)


def follow_waybill(*, parcel: Parcel, actor: Actor, now: datetime) -> Charge | None:
    """The charge as the waybill wants it: made or renewed while one lives, taken back when it was given up.

    So what never travelled costs nothing, in whatever order booking and cancelling are heard of. Raises as
    `charge_parcel` does, but for a missing waybill.
    """
    with transaction.atomic():
        parcel = Parcel.objects.select_for_update().get(pk=parcel.pk)
        if pays_by_weight(parcel):
            return None  # an applicant's parcel, which its receiver weighs: charged once it is received
        if Waybill.objects.filter(parcel=parcel, state__in=LIVING).exists():
            return charge_parcel(parcel=parcel, actor=actor, now=now)
        standing = Charge.objects.standing().filter(parcel=parcel).first()
        if standing is not None:
            _reverse(standing, reason="运单已取消", actor=actor, now=now)
        return None


def reverse_charge(*, charge: Charge, reason: str, actor: Actor, now: datetime) -> Charge:
    """Take a charge back by a row of the opposite sign. Raises Refused when it was taken back already."""
    check_may(actor, "charge.correct", charge)
    reason = fitting(reason, what="冲销理由")
    if not reason:
        raise Refused("reversal_reason", "请写明冲销理由。")
    with transaction.atomic():
        Parcel.objects.select_for_update().get(pk=charge.parcel_id)
        if not Charge.objects.standing().filter(pk=charge.pk).exists():
            raise Refused("stale", "该笔邮资已冲销，请刷新页面。")
        return _reverse(charge, reason=reason, actor=actor, now=now)


def consignment_data(consignment: Consignment) -> dict[str, Any]:
    """A consignment as a charge keeps it."""
    return {
        "origin": consignment.origin,
        "destination": consignment.destination,
        "weight_g": consignment.weight_g,
        "sides_mm": list(consignment.sides_mm),
        "extras": sorted(consignment.extras),
        "declared_fen": consignment.declared_fen,
    }


def consignment_of(data: dict[str, Any]) -> Consignment:
    """The inverse of `consignment_data`."""
    length, width, height = data["sides_mm"]
    return Consignment(
        origin=data["origin"],
        destination=data["destination"],
        weight_g=data["weight_g"],
        sides_mm=(length, width, height),
        extras=frozenset(data["extras"]),
        declared_fen=data["declared_fen"],
    )


def _waybill(parcel: Parcel) -> Waybill:
    if not parcel.weight_g and not parcel.is_from_applicant:
        raise _not_weighed()
    waybill = (
        Waybill.objects.filter(parcel=parcel, state__in=LIVING).select_related("carrier", "account").first()
    )
    if waybill is None:
        raise Refused("no_waybill", "寄件还没有运单，请先下单。")
    return waybill


def _not_weighed() -> Refused:
    return Refused("not_weighed", "寄件还没有称重，请先封装称重。")


def consignment_to_price(parcel: Parcel, case: Case, decision: Decision) -> Consignment:
    """A weighed parcel as a contract prices it."""
    return Consignment(
        origin=region_code_at(parcel.sender_kind, parcel.sender_id, case),
        destination=region_code_at(parcel.receiver_kind, parcel.receiver_id, case),
        weight_g=parcel.weight_g or 0,
        sides_mm=(parcel.length_mm, parcel.width_mm, parcel.height_mm),
        extras=frozenset({"collect"} if decision.term == PaymentTerm.COLLECT else ()),
    )


def _contract(waybill: Waybill, decision: Decision) -> TariffContract | None:
    """The contract of the centre whose account is charged; none when the applicant pays at the counter."""
    if decision.payer_centre_id is None:
        return None
    return contract_in_force(
        carrier=waybill.carrier,
        centre_id=decision.payer_centre_id,
        product=str(waybill.account.options.get("product", STANDARD)),
        on=local_day(waybill.requested_at),
    )


def _write(
    parcel: Parcel,
    waybill: Waybill,
    case: Case,
    decision: Decision,
    consignment: Consignment,
    contract: TariffContract | None,
    priced: Quote | None,
    *,
    actor: Actor,
    now: datetime,
) -> Charge:
    charge = Charge.objects.create(
        parcel=parcel,
        waybill=waybill,
        sequence=_next_sequence(parcel),
        amount_fen=priced.total_fen if priced else 0,
        centre_id=decision.payer_centre_id,
        office_id=decision.payer_office_id,
        case=case,
        leg=parcel.leg,
        mode=case.mode,
        term=decision.term.value,
        policy_code=decision.policy_code,
        rule_code=decision.rule_code,
        words=decision.words,
        contract=contract,
        charged_weight_g=priced.charged_weight_g if priced else None,
        consignment=consignment_data(consignment),
        parts=[
            {"code": part.code, "words": part.words, "amount_fen": part.amount_fen}
            for part in (priced.parts if priced else ())
        ],
        created_at=now,
    )
    shares = ChargeShare.objects.bulk_create(
        ChargeShare(
            charge=charge,
            position=position,
            centre_id=share.centre_id,
            office_id=share.office_id,
            amount_fen=share.amount_fen,
        )
        for position, share in enumerate(decision.share_out(charge.amount_fen))
    )
    _enter(charge, shares, now=now)
    _tell("charge.made", charge, actor=actor, now=now)
    return charge


def _reverse(charge: Charge, *, reason: str, actor: Actor, now: datetime) -> Charge:
    copied = {field: getattr(charge, field) for field in _COPIED}
    reversal = Charge.objects.create(
        sequence=_next_sequence(charge.parcel),
        amount_fen=-charge.amount_fen,
        reversal_of=charge,
        reason=reason,
        created_at=now,
        **copied,
    )
    shares = ChargeShare.objects.bulk_create(
        ChargeShare(
            charge=reversal,
            position=share.position,
            centre_id=share.centre_id,
            office_id=share.office_id,
            amount_fen=-share.amount_fen,
        )
        for share in charge.shares.all()
    )
    _enter(reversal, shares, now=now)
    _tell("charge.reversed", reversal, actor=actor, now=now)
    return reversal


def _next_sequence(parcel: Parcel) -> int:
    last = Charge.objects.filter(parcel=parcel).aggregate(last=Max("sequence"))["last"]
    return (last or 0) + 1


def _enter(charge: Charge, shares: Sequence[ChargeShare], *, now: datetime) -> None:
    moves = [
        move
        for share in shares
        for move in Books(centre=share.centre, carrier=charge.waybill.carrier).expected(
            share.office, share.amount_fen
        )
    ]
    post(subject=f"charge:{charge.pk}", words=f"邮资 {charge.parcel.number}", moves=moves, now=now)


def _tell(kind: str, charge: Charge, *, actor: Actor, now: datetime) -> None:
    events.record(
        kind=kind,
        actor=actor,
        subject=charge,
        now=now,
        case_number=charge.case.number,
        data={
            "parcel": charge.parcel.number,
            "amount_fen": charge.amount_fen,
            "term": charge.term,
            "rule": charge.rule_code,
            "policy": charge.policy_code,
            "words": charge.words,
        },
    )
