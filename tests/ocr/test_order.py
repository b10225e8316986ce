"""Rows, columns and directions, from boxes alone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.engines.direction import find_direction, turned
from ocr.lines import Box, Line, as_box, direction_of, height_of, length_of, part_of
from ocr.order import in_reading_order, page_direction, row_text


def at(x: float, y: float, text: str, *, size: float = 20, degrees: float = 0) -> Line:
    """A line on a page that was turned about its origin by `degrees` counter-clockwise."""
    corners = [(x, y), (x + size * len(text), y), (x + size * len(text), y + size), (x, y + size)]
    turn = math.radians(-degrees)
    box = as_box(
        (a * math.cos(turn) - b * math.sin(turn), a * math.sin(turn) + b * math.cos(turn)) for a, b in corners
    )
    return Line(text, box, 0.99)


def texts(lines: list[Line]) -> list[str]:
    ordered = in_reading_order(lines)
    rows = {line.row: [other for other in ordered if other.row == line.row] for line in ordered}
    return [row_text(row) for row in rows.values()]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 2.5, 88, 181.5, 267])
def test_rows_follow_the_page_however_it_lies(degrees: float) -> None:
    lines = [
        at(100 + 300 * column, 100 + 60 * row, f"第{row}行第{column}格", degrees=degrees)
        for row in range(4)
        for column in range(3)
    ]

    assert texts(lines[::-1]) == [
        " ".join(f"第{row}行第{column}格" for column in range(3)) for row in range(4)
    ]
    assert page_direction(lines)[0] == round(degrees / 90) * 90 % 360


@given(st.permutations(range(6)))
def test_the_order_found_does_not_depend_on_the_order_given(order: list[int]) -> None:
    lines = [at(100, 100 + 50 * number, f"第{number}行文字内容") for number in range(6)]

    assert texts([lines[number] for number in order]) == [line.text for line in lines]


def test_columns_of_prose_but_not_of_a_table() -> None:
    prose = [at(left, 100 + 40 * n, "连续文字" * 4, size=20) for left in (50, 500) for n in range(5)]
    assert [line.box[0][0] for line in in_reading_order(prose)] == [50] * 5 + [500] * 5

    table = [at(left, 100 + 40 * n, "格" * (2 + n), size=20) for left in (50, 500) for n in range(5)]
    assert [line.box[0][0] for line in in_reading_order(table)] == [50, 500] * 5


def test_touching_parts_of_a_line_are_joined_without_a_space() -> None:
    assert texts([at(100, 100, "被印章断开的"), at(225, 101, "一行文字"), at(400, 100, "另一格")]) == [
        "被印章断开的一行文字 另一格"
    ]


def test_a_page_without_lines_stands_upright() -> None:
    assert page_direction([]) == (0, 0.0)
    assert in_reading_order([]) == []


def test_a_box_turned_four_times_is_itself() -> None:
    box = at(10, 20, "文字").box

    assert turned(turned(turned(turned(box, 90), 90), 90), 90) == box
    assert turned(box, 180)[0] == box[2]
    assert direction_of(turned(box, 90)) == pytest.approx((0, -1))


def test_direction_needs_few_samples_and_hands_their_lines_on() -> None:
    """Lines are clear one way and murmur the other way: two samples decide, of twenty."""
    boxes = [at(100, 60 * n, "一二三四五六七").box for n in range(20)]
    asked: list[Box] = []

    def read(box: Box) -> Line:
        asked.append(box)
        clear = direction_of(box)[0] < 0
        return Line("一二三四五六七八", box, 0.98 if clear else 0.4)

    found = find_direction(boxes, read)

    assert found.angle == 180
    assert len(asked) == 4
    assert len(found.lines) == 2
    assert all(line.confidence == 0.98 for line in found.lines.values())


def test_lengths_and_parts_of_a_box() -> None:
    box = at(10, 20, "文字文字").box

    assert (length_of(box), height_of(box)) == (80, 20)
    assert part_of(box, 0.25, 0.5)[:2] == ((30, 20), (50, 20))
