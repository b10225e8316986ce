"""Money is exact: what goes in comes out, and shares add up to the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.rules.money import NotMoney, fen_of, permille_of, split_by, split_evenly, yuan

FEN = st.integers(-(10**12), 10**12)


@given(FEN)
def test_fen_survive_the_way_through_text(fen: int) -> None:
    assert fen_of(yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("12.3", 1230),
        ("￥1,234.50", 123450),
        ("¥ 8", 800),
        ("(0.80)", -80),
        ("-3 元", -300),
        ("１２．３０", 1230),
        ("0.30000000000000004", 30),
        ("1.2E1", 1200),
        ("−5", -500),
    ],
)
def test_reads_what_couriers_write(text: str, fen: int) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text", ["", "十二元", "1,23.4", "12.345", "nan", "Infinity", "1e99", "=1+1", "12 34", "(-3)"]
)
def test_refuses_what_is_no_exact_amount(text: str) -> None:
    with pytest.raises(NotMoney):
        fen_of(text)


@given(FEN, st.integers(1, 40))
def test_equal_shares_sum_to_the_whole_and_differ_only_in_the_first(total: int, parts: int) -> None:
    shares = split_evenly(total, parts)
    assert sum(shares) == total
    assert len(set(shares[1:])) <= 1
    if parts > 1:
        assert 0 <= abs(shares[0]) - abs(shares[1]) < parts


@given(FEN, st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_weighted_shares_sum_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(split_by(total, weights)) == total


@given(FEN, st.integers(0, 1000))
def test_a_part_in_thousand_is_never_more_than_the_whole(fen: int, permille: int) -> None:
    assert abs(permille_of(fen, permille)) <= abs(fen)
    assert abs(permille_of(fen, permille) * 1000 - fen * permille) <= 500
