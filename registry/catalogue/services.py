"""What an administrator does with the catalogue: take a list in, give it out, compare two versions."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from django.db import transaction

from registry.actors import Actor
from registry.catalogue.entries import entries_of, latest_versions, write_contacts, write_version
from registry.catalogue.sheets import (
    ITEMS,
    ItemRow,
    catalogue_csv,
    catalogue_workbook,
    read_catalogue,
)
from registry.events import record
from registry.models import Office, Region, ServiceItem
from registry.permissions import check_may
from registry.rules.catalogue import (
    Difference,
    Entry,
    Responsible,
    check_entry,
    check_succeeds,
    differences,
    last_day_before,
    same_content,
)
from registry.sheets.forms import Fault
from storage.errors import Refused


@dataclass(frozen=True)
class Change:
    """What a row of the file would do: a first version, a next one, or another last day or contact of the present one."""

    entry: Entry
    latest: Entry | None

    @property
    def in_place(self) -> bool:
        latest = self.latest
        return (
            latest is not None
            and same_content(latest, self.entry)
            and latest.effective_from == self.entry.effective_from
        )


@dataclass(frozen=True)
class CatalogueImport:
    """What came of a file; with any fault nothing is taken in."""

    added: int
    renewed: int
    unchanged: int
    faults: tuple[Fault, ...]
    done: bool


def import_catalogue(*, path: Path, dry_run: bool, actor: Actor, now: datetime) -> CatalogueImport:
    """分批次分阶段对外公布 (putian §五(三)): a list becomes new versions, all of it in one transaction or nothing.

    Raises Refused only for a file that is no table; whatever is wrong inside is listed row by row.
    """
    check_may(actor, "directory.edit")
    reading = read_catalogue(path)
    with transaction.atomic():
        latest = latest_versions([row.entry.code for row in reading.rows], lock=not dry_run)
        known = entries_of(latest.values())
        changes, found = _changes(reading.rows, known)
        faults = (*reading.faults, *found)
        fresh = sum(change.latest is None for change in changes)
        done = not faults and not dry_run
        if done and changes:
            offices = {code: (pk, region) for code, pk, region in _offices()}
            for change in changes:
                _write(change, latest, offices)
            record(
                kind="catalogue.imported",
                actor=actor,
                subject=latest[changes[0].entry.code],
                now=now,
                data={
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "added": fresh,
                    "renewed": len(changes) - fresh,
                    "unchanged": len(reading.rows) - len(changes),
                },
            )
    return CatalogueImport(
        fresh, len(changes) - fresh, len(reading.rows) - len(changes), tuple(_in_order(faults)), done
    )


def export_catalogue(*, form: str, items: Iterable[ServiceItem], actor: Actor, now: datetime) -> bytes:
    """Versions as the workbook or the CSV that `import_catalogue` reads."""
    check_may(actor, "directory.edit")
    entries = list(entries_of(items).values())
    return catalogue_csv(entries) if form == "csv" else catalogue_workbook(entries, made_at=now)


def compare(*, old: ServiceItem, new: ServiceItem) -> list[Difference]:
    """What two versions of an item say differently. Both are published, so anybody may ask."""
    entries = {item.pk: next(iter(entries_of([item]).values())) for item in (old, new)}
    return differences(entries[old.pk], entries[new.pk])


def _changes(rows: Iterable[ItemRow], known: Mapping[str, Entry]) -> tuple[list[Change], list[Fault]]:
    regions = set(Region.objects.values_list("code", flat=True))
    offices = {code for code, _, _ in _offices()}
    changes: list[Change] = []
    faults: list[Fault] = []
    for row in rows:
        latest = known.get(row.entry.code)
        entry = _completed(row, latest)
        found = [
            Fault("责任部门", number, "部门代码", f"“{each.office}”没有登记为审批部门，请先在目录中登记。")
            for number, each in zip(row.office_rows, row.entry.offices, strict=True)
            if each.office not in offices
        ]
        if entry.region not in regions:
            found.append(Fault(ITEMS, row.row, "清单所属区划", f"没有区划代码“{entry.region[:12]}”。"))
        change = Change(entry, latest)
        changed = latest is None or not same_content(latest, entry) or _kept(latest) != _kept(entry)
        try:
            check_entry(entry)
            if latest is not None and changed and not change.in_place:
                check_succeeds(latest, entry)
        except Refused as refused:
            column = "生效日期" if refused.code in ("dates", "version_dates") else ""
            found.append(Fault(ITEMS, row.row, column, refused.message))
        faults += found
        if changed:
            changes.append(change)
    return changes, faults


def _kept(entry: Entry) -> tuple[date, date | None, tuple[Responsible, ...]]:
    return entry.effective_from, entry.effective_to, entry.offices


def _offices() -> list[tuple[str, int, str]]:
    return list(Office.objects.values_list("code", "pk", "region_id"))


def _completed(row: ItemRow, latest: Entry | None) -> Entry:
    """A table that the file does not hold says nothing new: the version before goes on in that part."""
    if latest is None:
        return row.entry
    entry = row.entry
    if not row.offices_told:
        entry = replace(entry, offices=latest.offices)
    if not row.papers_told:
        entry = replace(entry, papers=latest.papers)
    return entry if row.points_told else replace(entry, points=latest.points)


def _write(change: Change, latest: dict[str, ServiceItem], offices: Mapping[str, tuple[int, str]]) -> None:
    before = latest.get(change.entry.code)
    if before is None or change.latest is None:
        latest[change.entry.code] = write_version(change.entry, version=1, offices=offices)
        return
    last = change.entry.effective_to if change.in_place else last_day_before(change.entry, change.latest)
    ServiceItem.objects.filter(pk=before.pk).update(effective_to=last)
    if change.in_place:
        write_contacts(before, change.entry, offices=offices)
    else:
        latest[change.entry.code] = write_version(change.entry, version=before.version + 1, offices=offices)


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    order = {name: index for index, name in enumerate((ITEMS, "责任部门", "材料", "审查要点"))}
    return sorted(faults, key=lambda fault: (order.get(fault.sheet, 9), fault.row))
