"""The catalogue: taken in from tables with every row's fault, versioned by day, given out in the same form."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from registry.catalogue.entries import entries_of
from registry.catalogue.services import CatalogueImport, compare, export_catalogue, import_catalogue
from registry.catalogue.sheets import HEADERS, ITEMS, catalogue_csv, catalogue_workbook
from registry.models import Event, ServiceItem
from registry.permissions import NotYours
from registry.rules.catalogue import (
    Entry,
    Paper,
    Responsible,
    check_entry,
    check_succeeds,
    differences,
    last_day_before,
)
from registry.rules.questionnaire import Point
from registry.sheets.limits import UnreadableSheet
from registry.sheets.workbooks import Sheet, make_workbook
from registry.terms import Mode, Scope
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble
from tests.logistics.sheet_makers import sheet_data, xlsx

PAPER = Paper(
    name="申请表",
    original=True,
    mailed=False,
    minimum_pages=1,
    required=True,
    deferrable=False,
    shared_data=False,
    validity_rule="",
    expected_fields=("name",),
)
ENTRY = Entry(
    code="PT-GA-001",
    name="居住证签注",
    region="350300",
    scope=Scope.CITY.value,
    batch="第一批",
    lead_department="公安局",
    scenario="申请人可在任一专窗办理，不受户籍地限制。",
    effective_from=date(2026, 1, 1),
    effective_to=None,
    negative=False,
    modes=(Mode.WINDOW_ACCEPT.value,),
    stars=4,
    unified_platform=True,
    promised_days=5,
    source="莆田 §五(三)",
    offices=(Responsible("331000-zjj", "王五", "0594-1"),),
    papers=(PAPER,),
    points=(Point("q1", "申请表已签名"),),
)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def take_in(cast: Cast, path: Path, *entries: Entry, dry_run: bool = False) -> CatalogueImport:
    path.write_bytes(catalogue_workbook(entries, made_at=NOW))
    return import_catalogue(path=path, dry_run=dry_run, actor=cast.administrator, now=NOW)


def test_an_item_begins_with_its_first_batch_and_is_told(cast: Cast, tmp_path: Path) -> None:
    made = take_in(cast, tmp_path / "list.xlsx", ENTRY)
    assert (made.added, made.renewed, made.faults, made.done) == (1, 0, (), True)
    item = ServiceItem.objects.get(code=ENTRY.code)
    assert entries_of([item])[ENTRY.code] == ENTRY
    assert Event.objects.get(kind="catalogue.imported").data["added"] == 1


def test_a_dry_run_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    made = take_in(cast, tmp_path / "list.xlsx", ENTRY, dry_run=True)
    assert (made.added, made.done) == (1, False)
    assert not ServiceItem.objects.filter(code=ENTRY.code).exists()
    assert not Event.objects.filter(kind="catalogue.imported").exists()


def test_what_is_given_out_comes_back_unchanged(cast: Cast, tmp_path: Path) -> None:
    take_in(cast, tmp_path / "list.xlsx", ENTRY)
    for form in ("xlsx", "csv"):
        path = tmp_path / f"again.{form}"
        items = ServiceItem.objects.filter(code=ENTRY.code)
        path.write_bytes(export_catalogue(form=form, items=items, actor=cast.administrator, now=NOW))
        made = import_catalogue(path=path, dry_run=False, actor=cast.administrator, now=NOW)
        assert (made.unchanged, made.added, made.renewed, made.faults) == (1, 0, 0, ())
    assert ServiceItem.objects.filter(code=ENTRY.code).count() == 1


def test_the_next_batch_is_a_new_version_and_every_day_has_one(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    take_in(cast, path, ENTRY)
    made = take_in(
        cast, path, replace(ENTRY, batch="第二批", promised_days=3, effective_from=date(2026, 7, 1))
    )
    assert made.renewed == 1
    for day, version in [(date(2026, 6, 30), 1), (date(2026, 7, 1), 2)]:
        assert ServiceItem.objects.in_force(day).get(code=ENTRY.code).version == version


def test_a_change_that_begins_no_later_is_refused(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    take_in(cast, path, ENTRY)
    made = take_in(cast, path, replace(ENTRY, promised_days=3))
    assert [(fault.sheet, fault.row, fault.column) for fault in made.faults] == [(ITEMS, 2, "生效日期")]
    assert ServiceItem.objects.get(code=ENTRY.code).promised_days == 5


def test_an_item_may_only_be_given_a_last_day(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    take_in(cast, path, ENTRY)
    made = take_in(cast, path, replace(ENTRY, effective_to=date(2026, 12, 31)))
    assert made.faults == ()
    assert ServiceItem.objects.get(code=ENTRY.code).effective_to == date(2026, 12, 31)


def test_another_contact_needs_no_new_version(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    take_in(cast, path, ENTRY)
    made = take_in(cast, path, replace(ENTRY, offices=(Responsible("331000-zjj", "赵六", "0594-2"),)))
    assert (made.renewed, made.faults) == (1, ())
    item = ServiceItem.objects.get(code=ENTRY.code)
    assert item.contacts.get().name == "赵六"


def test_the_negative_list_is_a_version_too(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    take_in(cast, path, ENTRY)
    take_in(cast, path, replace(ENTRY, negative=True, effective_from=date(2026, 3, 1)))
    assert ServiceItem.objects.in_force(local_day(NOW)).get(code=ENTRY.code).negative


def test_a_csv_of_items_keeps_the_other_parts_of_the_version_before(cast: Cast, tmp_path: Path) -> None:
    take_in(cast, tmp_path / "list.xlsx", ENTRY)
    path = tmp_path / "list.csv"
    whole = catalogue_csv([replace(ENTRY, promised_days=2, effective_from=date(2026, 5, 1))])
    path.write_bytes(whole.partition(b"\r\n\r\n")[0])
    made = import_catalogue(path=path, dry_run=False, actor=cast.administrator, now=NOW)
    assert made.renewed == 1
    newest = entries_of(ServiceItem.objects.filter(code=ENTRY.code, version=2))[ENTRY.code]
    assert (newest.promised_days, newest.papers, newest.points) == (2, ENTRY.papers, ENTRY.points)
    assert newest.offices == ENTRY.offices


def test_a_new_item_comes_whole_by_csv(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    other = replace(ENTRY, code="PT-GA-002", points=(), papers=(PAPER, replace(PAPER, name="=户口簿")))
    path.write_bytes(catalogue_csv([ENTRY, other]))
    made = import_catalogue(path=path, dry_run=False, actor=cast.administrator, now=NOW)
    assert (made.added, made.faults) == (2, ())
    for entry in (ENTRY, other):
        assert entries_of(ServiceItem.objects.filter(code=entry.code))[entry.code] == entry


def test_a_fault_in_a_csv_names_its_table_and_the_line_of_the_file(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    lines = catalogue_csv([ENTRY]).decode().splitlines()
    wrong = next(number for number, line in enumerate(lines, start=1) if "申请表,原件" in line)
    lines[wrong - 1] = lines[wrong - 1].replace("原件", "抄件")
    path.write_text("\n".join(lines))
    made = import_catalogue(path=path, dry_run=True, actor=cast.administrator, now=NOW)
    assert [(fault.sheet, fault.row, fault.column) for fault in made.faults] == [("材料", wrong, "形式")]
    assert "抄件" in made.faults[0].message


def test_every_fault_of_every_row_is_listed_and_nothing_is_taken_in(cast: Cast, tmp_path: Path) -> None:
    header = HEADERS[ITEMS]
    good = dict(zip(header, _cells(), strict=True))
    rows = [
        good,
        {**good, "事项编码": "B", "生效日期": "2026-13-01", "网办星级": "6", "负面清单": "也许"},
        {**good, "事项编码": "B"},
        {**good, "事项编码": "C", "清单所属区划": "999999", "办理模式": "飞行", "事项名称": ""},
        {**good, "事项编码": "不行"},
    ]
    book = make_workbook(
        [
            Sheet(ITEMS, [header, *([row[name] for name in header] for row in rows)]),
            Sheet(
                "责任部门", [HEADERS["责任部门"], ("A", "nowhere", "", "1"), ("Z", "331000-zjj", "王", "1")]
            ),
            Sheet("审查要点", [HEADERS["审查要点"], ("A", "q1", "有吗", "是"), ("A", "q1", "有吗", "或许")]),
        ],
        made_at=NOW,
    )
    path = tmp_path / "bad.xlsx"
    path.write_bytes(book)
    made = import_catalogue(path=path, dry_run=False, actor=cast.administrator, now=NOW)
    found = {(fault.sheet, fault.row, fault.column) for fault in made.faults}
    assert found >= {
        (ITEMS, 3, "生效日期"),
        (ITEMS, 3, "网办星级"),
        (ITEMS, 3, "负面清单"),
        (ITEMS, 4, "事项编码"),
        (ITEMS, 5, "清单所属区划"),
        (ITEMS, 5, "办理模式"),
        (ITEMS, 5, "事项名称"),
        (ITEMS, 6, "事项编码"),
        ("责任部门", 2, "部门代码"),
        ("责任部门", 2, "联络员"),
        ("责任部门", 3, "事项编码"),
        ("审查要点", 3, "要点编号"),
        ("审查要点", 3, "应答"),
    }
    assert all(fault.message for fault in made.faults)
    assert not ServiceItem.objects.filter(code__in=["A", "B", "C"]).exists()


def _cells() -> list[object]:
    return ["A", "事项", "331000", "全省通办", "", "", "", "2026-01-01", "", "否", "", "3", "是", "5", ""]


def test_an_item_without_office_or_contact_is_no_item() -> None:
    for entry, code in [
        (replace(ENTRY, offices=()), "no_office"),
        (replace(ENTRY, offices=(Responsible("x", "", ""),)), "no_contact"),
        (replace(ENTRY, offices=ENTRY.offices * 2), "office_twice"),
        (replace(ENTRY, effective_to=date(2025, 1, 1)), "dates"),
    ]:
        with pytest.raises(Refused) as refused:
            check_entry(entry)
        assert refused.value.code == code
    check_entry(ENTRY)


def test_versions_follow_each_other_without_gap_or_overlap() -> None:
    new = replace(ENTRY, effective_from=date(2026, 4, 1))
    check_succeeds(ENTRY, new)
    assert last_day_before(new, ENTRY) == date(2026, 3, 31)
    ended = replace(ENTRY, effective_to=date(2026, 2, 1))
    assert last_day_before(new, ended) == date(2026, 2, 1)
    with pytest.raises(Refused):
        check_succeeds(ENTRY, ENTRY)


def test_differences_name_what_changed_and_nothing_else() -> None:
    new = replace(
        ENTRY,
        promised_days=3,
        papers=(replace(PAPER, deferrable=True), replace(PAPER, name="照片")),
        points=(),
    )
    assert [(each.part, each.what) for each in differences(ENTRY, new)] == [
        ("事项", "承诺时限（工作日）"),
        ("材料", "申请表"),
        ("材料", "照片"),
        ("审查要点", "q1"),
    ]
    assert differences(ENTRY, ENTRY) == []


def test_two_stored_versions_are_compared(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    take_in(cast, path, ENTRY)
    take_in(cast, path, replace(ENTRY, promised_days=3, effective_from=date(2026, 7, 1)))
    old, new = ServiceItem.objects.filter(code=ENTRY.code).order_by("version")
    shown = {each.what: (each.before, each.after) for each in compare(old=old, new=new)}
    assert shown["承诺时限（工作日）"] == ("5", "3")


def test_hostile_workbooks_are_turned_away_with_a_sentence(cast: Cast, tmp_path: Path) -> None:
    macro = xlsx(
        tmp_path / "macro.xlsx", sheet_data([HEADERS[ITEMS]]), extra={"xl/vbaProject.bin": b"\xd0\xcf"}
    )
    picture = tmp_path / "picture.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    for path in (macro, picture):
        with pytest.raises(UnreadableSheet) as refused:
            import_catalogue(path=path, dry_run=True, actor=cast.administrator, now=NOW)
        assert refused.value.message


def test_text_that_looks_like_a_formula_stays_text(cast: Cast, tmp_path: Path) -> None:
    take_in(cast, tmp_path / "list.xlsx", replace(ENTRY, name='=HYPERLINK("http://x","y")'))
    item = ServiceItem.objects.get(code=ENTRY.code)
    assert item.name == '=HYPERLINK("http://x","y")'
    given = export_catalogue(form="csv", items=[item], actor=cast.administrator, now=NOW).decode("utf-8-sig")
    assert "'=HYPERLINK" in given


def test_only_administrators_take_lists_in(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(catalogue_workbook([ENTRY], made_at=NOW))
    for actor in (cast.clerk, cast.officer, cast.finance, cast.auditor):
        with pytest.raises(NotYours):
            import_catalogue(path=path, dry_run=True, actor=actor, now=NOW)
