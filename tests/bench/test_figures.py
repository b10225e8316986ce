"""The arithmetic between what we measured of ourselves and of the others. No timing is judged here."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS
from bench.figures import Better, Figure, Goal, percentile
from bench.report import Report, Section, number


def figure(
    ours: Sequence[float], theirs: Sequence[float], *, better: Better = "less", goals: Sequence[Goal] = ()
) -> Figure:
    return Figure("a figure", "s", better, ours, {"peer": theirs}, goals)


def test_less_is_better_means_the_peers_value_over_ours() -> None:
    assert figure([2.0], [6.0]).ratio("peer") == 3.0
    assert figure([2.0], [6.0], better="more").ratio("peer") == pytest.approx(1 / 3)


def test_runs_that_belong_together_are_divided_before_the_median() -> None:
    # The second run met a busy machine: both were four times as slow, and the ratio does not move.
    assert figure([1.0, 4.0, 1.0], [3.0, 12.0, 3.0]).ratio("peer") == 3.0
    assert figure([1.0, 4.0, 1.0], [3.0, 12.0, 3.0]).median == 1.0


def test_runs_that_do_not_belong_together_are_compared_by_their_medians() -> None:
    assert figure([1.0, 2.0, 9.0], [4.0]).ratio("peer") == 2.0


def test_nothing_is_divided_by_zero() -> None:
    assert figure([0.0], [6.0]).ratio("peer") is None
    assert figure([0.0, 1.0], [6.0, 6.0]).ratio("peer") is None
    assert figure([0.0], [6.0]).reached(Goal(2, "peer")) is None
    assert figure([3.0], [0.0]).ratio("peer") == 0.0


@pytest.mark.parametrize(
    ("ours", "better", "goal", "reached"),
    [
        (5.0, "less", Goal(5), True),
        (5.1, "less", Goal(5), False),
        (5.0, "more", Goal(5), True),
        (4.9, "more", Goal(5), False),
        (5.0, "less", Goal(2, "peer"), True),
        (5.1, "less", Goal(2, "peer"), False),
        (20.0, "more", Goal(2, "peer"), True),
    ],
)
def test_a_goal_is_a_limit_of_ours_or_a_ratio(ours: float, better: Better, goal: Goal, reached: bool) -> None:
    assert figure([ours], [10.0], better=better).reached(goal) is reached


def test_figures_that_say_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        figure([], [1.0])
    with pytest.raises(ValueError, match="at least one value"):
        figure([1.0], [])
    with pytest.raises(ValueError, match="not measured"):
        figure([1.0], [1.0], goals=[Goal(2, "somebody else")])


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 1.0) == 100.0
    assert percentile([7.0, 3.0], 0.5) == 3.0
    with pytest.raises(ValueError, match="percentile"):
        percentile([], 0.99)


def test_the_report_holds_every_run_and_the_goal(tmp_path: Path) -> None:
    measured = figure([2.0, 4.0], [8.0, 8.0], goals=[Goal(3, "peer"), Goal(2.5)])
    section = Section("reading", "what is compared", [measured], ["a remark"])
    report = Report(
        {"cores": 2}, "2026-03-10T02:00:00+00:00", [section, Section("labels", "", missing="zebrafy")]
    )
    report.write(tmp_path / "deep" / "report.json")
    kept = json.loads((tmp_path / "deep" / "report.json").read_text())
    one = kept["benchmarks"]["reading"]["figures"][0]
    assert one["ours"] == {"median": 3.0, "runs": [2.0, 4.0]}
    assert one["peers"]["peer"] == {"median": 8.0, "runs": [8.0, 8.0], "times_better": 3.0}
    assert one["goals"] == [
        {"limit": 3, "than": "peer", "reached": True},
        {"limit": 2.5, "than": "", "reached": False},
    ]
    assert kept["benchmarks"]["labels"]["missing"] == "zebrafy"
    assert section.rows() == [
        ("a figure", "s", "3.00", "peer", "8.00", "3.00", "≥ 3 ×: reached; ≤ 2.5: missed")
    ]


def test_numbers_show_three_figures_that_count() -> None:
    assert [number(value) for value in (0, 0.1234, 1.234, 12.34, 1234.5)] == [
        "0",
        "0.123",
        "1.23",
        "12.3",
        "1,234",
    ]


def test_every_benchmark_says_what_it_compares() -> None:
    assert set(BENCHMARKS) == {
        "reading",
        "engines",
        "dossier",
        "labels",
        "statements",
        "webhooks",
        "timelines",
        "registry",
        "intake",
    }
    assert all(len(benchmark.about) > 100 for benchmark in BENCHMARKS.values())
