"""Charts: every value stands beside its bar as text, drawings repeat byte for byte, nothing active is inside."""

from xml.etree import ElementTree as ET

import pytest

from registry.charts import Column, bars, columns


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d} 元"


def texts(svg: bytes) -> list[str]:
    root = ET.fromstring(svg)
    return ["".join(element.itertext()).strip() for element in root.iter() if element.tag.endswith("}text")]


def test_bars_carry_their_labels_and_values_as_text() -> None:
    drawn = bars([("台州市住房和城乡建设局", 1100), ("公安局", 0)], shown=yuan)
    found = texts(drawn)
    assert {"台州市住房和城乡建设局", "公安局", "11.00 元", "0.00 元"} <= set(found)
    assert b"<script" not in drawn
    assert b"prefers-color-scheme: dark" in drawn


def test_a_year_runs_up_to_what_was_spent_and_on_to_what_is_expected() -> None:
    rows = [Column("1 月", 100, 100), Column("2 月", 250, 250), Column("3 月", 0, 200)]
    found = texts(columns(rows, shown=yuan, limit=("预算", 500)))
    assert {"1 月", "2 月", "3 月", "3.50 元", "预计 5.50 元", "预算 5.00 元"} <= set(found)


def test_the_same_table_gives_the_same_bytes() -> None:
    rows = [Column("1 月", 1, 1), Column("2 月", 0, 3)]
    assert columns(rows, shown=yuan) == columns(rows, shown=yuan)
    assert bars([("a", 5)], shown=yuan) == bars([("a", 5)], shown=yuan)


def test_an_empty_year_is_drawn_and_nothing_is_not() -> None:
    assert "0.00 元" not in texts(columns([Column("1 月", 0, 0)], shown=yuan))
    with pytest.raises(ValueError, match="something to draw"):
        bars([], shown=yuan)
