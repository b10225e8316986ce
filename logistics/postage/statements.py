"""Taking in a courier's statement: read wholly, kept as evidence, written in one go or not at all."""

import hashlib
import pickle
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.db import transaction

from logistics.models import Carrier, CarrierAccount, ColumnName, Statement, StatementLine, StatementState
from logistics.models.billing import MONTH
from logistics.postage.bulk import append_rows
from logistics.postage.columns import HEADER_WITHIN_ROWS, Column, MissingColumn
from logistics.postage.lines import Reading, read_statement
from logistics.rules.checks import Billed
from registry import events
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import check_may
from registry.sheets.tables import open_tables
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.services import store_file

SAMPLE_ROWS = 12
_BATCH = 2000
_MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
}


class Imported(NamedTuple):
    """`known`: these bytes had been imported before, and nothing was done."""

    statement: Statement
    known: bool


@dataclass(frozen=True)
class Preview:
    """What an import would make of a file: printed names by meaning, names nobody knows, and the first rows."""

    columns: Mapping[str, str]
    unknown: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    fault: str = ""
    fault_code: str = ""


def import_statement(
    *,
    path: Path,
    carrier: Carrier,
    month: str,
    actor: Actor,
    now: datetime,
    centre: ServiceCentre | None = None,
    on_lines: Callable[[int], None] | None = None,
) -> Imported:
    """Read a statement of `month` ("2026-01") and keep it line by line; `on_lines` is told how many were read so far.

    The same file again answers the statement it became. Raises Refused, with what to do, for a file that cannot be
    read exactly to its last row; then nothing was written.
    """
    check_may(actor, "statement.import")
    sha256 = digest_of(path)
    known = recognised(carrier=carrier, month=month, sha256=sha256)
    if known is not None:
        return Imported(known, known=True)
    reading = read_statement(path, own_names=_own_names(carrier), period=(month, sha256))
    accounts = _Accounts(carrier)
    with tempfile.TemporaryFile() as spool:
        # Read to the end first: nothing is kept of a statement that turns out to be unreadable.
        _spool(reading, spool, accounts, on_lines)
        if reading.line_count == 0:
            raise Refused("empty_table", "对账单里没有明细行，请核对账期后重新下载。")
        return _keep(reading, spool, accounts, path, carrier, month, centre, actor=actor, now=now)


def _keep(
    reading: Reading,
    spool: IO[bytes],
    accounts: "_Accounts",
    path: Path,
    carrier: Carrier,
    month: str,
    centre: ServiceCentre | None,
    *,
    actor: Actor,
    now: datetime,
) -> Imported:
    sha256 = reading.period[1]
    stored = store_file(
        path=path, kind=Kind.STATEMENT, media_type=_MEDIA_TYPES.get(reading.encoding, "text/csv"), now=now
    )
    with transaction.atomic():
        Carrier.objects.select_for_update().get(pk=carrier.pk)
        known = recognised(carrier=carrier, month=month, sha256=sha256)
        if known is not None:
            return Imported(known, known=True)
        statement = _write(
            reading, spool, carrier, month, stored, accounts.centre_id(centre, actor), accounts, now=now
        )
        events.record(
            kind="statement.imported",
            actor=actor,
            subject=statement,
            now=now,
            data={
                "carrier": carrier.code,
                "month": month,
                "sha256": sha256,
                "lines": statement.line_count,
                "amount_fen": statement.amount_fen,
            },
        )
    return Imported(statement, known=False)


def preview_statement(*, path: Path, carrier: Carrier, actor: Actor) -> Preview:
    """How the columns would be understood, and the top of the table, without keeping anything."""
    check_may(actor, "statement.import")
    rows = [tuple(row) for _, row in islice(open_tables(path)[0].rows(), HEADER_WITHIN_ROWS)]
    sample = tuple(rows[:SAMPLE_ROWS])
    try:
        layout = read_statement(path, own_names=_own_names(carrier)).layout
    except MissingColumn as fault:
        near = fault.nearest
        found, unknown = (near.as_data(), near.unknown) if near else ({}, ())
        return Preview(found, unknown, sample, fault.message, fault.code)
    return Preview(layout.as_data(), layout.unknown, sample)


def remember_columns(*, carrier: Carrier, names: Mapping[str, str], actor: Actor, now: datetime) -> None:
    """Keep what a carrier calls its columns: printed name → value of Column. Said once, used from then on."""
    check_may(actor, "statement.import")
    unknown = set(names.values()) - set(Column.values())
    if unknown:
        raise Refused("unknown_column", f"没有这样的列含义：{'、'.join(sorted(unknown))}。")
    with transaction.atomic():
        for name, column in names.items():
            ColumnName.objects.update_or_create(carrier=carrier, name=name, defaults={"column": column})
        events.record(
            kind="statement.columns_named",
            actor=actor,
            subject=carrier,
            now=now,
            data={"columns": dict(names)},
        )


