"""`month make LINES FILE` fills the database with a month of parcels and writes the courier's statement of it;
`month check FILE` imports and checks that statement, in another process."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from django.db.models import Model
from openpyxl import Workbook

from logistics.models import Carrier, Charge, ChargeShare, Discrepancy, Parcel, Waybill
from logistics.postage.services import import_statement, reconcile_statement
from logistics.rules.checks import Code
from registry.actors import SYSTEM
from storage.services import prepare_buckets
from tests.cast import NOW, assemble
from tests.logistics.postage_world import HEADER, MONTH, PostageWorld

BATCH = 2000
EVERY = 50
FAULTS = (Code.UNKNOWN_WAYBILL, Code.BILLED_BEFORE, Code.OVERWEIGHT, Code.WRONG_AMOUNT, Code.WRONG_TERM)
RIGHT = "11.00"  # ten yuan up to a kilogram, one for 到付: tests/logistics/postage_world.py

Row = tuple[str, ...]
AnyModel = TypeVar("AnyModel", bound=Model)


def main(words: Sequence[str]) -> dict[str, object]:
    if words[0] == "make":
        return make(int(words[1]), Path(words[2]))
    return check(Path(words[1]))


def make(lines: int, path: Path) -> dict[str, object]:
    prepare_buckets()
    world = PostageWorld.build(assemble())
    charge = world.charged()
    first = charge.waybill
    for start in range(1, lines, BATCH):
        _clone(charge, range(start, min(lines, start + BATCH)))
    numbers = itertools.chain([first.number], map(_number, range(1, lines)))
    planted: Counter[str] = Counter()
    book = Workbook(write_only=True)
    page = book.create_sheet("明细")
    page.append(list(HEADER))
    written = 0
    for row in _rows(world, numbers, planted):
        page.append(list(row))
        written += 1
    book.save(path)
    _expected(path).write_text(json.dumps(planted))
    return {"lines": written, "faults": planted.total()}


def check(path: Path) -> dict[str, object]:
    carrier = Carrier.objects.get(code="ems")
    begun = time.monotonic()
    statement = import_statement(path=path, carrier=carrier, month=MONTH, actor=SYSTEM, now=NOW).statement
    imported = time.monotonic()
    reconcile_statement(statement=statement, actor=SYSTEM, now=NOW)
    over = time.monotonic()
    found = Counter(Discrepancy.objects.filter(statement=statement).values_list("code", flat=True))
    planted = json.loads(_expected(path).read_text())
    if found != planted:
        raise RuntimeError(f"planted {planted}, found {dict(found)}")
    return {"import_seconds": imported - begun, "check_seconds": over - imported}


def _clone(charge: Charge, numbers: range) -> None:
    """Parcels with waybill and charge like the first one's, a batch at a time."""
    parcel, waybill = charge.parcel, charge.waybill
    parcels = Parcel.objects.bulk_create(
        _copy(parcel, number=f"JB{n:07d}", code=f"B{n:07d}") for n in numbers
    )
    waybills = Waybill.objects.bulk_create(
        _copy(waybill, parcel_id=one.pk, reference=f"R{one.number}", number=_number(n))
        for n, one in zip(numbers, parcels, strict=True)
    )
    charges = Charge.objects.bulk_create(
        _copy(charge, parcel_id=one.pk, waybill_id=bill.pk)
        for one, bill in zip(parcels, waybills, strict=True)
    )
    shares = list(charge.shares.all())
    ChargeShare.objects.bulk_create(_copy(share, charge_id=one.pk) for one in charges for share in shares)


def _copy(row: AnyModel, **changes: Any) -> AnyModel:
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    return type(row)(**values | changes)


def _rows(world: PostageWorld, numbers: Iterator[str], planted: Counter[str]) -> Iterator[Row]:
    """A right row for each number; every fiftieth carries a fault, each kind in turn."""
    faults = itertools.cycle(FAULTS)
    for index, number in enumerate(numbers):
        fault = next(faults) if index % EVERY == EVERY - 1 else None
        if fault:
            planted[fault.value] += 1
        yield from _rows_of(world, number, fault)


def _rows_of(world: PostageWorld, number: str, fault: Code | None) -> list[Row]:
    right = world.row(number, RIGHT)
    match fault:
        case None:
            return [right]
        case Code.UNKNOWN_WAYBILL:
            return [right, world.row(f"99{number[2:]}", RIGHT)]
        case Code.BILLED_BEFORE:
            return [right, right]
        case Code.OVERWEIGHT:
            return [world.row(number, "13.00", weight_g=2000)]
        case Code.WRONG_AMOUNT:
            return [world.row(number, "14.00")]
        case Code.WRONG_TERM:
            return [world.row(number, RIGHT, term="寄付月结")]
    raise ValueError(f"nothing is known of planting {fault}")


def _number(index: int) -> str:
    return f"12{index:011d}"


def _expected(path: Path) -> Path:
    return path.with_suffix(".planted.json")
