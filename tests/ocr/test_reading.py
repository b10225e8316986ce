"""A page picture becomes text in the order in which a person reads it."""

import numpy as np
import pytest

from ocr.engines.rapidocr import RapidOcr
from ocr.lines import Line
from ocr.reading import PageText, read_page
from tests.ocr.paper import CREDIT, IDENTITY, LETTER, Paper

FORM = [
    [("姓名", "陈志强"), ("性别", "男")],
    [("身份证号", IDENTITY)],
    [("联系电话", "13857512345"), ("出生日期", "1988年7月15日")],
    [("统一社会信用代码", CREDIT)],
]


def rows(page: PageText) -> list[str]:
    return page.text.replace(",", "，").split("\n")


@pytest.mark.parametrize("lies", [0, 90, 180, 270])
@pytest.mark.parametrize("skew", [0.0, 1.8])
def test_every_direction_is_found_and_read(rapid: RapidOcr, lies: int, skew: float) -> None:
    page = read_page(Paper().letter().pixels(lies=lies, skew=skew), rapid)

    assert page.angle == lies
    assert page.slope == pytest.approx(-skew, abs=0.3)
    assert rows(page) == list(LETTER)


def test_boxes_are_in_the_picture_as_stored(rapid: RapidOcr) -> None:
    """The box of the heading, cut out of the turned picture, is where the ink is."""
    pixels = Paper().letter().pixels(lies=90)
    page = read_page(pixels, rapid)

    heading = page.lines[0]
    xs, ys = zip(*heading.box, strict=True)
    cut = pixels[int(min(ys)) : int(max(ys)), int(min(xs)) : int(max(xs))]
    outside = pixels.copy()
    outside[int(min(ys)) : int(max(ys)), int(min(xs)) : int(max(xs))] = 255
    assert (page.width, page.height) == (pixels.shape[1], pixels.shape[0])
    assert cut.min() < 60
    assert heading.text not in read_page(outside, rapid).text


def test_a_form_row_is_one_row(rapid: RapidOcr) -> None:
    page = read_page(Paper().form(FORM).pixels(skew=0.7), rapid)

    assert [row.replace(" ", "") for row in rows(page)] == ["".join(a + b for a, b in row) for row in FORM]
    assert rows(page)[0] == "姓名 陈志强 性别 男"


def test_two_columns_of_prose_are_read_one_after_the_other(rapid: RapidOcr) -> None:
    left = [
        "第一条为规范政务服务跨区",
        "域通办工作制定本办法适用",
        "于本市范围内各级行政审批",
        "服务机构和便民服务中心以",
        "及邻里中心的通办专窗管理",
    ]
    right = [
        "第二条本办法所称跨区域通",
        "办是指申请人可以在异地就",
        "近提交申请材料由属地审批",
        "部门依法作出决定并将结果",
        "以邮寄方式送达申请人本人",
    ]
    paper = Paper().write(600, 200, "管理办法", 56)
    for number, (one, other) in enumerate(zip(left, right, strict=True)):
        paper.write(180, 400 + 80 * number, one, 44).write(900, 400 + 80 * number, other, 44)

    assert rows(read_page(paper.pixels(), rapid)) == ["管理办法", *left, *right]


def test_text_under_a_seal_stays_and_the_seal_is_no_text(rapid: RapidOcr) -> None:
    paper = Paper().letter().seal(560, 500)
    page = read_page(paper.pixels(), rapid)

    assert rows(page) == list(LETTER)
    assert all(
        line.seal
        for line in page.lines
        if line.text not in {*LETTER, *(t.replace("，", ",") for t in LETTER)}
    )


def test_a_red_letterhead_is_text(rapid: RapidOcr) -> None:
    paper = Paper().write(300, 150, "台州市住房和城乡建设局文件", 76, (200, 30, 30)).letter()

    assert rows(read_page(paper.pixels(), rapid))[0] == "台州市住房和城乡建设局文件"


def test_a_blurred_line_is_kept_and_marked(rapid: RapidOcr) -> None:
    pixels = np.asarray(Paper((900, 300)).write(60, 100, "编号三三零六捌壹玖贰", 15).image)
    page = read_page(np.repeat(np.repeat(pixels[::3, ::3], 3, 0), 3, 1), rapid)

    assert page.lines
    assert page.uncertain == len([line for line in page.lines if line.confidence < 0.9]) > 0
    assert page.text


def test_vertical_writing_is_read_and_marked(rapid: RapidOcr) -> None:
    paper = Paper((900, 1400))
    for place, column in enumerate(["是非不得问之人", "要取之已取之时"]):
        for number, letter in enumerate(column):
            paper.write(600 - 200 * place, 100 + 130 * number, letter, 110)
    page = read_page(paper.pixels(), rapid)

    assert page.angle == 0
    assert page.text.split("\n") == ["是非不得问之人", "要取之已取之时"]
    assert all(line.vertical and line.uncertain for line in page.lines)


@pytest.mark.parametrize("pixels", [np.full((400, 300), 255, np.uint8), np.zeros((1, 1), np.uint8)])
def test_an_empty_page_is_no_text(rapid: RapidOcr, pixels: np.ndarray) -> None:
    assert read_page(pixels, rapid) == PageText(0, 0.0, pixels.shape[1], pixels.shape[0], ())


def test_lines_survive_being_stored(rapid: RapidOcr) -> None:
    for line in read_page(Paper().form(FORM).pixels(), rapid).lines:
        again = Line.from_json(line.to_json())
        assert again.text == line.text
        assert (again.row, again.seal, again.uncertain) == (line.row, line.seal, line.uncertain)
        assert again.box_of(0, 1)[0] == pytest.approx(line.box_of(0, 1)[0], abs=0.5)
