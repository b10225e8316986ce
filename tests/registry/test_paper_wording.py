"""Dates and money as official paper writes them."""

from datetime import UTC, date, datetime

import pytest

from registry.paper.wording import day, kilograms, moment, month, yuan, yuan_in_words


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (10, "壹角整"),
        (105, "壹元零伍分"),
        (123450, "壹仟贰佰叁拾肆元伍角整"),
        (100100, "壹仟零壹元整"),
        (1000100, "壹万零壹元整"),
        (10010000, "壹拾万零壹佰元整"),
        (1001000000, "壹仟零壹万元整"),
        (1000010000, "壹仟万零壹佰元整"),
        (10000000100, "壹亿零壹元整"),
        (100000100000, "壹拾亿零壹仟元整"),
        (-1250, "负壹拾贰元伍角整"),
    ],
)
def test_amounts_in_words(fen: int, words: str) -> None:
    assert yuan_in_words(fen) == words


def test_figures() -> None:
    assert [yuan(fen) for fen in (0, 5, -5, 123456789)] == ["0.00", "0.05", "-0.05", "1,234,567.89"]
    assert kilograms(850) == "0.85"


def test_times_are_those_of_shanghai() -> None:
    assert moment(datetime(2026, 3, 10, 17, 30, tzinfo=UTC)) == "2026年3月11日 01:30"
    assert day(date(2026, 12, 1)) == "2026年12月1日"
    assert month("2026-02") == "2026年2月"
    assert day(None) == moment(None) == ""
