"""What the notices announced beside what the catalogue holds: numbers, days, and what is missing."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from registry.catalogue.batches import BatchRow, batch_rows
from registry.catalogue.services import import_catalogue
from registry.catalogue.sheets import catalogue_workbook
from registry.models import CatalogueBatch, ServiceItem
from registry.reference.load import load_reference
from registry.rules.catalogue import Entry, Responsible
from registry.terms import Scope
from registry.time import local_day
from tests.cast import NOW, Cast, assemble
from tests.registry.test_catalogue import ENTRY

TODAY = local_day(NOW)
PROVINCE, CROSS, NEW = "新推出“全省通办”事项", "“跨省通办”事项", "新一批“跨省通办”事项"
ZAOZHUANG = {
    PROVINCE: (107, Scope.PROVINCE),
    CROSS: (74, Scope.CROSS_PROVINCE),
    NEW: (8, Scope.CROSS_PROVINCE),
}


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def of_region(region: str, day: date = TODAY) -> dict[str, BatchRow]:
    return {row.name: row for row in batch_rows(day) if row.region == region}


def entries(batch: str, count: int, scope: Scope, *, negative: int = 0, since: date = TODAY) -> list[Entry]:
    return [
        replace(
            ENTRY,
            code=f"ZZ-{scope.value[:2].upper()}-{len(batch)}-{number:03d}",
            name=f"{batch}第{number + 1}项",
            region="370402",
            scope=scope.value,
            batch=batch,
            effective_from=since,
            negative=number < negative,
            offices=(Responsible("370402-spj", "王五", "0632-1"),),
        )
        for number in range(count)
    ]


def take_in(cast: Cast, folder: Path, listed: list[Entry]) -> None:
    book = folder / "list.xlsx"
    book.write_bytes(catalogue_workbook(listed, made_at=NOW))
    made = import_catalogue(path=book, dry_run=False, actor=cast.administrator, now=NOW)
    assert (made.faults, made.added) == ((), len(listed))


def test_the_reference_data_loads_again_without_a_change(cast: Cast) -> None:
    before = (list(CatalogueBatch.objects.values()), list(ServiceItem.objects.order_by("pk").values()))
    assert set(load_reference().values()) == {0}
    assert (
        list(CatalogueBatch.objects.values()),
        list(ServiceItem.objects.order_by("pk").values()),
    ) == before


def test_zhujis_table_is_there_row_by_row_with_leader_scenario_and_day(cast: Cast) -> None:
    rows = of_region("330681")
    assert [(row.announced, row.listed, row.missing) for row in rows.values()] == [
        (1, 1, 0), (1, 1, 0), (1, 1, 0), (2, 2, 0), (2, 2, 0),
    ]  # fmt: skip
    assert str(rows["2022年6月底前"].due_on) == "2022-06-30"
    assert rows["结婚登记试点后实施"].negative == 1
    items = ServiceItem.objects.filter(region="330681").order_by("code")
    assert [item.code[-2:] for item in items] == ["02", "03", "04", "05", "06", "07", "08"]
    assert all(item.lead_department and item.scenario for item in items)


def test_putians_quarters_have_their_days_and_an_empty_one_is_overdue(cast: Cast) -> None:
    rows = of_region("350300")
    assert [str(row.due_on) for row in rows.values()] == ["2021-04-21", "2021-09-30", "2021-12-31"]
    assert [row.announced for row in rows.values()] == [None, None, None]
    assert [row.overdue for row in rows.values()] == [False, True, True]
    assert not rows["莆田市第三批全域通办"].missing


def test_taizhou_announced_a_hundred_and_sixty_of_which_the_notice_names_none(cast: Cast) -> None:
    (row,) = of_region("331000").values()
    assert (row.announced, row.listed, row.missing) == (160, 1, 159)
    assert row.overdue


def test_zaozhuangs_lists_fill_up_to_their_numbers(cast: Cast, tmp_path: Path) -> None:
    empty = of_region("370402")
    assert {name: row.missing for name, row in empty.items()} == {PROVINCE: 107, CROSS: 74, NEW: 8}
    assert [row.overdue for row in empty.values()] == [True, True, False]
    listed = [one for name, (count, scope) in ZAOZHUANG.items() for one in entries(name, count, scope)]
    take_in(cast, tmp_path, listed)
    full = of_region("370402")
    assert {name: row.listed for name, row in full.items()} == {PROVINCE: 107, CROSS: 74, NEW: 8}
    assert not any(row.missing or row.overdue for row in full.values())


def test_what_begins_later_is_coming_and_negatives_are_counted(cast: Cast, tmp_path: Path) -> None:
    later = TODAY + timedelta(days=20)
    take_in(cast, tmp_path, entries("第四批", 6, Scope.PROVINCE, negative=2, since=later))
    row = of_region("370402")["第四批"]
    assert (row.listed, row.coming, row.negative, row.announced) == (0, 6, 0, None)
    row = of_region("370402", later)["第四批"]
    assert (row.listed, row.coming, row.negative) == (6, 0, 2)
    assert row.scope_label == Scope.PROVINCE.label
