"""Taking contracts in from a workbook, giving them out, and quoting a price before anything is sent."""

from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from django.db.models import QuerySet

from logistics.models import Carrier, TariffContract
from logistics.postage.contracts import STANDARD, add_tariff, contract_in_force
from logistics.postage.tariff_sheets import read_tariff, tariff_workbook
from logistics.rules.tariffs import Consignment, Quote, Tariff, check_tariff, quote
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, check_may
from registry.sheets.forms import Fault
from storage.errors import Refused


class TariffImport(NamedTuple):
    """What came of a file: the contract when it was taken in, the tariff when it could be, else every fault."""

    contract: TariffContract | None
    tariff: Tariff | None
    faults: tuple[Fault, ...]


def import_tariff(
    *, path: Path, carrier: Carrier, centre: ServiceCentre, dry_run: bool, actor: Actor, now: datetime
) -> TariffImport:
    """Read a contract from XLSX; all of it or nothing is taken in, and in a dry run nothing.

    Raises Refused only for a file that is no workbook; whatever is wrong inside is listed row by row.
    """
    check_may(actor, "tariff.edit")
    if actor.kind != "system" and actor.centre_id != centre.pk:
        raise NotYours
    reading = read_tariff(path, carrier=carrier.code, centre_id=centre.pk)
    if reading.tariff is None:
        return TariffImport(None, None, reading.faults)
    others = TariffContract.objects.filter(carrier=carrier, centre=centre, product=reading.tariff.product)
    try:
        check_tariff(reading.tariff, [other.as_tariff() for other in others.prefetch_related("zones")])
        _check_new(reading.tariff, others)
    except Refused as fault:
        return TariffImport(None, None, (Fault("合同", 0, "", fault.message),))
    contract = None if dry_run else add_tariff(tariff=reading.tariff, actor=actor, now=now)
    return TariffImport(contract, reading.tariff, ())


def _check_new(tariff: Tariff, others: QuerySet[TariffContract]) -> None:
    if others.filter(version=tariff.version).exists():
        raise Refused("version_known", f"合同版本“{tariff.version}”已经登记，请换一个版本号。")


def export_tariff(*, contract: TariffContract, actor: Actor) -> bytes:
    """The contract as the workbook that `import_tariff` reads."""
    check_may(actor, "tariff.edit", contract)
    return tariff_workbook(contract.as_tariff(), made_at=contract.created_at)


def quote_price(
    *,
    carrier: Carrier,
    centre: ServiceCentre,
    consignment: Consignment,
    on: date,
    actor: Actor,
    product: str = STANDARD,
) -> tuple[TariffContract, Quote]:
    """What a parcel would cost the centre that day, with each step. Raises TariffFault without contract or route."""
    check_may(actor, "postage.see")
    if actor.kind != "system" and actor.centre_id != centre.pk:
        raise NotYours
    contract = contract_in_force(carrier=carrier, centre_id=centre.pk, product=product, on=on)
    return contract, quote(contract.as_tariff(), consignment)
