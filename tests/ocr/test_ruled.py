"""What stands in one cell of a table is read together, and a table without sound rules is read as before."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocr.fields import Kind, find_fields
from ocr.lines import Angle, Line, as_box
from ocr.order import FindCells, in_reading_order, row_text
from ocr.red import Pixels
from ocr.ruled import find_cells
from tests.ocr.paper import CREDIT

SIZE = (1654, 2339)
COLUMNS, ROWS = (150, 450, 900, 1500), (300, 460, 620, 780)

Text = tuple[str, float, float]
"""What stands where: text, left, top."""

WRAPPED: list[Text] = [
    ("序号", 170, 360), ("事项名称", 470, 360), ("统一社会信用代码", 920, 360),
    ("1", 170, 520), ("建筑业企业资质", 470, 490), ("证书变更", 470, 550), (CREDIT[:11], 920, 490), (CREDIT[11:], 920, 550),
    ("2", 170, 640), ("户口迁移", 470, 640), ("无", 920, 730),
]  # fmt: skip
READ = ["序号 事项名称 统一社会信用代码", f"1 建筑业企业资质证书变更 {CREDIT}", "2 户口迁移 无"]


def drawn(*, open_at: int | None = None) -> Image.Image:
    """A table of three rows and three columns; the rule left of one row may be missing."""
    image = Image.new("L", SIZE, 248)
    draw = ImageDraw.Draw(image)
    for y in ROWS:
        draw.line((COLUMNS[0], y, COLUMNS[-1], y), fill=40, width=3)
    for x in COLUMNS:
        for top, bottom in itertools.pairwise(ROWS):
            if top != open_at:
                draw.line((x, top, x, bottom), fill=40, width=3)
    return image


def scanned(
    texts: Sequence[Text], image: Image.Image, *, lies: int = 0, skew: float = 0.0
) -> tuple[list[Line], Pixels]:
    """The lines and the picture of a page that fell by `skew` degrees to the left and must be turned by `lies`."""
    pixels = np.asarray(image.rotate(skew, Image.Resampling.BICUBIC, fillcolor=248))
    turn = math.radians(-skew)
    middle = SIZE[0] / 2, SIZE[1] / 2

    def place(x: float, y: float) -> tuple[float, float]:
        a, b = x - middle[0], y - middle[1]
        x, y = (a * math.cos(turn) - b * math.sin(turn), a * math.sin(turn) + b * math.cos(turn))
        x, y = x + middle[0], y + middle[1]
        for _ in range(lies // 90):
            x, y = y, (SIZE[0] if _ % 2 == 0 else SIZE[1]) - x
        return x, y

    lines = []
    for text, left, top in texts:
        right, bottom = left + 36 * len(text), top + 40
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        lines.append(Line(text, as_box(place(x, y) for x, y in corners), 0.99))
    return lines, np.ascontiguousarray(np.rot90(pixels, lies // 90))


def cells_in(pixels: Pixels) -> FindCells:
    def find(angle: Angle, slope: float) -> list[tuple[float, float, float, float]]:
        return find_cells(pixels, angle, slope)

    return find


def rows(lines: list[Line], pixels: Pixels) -> list[str]:
    ordered = in_reading_order(lines, cells_in(pixels))
    numbers = sorted({line.row for line in ordered})
    return [row_text([line for line in ordered if line.row == number]) for number in numbers]


@pytest.mark.parametrize("lies", [0, 90, 180, 270])
@pytest.mark.parametrize("skew", [0.0, 1.7, -1.7])
def test_a_wrapped_value_stays_in_its_row_however_the_page_lies(lies: int, skew: float) -> None:
    assert rows(*scanned(WRAPPED, drawn(), lies=lies, skew=skew)) == READ


def test_a_number_wrapped_in_its_cell_is_found() -> None:
    lines, pixels = scanned(WRAPPED, drawn())
    ordered = in_reading_order(lines, cells_in(pixels))
    (code,) = [field for field in find_fields(ordered) if field.kind == Kind.CREDIT_CODE]
    assert (code.value, code.certain) == (CREDIT, True)
    assert code.box == ordered[code.line].box


def test_running_text_beside_its_label_follows_it_row_by_row() -> None:
    texts = [("申请理由", 170, 520)] + [(f"第{n}行理由", 470, 466 + 30 * n) for n in range(5)]
    assert rows(*scanned(texts, drawn())) == ["申请理由 第0行理由", *(f"第{n}行理由" for n in range(1, 5))]


def test_a_cell_over_several_rows_is_read_with_the_first() -> None:
    image = Image.new("L", SIZE, 248)
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 300, 1500, 620), outline=40, width=3)
    draw.line((450, 300, 450, 620), fill=40, width=3)
    draw.line((450, 460, 1500, 460), fill=40, width=3)
    texts = [("申请人", 170, 440), ("姓名", 470, 360), ("住址", 470, 520)]
    assert rows(*scanned(texts, image)) == ["申请人 姓名", "住址"]


def test_a_frame_around_text_changes_nothing() -> None:
    image = Image.new("L", SIZE, 248)
    ImageDraw.Draw(image).rectangle((150, 300, 1500, 900), outline=40, width=3)
    texts = [(f"第{n}行文字内容", 200, 320 + 60 * n) for n in range(8)]
    assert rows(*scanned(texts, image)) == [text for text, _, _ in texts]


def test_where_rules_are_missing_rows_are_read_as_they_stand() -> None:
    lines, pixels = scanned(WRAPPED, drawn(open_at=460))
    assert len(find_cells(pixels, 0, 0.0)) == 6
    assert rows(lines, pixels)[0] == READ[0]
    assert sorted("".join(rows(lines, pixels)).replace(" ", "")) == sorted("".join(t for t, _, _ in WRAPPED))


def test_no_line_is_lost_on_a_page_of_noise() -> None:
    noise = np.random.default_rng(7).integers(0, 256, SIZE[::-1], np.uint8)
    lines, _ = scanned(WRAPPED, drawn())
    assert sorted(line.text for line in in_reading_order(lines, cells_in(noise))) == sorted(
        text for text, _, _ in WRAPPED
    )
    assert find_cells(np.full((30, 30), 200, np.uint8), 0, 0.0) == []


def test_rules_are_not_looked_for_where_nothing_stands_side_by_side() -> None:
    def find(angle: Angle, slope: float) -> list[tuple[float, float, float, float]]:
        raise AssertionError

    lines, _ = scanned([(f"第{n}行文字内容", 200, 320 + 60 * n) for n in range(8)], drawn())
    assert len(in_reading_order(lines, find)) == 8
