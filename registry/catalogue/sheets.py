"""The catalogue as tables: 事项, 责任部门, 材料, 审查要点; read with every row's fault, written in the same form."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from registry.rules.catalogue import Entry, Paper, Responsible, yes_word
from registry.rules.questionnaire import Point
from registry.sheets.forms import (
    Fault,
    Faults,
    Line,
    at_most,
    day_of,
    labelled,
    read_forms,
    whole_between,
    yes_or_no,
)
from registry.sheets.limits import Limits
from registry.sheets.workbooks import Sheet, make_workbook, safe_text
from registry.terms import Mode, Scope
from storage.errors import Refused

LIMITS = Limits(file_bytes=32 << 20, unpacked_bytes=256 << 20, rows=100_000, columns=40)
ITEMS, OFFICES, PAPERS, POINTS = "事项", "责任部门", "材料", "审查要点"
HEADERS: Mapping[str, tuple[str, ...]] = {
    ITEMS: (
        "事项编码",
        "事项名称",
        "清单所属区划",
        "通办范围",
        "批次",
        "牵头单位",
        "应用场景",
        "生效日期",
        "失效日期",
        "负面清单",
        "办理模式",
        "网办星级",
        "统一平台",
        "承诺时限",
        "依据",
    ),
    OFFICES: ("事项编码", "部门代码", "联络员", "联系电话"),
    PAPERS: (
        "事项编码",
        "材料名称",
        "形式",
        "须寄送",
        "最少页数",
        "必要",
        "可容缺",
        "可数据共享",
        "有效期规则",
        "应含要素",
    ),
    POINTS: ("事项编码", "要点编号", "问题", "应答"),
}
_WIDTHS: Mapping[str, tuple[int, ...]] = {
    ITEMS: (16, 36, 14, 18, 22, 22, 48),
    OFFICES: (16, 20, 12, 18),
    PAPERS: (16, 28, 10, 10, 10),
    POINTS: (16, 12, 60, 8),
}
_FORMS = {"原件": True, "复印件": False}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_.]{0,39}")
_NOBODY = date(2000, 1, 1)


@dataclass(frozen=True)
class ItemRow:
    """One row of 事项 and what the other tables say of the item; None where a table is not in the file."""

    row: int
    entry: Entry
    offices_told: bool
    papers_told: bool
    points_told: bool
    office_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reading:
    rows: tuple[ItemRow, ...]
    faults: tuple[Fault, ...]


def read_catalogue(path: Path) -> Reading:
    """Read a workbook, or a CSV with the tables below each other, wholly. Raises UnreadableSheet for what is no table."""
    faults = Faults()
    tables = read_forms(path, HEADERS, LIMITS)
    if ITEMS not in tables:
        faults.note(ITEMS, 0, "", f"没有找到“{ITEMS}”表，表头应为：{'、'.join(HEADERS[ITEMS])}。")
    lines = tables.get(ITEMS, [])
    known = _known(lines, faults)
    offices = _grouped(tables.get(OFFICES, ()), known, faults)
    papers = _grouped(tables.get(PAPERS, ()), known, faults)
    points = _grouped(tables.get(POINTS, ()), known, faults)
    rows = []
    for line in lines:
        code = line.cells["事项编码"]
        entry = _entry(
            line,
            tuple(_office(each, faults) for each in offices.get(code, ())),
            tuple(_paper(each, faults) for each in papers.get(code, ())),
            tuple(_point(each, faults) for each in points.get(code, ())),
            faults,
        )
        rows.append(
            ItemRow(
                row=line.row,
                entry=entry,
                offices_told=OFFICES in tables,
                papers_told=PAPERS in tables,
                points_told=POINTS in tables,
                office_rows=tuple(each.row for each in offices.get(code, ())),
            )
        )
    _twice(points, "要点编号", faults)
    _twice(papers, "材料名称", faults)
    return Reading(tuple(rows), tuple(faults.found))


def catalogue_workbook(entries: Sequence[Entry], *, made_at: datetime) -> bytes:
    """The same form that `read_catalogue` reads."""
    return make_workbook(
        [
            Sheet(name, [HEADERS[name], *rows], widths=_WIDTHS[name])
            for name, rows in _tables(entries).items()
        ],
        made_at=made_at,
    )


def catalogue_csv(entries: Sequence[Entry]) -> bytes:
    """The same tables as CSV, one below the other with a line between (UTF-8 with a mark that spreadsheets need)."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, rows in _tables(entries).items():
        if name != ITEMS:
            writer.writerow(())
        writer.writerow(HEADERS[name])
        writer.writerows([safe_text(str(cell)) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _tables(entries: Sequence[Entry]) -> dict[str, Iterable[tuple[object, ...]]]:
    return {
        ITEMS: map(_item_cells, entries),
        OFFICES: _office_cells(entries),
        PAPERS: _paper_cells(entries),
        POINTS: _point_cells(entries),
    }


def _known(lines: Sequence[Line], faults: Faults) -> set[str]:
    first: dict[str, int] = {}
    for line in lines:
        code = line.cells["事项编码"]
        if not _CODE.fullmatch(code):
            faults.note(ITEMS, line.row, "事项编码", f"“{code[:20]}”应为字母、数字和连字符，至多 40 位。")
        elif code in first:
            faults.note(ITEMS, line.row, "事项编码", f"与第 {first[code]} 行重复。")
        first.setdefault(code, line.row)
    return set(first)


def _grouped(lines: Iterable[Line], known: set[str], faults: Faults) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        code = line.cells["事项编码"]
        if code not in known:
            faults.note(line.sheet, line.row, "事项编码", f"“{code[:40]}”不在“{ITEMS}”表里。")
        groups.setdefault(code, []).append(line)
    return groups


def _twice(groups: Mapping[str, Sequence[Line]], column: str, faults: Faults) -> None:
    for lines in groups.values():
        first: dict[str, int] = {}
        for line in lines:
            name = line.cells[column]
            if name in first:
                faults.note(line.sheet, line.row, column, f"与第 {first[name]} 行的“{name[:20]}”重复。")
            first.setdefault(name, line.row)


def _entry(
    line: Line,
    offices: tuple[Responsible, ...],
    papers: tuple[Paper, ...],
    points: tuple[Point, ...],
    faults: Faults,
) -> Entry:
    def text(column: str, length: int, *, needed: bool = False) -> str:
        return faults.cell(line, column, at_most(length, needed=needed), otherwise="")

    return Entry(
        code=line.cells["事项编码"],
        name=text("事项名称", 200, needed=True),
        region=text("清单所属区划", 9, needed=True).removesuffix(".0"),
        scope=faults.cell(line, "通办范围", lambda cell: labelled(Scope, cell), otherwise=Scope.CITY).value,
        batch=text("批次", 60),
        lead_department=text("牵头单位", 60),
        scenario=text("应用场景", 2000),
        effective_from=faults.cell(line, "生效日期", day_of, otherwise=_NOBODY),
        effective_to=faults.cell(
            line, "失效日期", lambda cell: day_of(cell) if cell else None, otherwise=None
        ),
        negative=faults.cell(line, "负面清单", yes_or_no, otherwise=False),
        modes=faults.cell(line, "办理模式", _modes, otherwise=()),
        stars=faults.cell(line, "网办星级", whole_between(1, 5), otherwise=3),
        unified_platform=faults.cell(line, "统一平台", yes_or_no, otherwise=True),
        promised_days=faults.cell(line, "承诺时限", whole_between(0, 999), otherwise=0),
        source=text("依据", 200),
        offices=offices,
        papers=papers,
        points=points,
    )


def _modes(text: str) -> tuple[str, ...]:
    words = [word for word in re.split(r"[、,，;；\s]+", text) if word]
    return tuple(labelled(Mode, word).value for word in words)


def _office(line: Line, faults: Faults) -> Responsible:
    return Responsible(
        office=faults.cell(line, "部门代码", at_most(60, needed=True), otherwise=""),
        contact=faults.cell(line, "联络员", at_most(40, needed=True), otherwise="—"),
        phone=faults.cell(line, "联系电话", at_most(40, needed=True), otherwise="—"),
    )


def _paper(line: Line, faults: Faults) -> Paper:
    fields = faults.cell(line, "应含要素", at_most(400), otherwise="")
    return Paper(
        name=faults.cell(line, "材料名称", at_most(100, needed=True), otherwise=""),
        original=faults.cell(line, "形式", _form, otherwise=False),
        mailed=faults.cell(line, "须寄送", yes_or_no, otherwise=False),
        minimum_pages=faults.cell(line, "最少页数", whole_between(0, 500), otherwise=1),
        required=faults.cell(line, "必要", yes_or_no, otherwise=True),
        deferrable=faults.cell(line, "可容缺", yes_or_no, otherwise=False),
        shared_data=faults.cell(line, "可数据共享", yes_or_no, otherwise=False),
        validity_rule=faults.cell(line, "有效期规则", at_most(100), otherwise=""),
        expected_fields=tuple(word for word in re.split(r"[、,，\s]+", fields) if word),
    )


def _form(text: str) -> bool:
    if text not in _FORMS:
        raise Refused("bad_form", f"“{text[:20]}”应为“原件”或“复印件”。")
    return _FORMS[text]


def _point(line: Line, faults: Faults) -> Point:
    return Point(
        code=faults.cell(line, "要点编号", at_most(40, needed=True), otherwise=""),
        question=faults.cell(line, "问题", at_most(200, needed=True), otherwise=""),
        expect=faults.cell(line, "应答", yes_or_no, otherwise=True),
    )


def _item_cells(entry: Entry) -> tuple[object, ...]:
    return (
        entry.code,
        entry.name,
        entry.region,
        Scope(entry.scope).label,
        entry.batch,
        entry.lead_department,
        entry.scenario,
        entry.effective_from.isoformat(),
        entry.effective_to.isoformat() if entry.effective_to else "",
        yes_word(entry.negative),
        "、".join(Mode(mode).label for mode in entry.modes),
        entry.stars,
        yes_word(entry.unified_platform),
        entry.promised_days,
        entry.source,
    )


def _office_cells(entries: Iterable[Entry]) -> Iterator[tuple[object, ...]]:
    for entry in entries:
        for row in entry.offices:
            yield (entry.code, row.office, row.contact, row.phone)


def _paper_cells(entries: Iterable[Entry]) -> Iterator[tuple[object, ...]]:
    for entry in entries:
        for paper in entry.papers:
            yield (
                entry.code,
                paper.name,
                "原件" if paper.original else "复印件",
                yes_word(paper.mailed),
                paper.minimum_pages,
                yes_word(paper.required),
                yes_word(paper.deferrable),
                yes_word(paper.shared_data),
                paper.validity_rule,
                "、".join(paper.expected_fields),
            )


def _point_cells(entries: Iterable[Entry]) -> Iterator[tuple[object, ...]]:
    for entry in entries:
        for point in entry.points:
            yield (entry.code, point.code, point.question, yes_word(point.expect))
