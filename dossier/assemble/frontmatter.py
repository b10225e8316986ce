"""The dossier's own pages: cover, contents list and handling record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import qrcode
from qrcode.constants import ERROR_CORRECT_Q

from dossier.assemble.draw import A4, GRAY, RED, FontSet, Sheet, VisibleFont, wrap
from dossier.assemble.writer import Ref, number
from dossier.contents import OFFICE_RECEIPT, RESULT, WINDOW_SEAL, DossierPlan

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEFT, RIGHT = 68.0, A4[0] - 68.0
BOTTOM = A4[1] - 70.0
SEAL_SIZE = 119.0  # 42 mm, the size of an office's seal
RECEIPT_BOX = (96.0, 213.0)
QR_SIZE = 92.0
FOOT = A4[1] - 232.0
"""Where the cover's code and seal begin, from the top."""
SIZES = (12.5, 10.5, 9.0, 8.0, 7.0, 6.0)
PITCH, PADDING, LABEL_WIDTH = 1.45, 0.72, 96.0

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the contents list: heading rows have no number."""

    number: str
    title: str
    page_label: str
    target: Ref
    heading: bool = False


@dataclass(frozen=True, slots=True)
class SealPlace:
    """Where a signature field is drawn: its name, its box in PDF space, what a screen reader says."""

    field: str
    rectangle: Rectangle
    alternative: str


def day(moment: datetime) -> str:
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def cover(plan: DossierPlan, fonts: FontSet, page_count: int) -> tuple[Sheet, SealPlace]:
    """The first page, with the place for the window's seal."""
    sheet = Sheet(fonts)
    sheet.paint(f"{RED} 68 {number(A4[1] - 92)} {number(RIGHT - LEFT)} 2.2 re f")
    sheet.paint(f"{RED} 68 {number(A4[1] - 95.6)} {number(RIGHT - LEFT)} 0.7 re f")
    with sheet.tag("P"):
        sheet.centred(76, "政务服务通办", fonts.body, 13, colour=RED, spacing=6)
    with sheet.tag("H1"):
        sheet.centred(172, "办件卷宗", fonts.title, 38, spacing=16)
    with sheet.tag("P"):
        sheet.centred(206, f"第 {plan.version} 版", fonts.body, 13, colour=GRAY, spacing=1)
    y = _facts(sheet, plan, page_count, top=250)
    return sheet, _cover_foot(sheet, plan, top=max(y + 34, FOOT))


def _facts(sheet: Sheet, plan: DossierPlan, page_count: int, *, top: float) -> float:
    rows = [
        ("办件编号", plan.case_number),
        ("事项", plan.item),
        ("申请人", plan.applicant),
        ("收件窗口", plan.window),
        ("审批部门", plan.office),
        *plan.facts,
        ("卷宗页数", f"共 {page_count} 页"),
    ]
    size, wrapped = _fitted(sheet, [value for _, value in rows], height=FOOT - 34 - top)
    pitch, padding = size * PITCH, size * PADDING
    y = top
    for (label, _), lines in zip(rows, wrapped, strict=True):
        sheet.line(LEFT, y, RIGHT, y)
        baseline = y + padding + size * 0.88
        with sheet.tag("P"):
            spread = size * (4 - len(label)) / (len(label) - 1) if len(label) in (2, 3) else 0
            sheet.text(LEFT + 4, baseline, label, sheet.fonts.body, size, colour=GRAY, spacing=spread)
            for index, line in enumerate(lines):
                sheet.text(LEFT + LABEL_WIDTH, baseline + index * pitch, line, sheet.fonts.body, size)
        y += 2 * padding + size + (len(lines) - 1) * pitch
    sheet.line(LEFT, y, RIGHT, y)
    return y


def _fitted(sheet: Sheet, values: Sequence[str], *, height: float) -> tuple[float, list[list[str]]]:
    """The largest size at which all rows stand above the foot of the cover, and their lines at that size."""
    for size in SIZES:
        lines = [wrap(value, sheet.fonts.body, size, RIGHT - LEFT - LABEL_WIDTH - 8) for value in values]
        if sum(2 * PADDING * size + size + (len(each) - 1) * PITCH * size for each in lines) <= height:
            break
    return size, lines


def _cover_foot(sheet: Sheet, plan: DossierPlan, *, top: float) -> SealPlace:
    with sheet.tag("Figure"):
        sheet.paint(qr_operators(plan.qr_text, x=LEFT, y=A4[1] - top - QR_SIZE, size=QR_SIZE))
    with sheet.tag("P"):
        sheet.text(LEFT, top + QR_SIZE + 15, "扫码核对本卷宗", sheet.fonts.small, 8.5, colour=GRAY)
    centre = RIGHT - 92
    font = sheet.fonts.body
    holder = wrap(plan.window, font, 12.5, 190)
    y = top + 46
    with sheet.tag("P"):
        for line in [*holder, day(plan.made_at)]:
            sheet.text(centre - font.width(line, 12.5) / 2, y, line, font, 12.5)
            y += 25
    middle = A4[1] - (top + 46 + (y - top - 46) / 2 - 14)
    half = SEAL_SIZE / 2
    return SealPlace(
        WINDOW_SEAL, (centre - half, middle - half, centre + half, middle + half), f"{plan.window}电子印章"
    )


