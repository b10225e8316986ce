"""`month make LINES FILE` fills the database with a month of parcels and writes the courier's statement of it;
`month check FILE` imports and checks that statement, in another process."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from django.db import connection
from django.db.models import Model
from openpyxl import Workbook

from logistics.models import Carrier, Charge, ChargeShare, Discrepancy, Parcel, Waybill
from logistics.postage.services import import_statement, reconcile_statement
from logistics.rules.checks import Code
from registry.actors import SYSTEM
from storage.services import prepare_buckets
from tests.cast import NOW, assemble
from tests.logistics.postage_world import HEADER, MONTH, PostageWorld

EVERY = 50
FAULTS = (Code.UNKNOWN_WAYBILL, Code.BILLED_BEFORE, Code.OVERWEIGHT, Code.WRONG_AMOUNT, Code.WRONG_TERM)
RIGHT = "11.00"  # ten yuan up to a kilogram, one for 到付: tests/logistics/postage_world.py

Row = tuple[str, ...]


def main(words: Sequence[str]) -> dict[str, object]:
    if words[0] == "make":
        return make(int(words[1]), Path(words[2]))
    return check(Path(words[1]))


def make(lines: int, path: Path) -> dict[str, object]:
    prepare_buckets()
    world = PostageWorld.build(assemble())
    charge = world.charged()
    first = charge.waybill
    _multiply(charge, lines - 1)
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


def _multiply(charge: Charge, copies: int) -> None:
    """Parcels with waybill and charge like the first one's, made where they are kept."""
    serial = "lpad(n::text, 7, '0')"
    _copy(
        Parcel,
        f"generate_series(1, {copies:d}) n WHERE t.id = {charge.parcel_id:d}",
        {"number": f"'JB' || {serial}", "code": f"'B' || {serial}"},
    )
    _copy(
        Waybill,
        f"{Parcel._meta.db_table} p WHERE t.id = {charge.waybill_id:d} AND p.number LIKE 'JB%'",
        {
            "parcel_id": "p.id",
            "reference": "'R' || p.number",
            "number": "'12' || lpad(substr(p.number, 3), 11, '0')",
        },
    )
    _copy(
        Charge,
        f"{Waybill._meta.db_table} w WHERE t.id = {charge.pk:d} AND w.reference LIKE 'RJB%'",
        {"parcel_id": "w.parcel_id", "waybill_id": "w.id"},
    )
    _copy(
        ChargeShare,
        f"{Charge._meta.db_table} c WHERE t.charge_id = {charge.pk:d} AND c.id <> {charge.pk:d}",
        {"charge_id": "c.id"},
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(model: type[Model], source: str, changes: Mapping[str, str]) -> None:
    """Copies of a row `t` of the table, one for each row of `source`; `changes`: column → SQL."""
    columns = [str(field.column) for field in model._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changes.get(column, f't."{column}"') for column in columns)
    table = model._meta.db_table
    named = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({named}) SELECT {values} FROM {table} t, {source}")  # noqa: S608 - all of it is written here


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
