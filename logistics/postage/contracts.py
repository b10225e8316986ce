"""Courier contracts: taking in a version, ending one, and finding the one in force."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from logistics.models import Carrier, TariffContract, TariffZone
from logistics.rules.tariffs import Surcharge, Tariff, TariffFault, Zone, check_tariff
from registry import events
from registry.actors import Actor
from registry.permissions import NotYours, check_may

STANDARD = "standard"

_PLAIN_FIELDS = (
    "centre_id",
    "product",
    "version",
    "valid_from",
    "valid_until",
    "rounding",
    "round_to_g",
    "divisor",
    "minimum_fen",
    "discount_permille",
    "weight_tolerance_g",
    "promise_hours",
    "late_refund_permille",
)


def add_tariff(*, tariff: Tariff, actor: Actor, now: datetime) -> TariffContract:
    """Take in a contract version; `tariff` names its carrier by code and its centre by id.

    Raises TariffFault when figures are impossible, zones tie, or its period overlaps another version.
    """
    check_may(actor, "tariff.edit")
    if actor.kind != "system" and actor.centre_id != tariff.centre_id:
        raise NotYours
    with transaction.atomic():
        # The lock makes two versions that are taken in at once see each other.
        carrier = Carrier.objects.select_for_update().get(code=tariff.carrier)
        others = TariffContract.objects.filter(
            carrier=carrier, centre_id=tariff.centre_id, product=tariff.product
        )
        check_tariff(tariff, [other.as_tariff() for other in others.prefetch_related("zones")])
        contract = TariffContract.objects.create(
            carrier=carrier,
            created_at=now,
            surcharges=[_surcharge_data(extra) for extra in tariff.surcharges],
            **{field: getattr(tariff, field) for field in _PLAIN_FIELDS},
        )
        TariffZone.objects.bulk_create(_zone_row(contract, zone) for zone in tariff.zones)
        events.record(
            kind="tariff.added",
            actor=actor,
            subject=contract,
            now=now,
            data={"version": tariff.version, "centre": tariff.centre_id},
        )
    return contract


def end_tariff(*, contract: TariffContract, on: date, actor: Actor, now: datetime) -> None:
    """Let an open-ended contract end before `on`, so that the next version can begin."""
    check_may(actor, "tariff.edit", contract)
    if on <= contract.valid_from:
        raise TariffFault("bad_tariff", "终止日期必须晚于生效日期。")
    with transaction.atomic():
        ended = TariffContract.objects.filter(pk=contract.pk, valid_until__isnull=True).update(valid_until=on)
        if not ended:
            raise TariffFault("stale", "该合同已有终止日期。")
        events.record(
            kind="tariff.ended", actor=actor, subject=contract, now=now, data={"on": on.isoformat()}
        )


def contract_in_force(*, carrier: Carrier, centre_id: int, product: str, on: date) -> TariffContract:
    """Raises TariffFault when there is none: a price is never guessed."""
    contract = (
        TariffContract.objects.filter(carrier=carrier, centre_id=centre_id, product=product)
        .in_force(on)
        .select_related("carrier")
        .prefetch_related("zones")
        .first()
    )
    if contract is None:
        raise TariffFault(
            "no_tariff", f"{carrier.name}在 {on:%Y-%m-%d} 没有生效的资费合同，请财务人员先录入合同。"
        )
    return contract


def _surcharge_data(extra: Surcharge) -> dict[str, Any]:
    return {
        "code": extra.code,
        "basis": extra.basis.value,
        "amount": extra.amount,
        "minimum_fen": extra.minimum_fen,
        "regions": list(extra.regions),
    }


def _zone_row(contract: TariffContract, zone: Zone) -> TariffZone:
    return TariffZone(
        contract=contract,
        code=zone.code,
        name=zone.name,
        origins=list(zone.origins),
        destinations=list(zone.destinations),
        first_weight_g=zone.first_weight_g,
        first_price_fen=zone.first_price_fen,
        step_weight_g=zone.step_weight_g,
        step_price_fen=zone.step_price_fen,
    )