class _Accounts:
    """The carrier's accounts by number, and how often the statement names each centre's."""

    def __init__(self, carrier: Carrier) -> None:
        rows = CarrierAccount.objects.filter(carrier=carrier).select_related("centre")
        self._by_number = {"".join(account.number.split()): account for account in rows}
        self._labels = {number: account_label(account) for number, account in self._by_number.items()}
        self._centres: Counter[int] = Counter()

    def find(self, line: Billed) -> CarrierAccount | None:
        return self._by_number.get(line.account)

    def meet(self, line: Billed) -> None:
        account = self.find(line)
        if account is not None:
            self._centres[account.centre_id] += 1

    def label(self, line: Billed) -> str:
        """What lists show of the account: never the whole number."""
        if line.account in self._labels:
            return self._labels[line.account]
        return f"未登记账号 ****{line.account[-4:]}" if line.account else ""

    def centre_id(self, centre: ServiceCentre | None, actor: Actor) -> int | None:
        """Whose statement this is: the one named, the actor's, else the only one whose account it bills."""
        if actor.centre_id is not None:
            return actor.centre_id
        if centre is not None:
            return centre.pk
        return next(iter(self._centres)) if len(self._centres) == 1 else None


def account_label(account: CarrierAccount) -> str:
    """An account as findings show it; equal labels are the same account."""
    return f"{account.centre.name} {account.masked_number}"


def _spool(
    reading: Reading, spool: IO[bytes], accounts: _Accounts, on_lines: Callable[[int], None] | None
) -> None:
    """The lines, exact and small, in a file that vanishes with its handle: parsing is the dear part."""
    lines = reading.lines()
    while batch := list(islice(lines, _BATCH)):
        for line in batch:
            accounts.meet(line)
        pickle.dump(batch, spool, protocol=pickle.HIGHEST_PROTOCOL)
        if on_lines is not None:
            on_lines(reading.line_count)


def _unspool(spool: IO[bytes]) -> Iterator[list[Billed]]:
    spool.seek(0)
    while True:
        try:
            yield pickle.load(spool)  # noqa: S301 - written by this process a moment ago
        except EOFError:
            return


def _write(
    reading: Reading,
    spool: IO[bytes],
    carrier: Carrier,
    month: str,
    stored: StoredObject,
    centre_id: int | None,
    accounts: _Accounts,
    *,
    now: datetime,
) -> Statement:
    statement = Statement.objects.create(
        carrier=carrier,
        centre_id=centre_id,
        month=month,
        stored=stored,
        sha256=reading.period[1],
        encoding=reading.encoding,
        columns=reading.layout.as_data(),
        line_count=reading.line_count,
        amount_fen=reading.amount_fen,
        totals=[[total.row, total.stated_fen, total.summed_fen] for total in reading.totals],
        state=StatementState.IMPORTED,
        imported_at=now,
    )
    append_rows(
        StatementLine,
        _COLUMNS,
        (_row(line, statement, accounts) for batch in _unspool(spool) for line in batch),
    )
    return statement


_COLUMNS = (
    "statement_id",
    "row",
    "waybill_number",
    "amount_fen",
    "kind",
    "posted_on",
    "weight_g",
    "freight_fen",
    "other_fen",
    "term",
    "account_id",
    "account_label",
    "currency",
    "version",
)


def _row(line: Billed, statement: Statement, accounts: _Accounts) -> tuple[Any, ...]:
    """The values of `_COLUMNS`."""
    account = accounts.find(line)
    return (
        statement.pk,
        line.row,
        line.waybill,
        line.amount_fen,
        line.kind,
        line.posted_on,
        line.weight_g,
        line.freight_fen,
        line.other_fen,
        line.term,
        account.pk if account else None,
        accounts.label(line),
        line.currency,
        line.version,
    )


def recognised(*, carrier: Carrier, month: str, sha256: str) -> Statement | None:
    """The statement that these bytes have become.

    Raises Refused for a month that is none, and when the file was taken in for another month or another carrier.
    """
    if not re.match(MONTH, month):
        raise Refused("bad_month", "账期应写成“2026-01”的形式。")
    known = Statement.objects.select_related("carrier").filter(sha256=sha256).order_by("pk").first()
    if known is not None and known.carrier_id != carrier.pk:
        raise Refused(
            "statement_other_carrier",
            f"这份文件已作为 {known.carrier.name} {known.month} 的对账单导入，请核对所选的承运商。",
        )
    if known is not None and known.month != month:
        raise Refused(
            "statement_other_month",
            f"这份文件已作为 {known.month} 的对账单导入，不能再作为 {month} 的导入。",
        )
    return known


def media_type_of(path: Path) -> str:
    """By content, not by name. Raises UnreadableSheet for what is no table."""
    return _MEDIA_TYPES.get(open_tables(path)[0].encoding, "text/csv")


def _own_names(carrier: Carrier) -> dict[str, str]:
    return dict(ColumnName.objects.filter(carrier=carrier).values_list("name", "column"))


def digest_of(path: Path) -> str:
    """SHA-256 of the file, as it names a statement."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