def contents_list(entries: Sequence[Entry], fonts: FontSet) -> list[Sheet]:
    """The contents with page numbers; every row is a link. Long names wrap."""
    sheets: list[Sheet] = []
    y = BOTTOM + 1
    for entry in entries:
        font = fonts.title if entry.heading else fonts.body
        size = 12.0 if entry.heading else 11.0
        indent = LEFT if entry.heading else LEFT + 34
        lines = wrap(entry.title, font, size, RIGHT - 62 - indent)
        height = len(lines) * 18 + (12 if entry.heading else 6)
        if y + height > BOTTOM:
            sheets.append(_titled(fonts, "目录" if not sheets else "目录（续）"))
            y = 142.0
        _contents_row(sheets[-1], entry, lines, font=font, size=size, indent=indent, y=y, height=height)
        y += height
    return sheets


def _contents_row(
    sheet: Sheet,
    entry: Entry,
    lines: list[str],
    *,
    font: VisibleFont,
    size: float,
    indent: float,
    y: float,
    height: float,
) -> None:
    baseline = y + (20 if entry.heading else 14)
    rectangle = (LEFT, A4[1] - y - height + 2, RIGHT, A4[1] - y)
    with sheet.tag("Link", link=(rectangle, entry.target, entry.title)):
        if entry.number:
            sheet.text(LEFT + 4, baseline, entry.number, font, size, colour=GRAY)
        for index, line in enumerate(lines):
            sheet.text(indent, baseline + index * 18, line, font, size)
        label_x = RIGHT - 4 - font.width(entry.page_label, size)
        sheet.text(label_x, baseline + (len(lines) - 1) * 18, entry.page_label, font, size)
    start = indent + font.width(lines[-1], size) + 6
    if start < label_x - 8:
        dots = (
            f"0.6 G 0.6 w [0.6 3.4] 0 d {number(start)} {number(A4[1] - baseline - (len(lines) - 1) * 18)} m "
        )
        sheet.paint(f"q {dots}{number(label_x - 6)} {number(A4[1] - baseline - (len(lines) - 1) * 18)} l S Q")


def handling_record(plan: DossierPlan, fonts: FontSet) -> tuple[list[Sheet], list[SealPlace]]:
    """What happened to the case so far, and the places for the office's signatures."""
    sheets = [_titled(fonts, "办理记录")]
    y = _record_head(sheets[-1], 132.0)
    for entry in plan.record:
        lines = wrap(entry.text, fonts.body, 10.5, RIGHT - LEFT - 244)
        actors = wrap(entry.actor, fonts.body, 10.5, 112)
        height = max(len(lines), len(actors)) * 16 + 10
        if y + height > BOTTOM:
            sheets.append(_titled(fonts, "办理记录（续）"))
            y = _record_head(sheets[-1], 132.0)
        sheet = sheets[-1]
        with sheet.tag("P"):
            moment = entry.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
            sheet.text(LEFT + 4, y + 16, moment, fonts.body, 10.5)
            for index, line in enumerate(actors):
                sheet.text(LEFT + 118, y + 16 + index * 16, line, fonts.body, 10.5)
            for index, line in enumerate(lines):
                sheet.text(LEFT + 240, y + 16 + index * 16, line, fonts.body, 10.5)
        y += height
        sheet.line(LEFT, y, RIGHT, y, colour="0.8 G")
    if y + RECEIPT_BOX[0] + 60 > BOTTOM:
        sheets.append(_titled(fonts, "办理记录（续）"))
        y = 120.0
    return sheets, _receipt_boxes(sheets[-1], plan, y + 36)


def _record_head(sheet: Sheet, y: float) -> float:
    sheet.line(LEFT, y, RIGHT, y, width=0.9, colour="0.25 G")
    with sheet.tag("P"):
        for x, label in ((LEFT + 4, "时间"), (LEFT + 118, "经办"), (LEFT + 240, "事由")):
            sheet.text(x, y + 15.5, label, sheet.fonts.title, 10.5)
    sheet.line(LEFT, y + 24, RIGHT, y + 24, colour="0.25 G")
    return y + 24


def _receipt_boxes(sheet: Sheet, plan: DossierPlan, top: float) -> list[SealPlace]:
    height, width = RECEIPT_BOX
    places = []
    for x, label, name in (
        (LEFT, "审批部门签收", OFFICE_RECEIPT),
        (RIGHT - width, "办理结果确认", RESULT),
    ):
        with sheet.tag("P"):
            sheet.text(x + 2, top - 6, label, sheet.fonts.body, 10.5, colour=GRAY)
        sheet.box(x, top, width, height)
        inset = 2.0
        bottom = A4[1] - top - height + inset
        places.append(
            SealPlace(
                name, (x + inset, bottom, x + width - inset, A4[1] - top - inset), f"{plan.office}{label}"
            )
        )
    return places


def _titled(fonts: FontSet, title: str) -> Sheet:
    sheet = Sheet(fonts)
    with sheet.tag("H1"):
        sheet.centred(102, title, fonts.title, 20, spacing=8 if len(title) == 2 else 2)
    return sheet


def qr_operators(text: str, *, x: float, y: float, size: float) -> str:
    """A QR code as filled squares, rows merged into runs; error correction Q."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    module = size / len(matrix)
    parts = ["0 g"]
    for row, cells in enumerate(matrix):
        column = 0
        while column < len(cells):
            start = column
            while column < len(cells) and cells[column]:
                column += 1
            if column > start:
                place = (x + start * module, y + size - (row + 1) * module, (column - start) * module, module)
                parts.append(" ".join(number(value) for value in place) + " re")
            column += 1
    return " ".join([*parts, "f"])
