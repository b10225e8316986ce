"""What may be wrong with one waybill's lines, and what is at stake, without a database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from logistics.rules.checks import (
    Billed,
    Code,
    Facts,
    Finding,
    Period,
    Totals,
    check_totals,
    check_waybill,
    stake_of,
    unmatched_credits,
)
from logistics.rules.disputes import MOVES, DiscrepancyState, NotAllowed, check_move, check_reason

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def price(weight_g: int) -> Mapping[str, int]:
    """Ten yuan for the first kilogram, two for each further one; one for 到付."""
    freight = 1000 + 200 * max(0, -(-(weight_g - 1000) // 1000))
    return {"freight": freight, "collect": 100, "total": freight + 100}


FACTS = Facts(
    waybill="A1",
    account="台州 ****0001",
    term="collect",
    charged_weight_g=500,
    price=price,
    tolerance_g=50,
    handed_over_on=date(2026, 3, 10),
    delivered_at=datetime(2026, 3, 12, 2, tzinfo=UTC),
    promised_at=datetime(2026, 3, 13, 2, tzinfo=UTC),
    late_refund_permille=500,
)
LINE = Billed(
    row=2,
    waybill="A1",
    amount_fen=1100,
    weight_g=500,
    term="collect",
    account="台州 ****0001",
    posted_on=date(2026, 3, 10),
    period=("2026-03", "b"),
)


def found(
    *lines: Billed, facts: Facts | None = FACTS, earlier: tuple[Billed, ...] = ()
) -> list[tuple[Code, int]]:
    return [(one.code, one.stake_fen) for one in check_waybill(lines, facts, earlier, MARCH)]


def test_a_right_line_has_no_findings() -> None:
    assert found(LINE) == []


@pytest.mark.parametrize(
    ("line", "facts", "expected"),
    [
        (LINE, None, (Code.UNKNOWN_WAYBILL, 1100)),
        (LINE, replace(FACTS, cancelled_on=date(2026, 3, 11)), (Code.CANCELLED_LABEL, 1100)),
        (LINE, replace(FACTS, cancelled_on=date(2026, 3, 9)), (Code.FEE_AFTER_CANCELLATION, 1100)),
        (replace(LINE, kind="cancellation"), replace(FACTS, cancelled_on=date(2026, 3, 11)), (Code.FEE_AFTER_CANCELLATION, 1100)),
        (replace(LINE, account="温岭 ****0002"), FACTS, (Code.WRONG_ACCOUNT, 1100)),
        (replace(LINE, term="sender_monthly"), FACTS, (Code.WRONG_TERM, 1100)),
        (replace(LINE, weight_g=2500, amount_fen=1500), FACTS, (Code.OVERWEIGHT, 400)),
        (replace(LINE, weight_g=2500), FACTS, (Code.OVERWEIGHT, 0)),
        (replace(LINE, amount_fen=1250), FACTS, (Code.WRONG_AMOUNT, 150)),
        (replace(LINE, amount_fen=1000), FACTS, (Code.WRONG_AMOUNT, 0)),
        (LINE, replace(FACTS, delivered_at=None), (Code.NOT_DELIVERED, 1100)),
        (LINE, replace(FACTS, delivered_at=None, handed_over_on=None), (Code.NOT_DELIVERED, 1100)),
        (LINE, replace(FACTS, lost_on=date(2026, 3, 15)), (Code.LOST_NOT_REFUNDED, 1100)),
        (LINE, replace(FACTS, delivered_at=datetime(2026, 3, 14, tzinfo=UTC)), (Code.LATE_REFUND_RIGHT, 550)),
        (replace(LINE, currency="USD"), FACTS, (Code.WRONG_CURRENCY, 1100)),
        (replace(LINE, freight_fen=1000, other_fen=50), FACTS, (Code.ARITHMETIC, 50)),
    ],
)  # fmt: skip
def test_each_fault_is_found_alone_with_its_stake(
    line: Billed, facts: Facts | None, expected: tuple[Code, int]
) -> None:
    assert found(line, facts=facts) == [expected]


def test_a_late_delivery_is_told_in_the_time_of_the_hall() -> None:
    late = replace(FACTS, delivered_at=datetime(2026, 3, 13, 18, 5, tzinfo=UTC))
    (finding,) = check_waybill([LINE], late, (), MARCH)
    assert (finding.ours, finding.theirs) == (
        "应于 2026-03-13 10:00 前妥投",
        "2026-03-14 02:05 妥投，未退费",
    )


def test_within_tolerance_is_not_overweight() -> None:
    assert found(replace(LINE, weight_g=550)) == []
    assert found(replace(LINE, weight_g=551)) == [(Code.OVERWEIGHT, 0)]


def test_what_the_weight_explains_is_not_counted_twice() -> None:
    line = replace(LINE, weight_g=2500, amount_fen=1600)
    assert found(line) == [(Code.OVERWEIGHT, 400), (Code.WRONG_AMOUNT, 100)]


@pytest.mark.parametrize(("term", "more"), [("sender_cash", []), ("", []), ("collect", [Code.WRONG_TERM])])
def test_where_the_applicant_paid_a_line_is_a_difference_and_only_that(term: str, more: list[Code]) -> None:
    """Never weighed by us and never seen to arrive: no further findings about weight and service."""
    facts = replace(
        FACTS, term="sender_cash", charged_weight_g=None, price=None, delivered_at=None, promised_at=None,
        handed_over_on=date(2026, 1, 10), nothing_due=True,
    )  # fmt: skip
    line = replace(LINE, term=term, weight_g=9000)
    assert found(line, facts=facts) == [(code, 1100) for code in [Code.WRONG_AMOUNT, *more]]
    credited = replace(LINE, term=term, row=3, amount_fen=-1100)
    assert found(line, credited, facts=facts) == []


def test_a_parcel_of_the_last_days_may_still_be_on_its_way() -> None:
    assert found(LINE, facts=replace(FACTS, delivered_at=None, handed_over_on=date(2026, 3, 28))) == []


def test_billed_twice_in_one_statement_and_in_an_earlier_one() -> None:
    again = replace(LINE, row=9)
    assert found(LINE, again) == [(Code.BILLED_BEFORE, 1100)]
    before = replace(LINE, period=("2026-02", "a"))
    assert found(LINE, earlier=(before,)) == [(Code.BILLED_BEFORE, 1100)]
    (finding,) = check_waybill([LINE], FACTS, [before], MARCH)
    assert finding.ours == "已在 2026-02 对账单第 2 行计费 11.00"


def test_a_line_taken_back_may_be_billed_again() -> None:
    red = replace(LINE, row=3, amount_fen=-1100)
    assert found(LINE, red, replace(LINE, row=4)) == []
    before = replace(LINE, period=("2026-02", "a"))
    assert found(LINE, earlier=(before, replace(before, row=3, amount_fen=-1100))) == []


def test_fees_of_different_kinds_stand_beside_each_other() -> None:
    freight = replace(LINE, kind="freight", amount_fen=1000)
    collect = replace(LINE, row=3, kind="collect", amount_fen=100)
    assert found(freight, collect) == []
    assert found(freight, collect, replace(collect, row=4, kind="insured")) == [(Code.WRONG_AMOUNT, 100)]


def test_a_red_line_corrects_the_amount_and_settles_a_loss() -> None:
    red = replace(LINE, row=3, amount_fen=-400)
    assert found(replace(LINE, amount_fen=1500), red) == []
    lost = replace(FACTS, lost_on=date(2026, 3, 15))
    assert found(LINE, replace(LINE, row=3, amount_fen=-1100), facts=lost) == []


def test_credits_for_earlier_months_are_left_over() -> None:
    assert unmatched_credits([LINE, replace(LINE, row=3, amount_fen=-1500)]) == [
        (replace(LINE, row=3, amount_fen=-1500), 400)
    ]


def test_totals_rows_are_added_up() -> None:
    assert list(check_totals([Totals(9, 1200, 1000), Totals(10, 900, 1000), Totals(11, 5, 5)])) == [
        Finding(Code.ARITHMETIC, 9, "", "合计 10.00", "合计 12.00", 200),
        Finding(Code.ARITHMETIC, 10, "", "合计 10.00", "合计 9.00", 0),
    ]


def test_several_findings_never_put_more_at_stake_than_the_line() -> None:
    assert stake_of(1100, [1100, 400]) == 1100
    assert stake_of(1100, [100, 400]) == 500
    assert stake_of(-1100, [100]) == 0


@pytest.mark.parametrize("old", list(DiscrepancyState))
@pytest.mark.parametrize("new", list(DiscrepancyState))
def test_a_discrepancy_moves_only_as_the_table_says(old: DiscrepancyState, new: DiscrepancyState) -> None:
    if new in MOVES[old]:
        check_move(old, new)
    else:
        with pytest.raises(NotAllowed, match=old.label):
            check_move(old, new)


def test_a_decision_needs_a_reason() -> None:
    with pytest.raises(NotAllowed, match="理由"):
        check_reason(DiscrepancyState.DISPUTED, "  ")
    check_reason(DiscrepancyState.CLEARED, "")
