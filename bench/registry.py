"""A province's registry and a million cases: is this intake lawful, and how long a work list takes to open."""

from collections.abc import Sequence

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import installed

ABOUT = """\
5,000 items in two versions each, 3,000 offices, 20,000 windows and 1,000,000 cases (quick: a fiftieth) on a private
PostgreSQL that keeps its safety. "May this window take in this item for that office today?" is asked for random
windows and items, with every guard of an intake (dates, negative list, scope, agreement, mode, grant), rows fetched
anew each time. The work lists are opened as whole pages, by people of the busiest, the middle and the quietest place;
their figure is the 95th percentile of each list. The figures (指标) are opened as pages over twelve months: by the administrator,
who counts every case, and at the busiest office and window. There is no peer: the goals are limits."""

ASK_MS, LIST_MS, FIGURES_S = 20, 200, 2


def measure(bench: Bench) -> Sequence[Figure]:
    share = "0.02" if bench.wishes.quick else "1"
    times = bench.wishes.choose(bench.wishes.runs, quick=300, full=2_000)
    with installed(database=True) as ours:
        bench.say("making the registry and its cases")
        made = ours.work("registry", "fill", share)
        bench.remark(
            f"{made['items']:,} items, {made['offices']:,} offices, {made['windows']:,} windows, "
            f"{made['cases']:,} cases, made in {made['seconds']:.0f} s"
        )
        bench.say("may this window take in this item?")
        asked = ours.work("registry", "ask", str(times))
        bench.remark(f"{asked['yes']:,} of {times:,} questions were answered with yes")
        bench.say("opening work lists")
        opened = ours.work("registry", "lists", "20")
        bench.say("opening the figures")
        counted = ours.work("registry", "figures", "5")
        bench.remark(f"what finished days add up to was counted in {counted['added_up']:.0f} s")
    return [
        Figure("may this window take in this item", "ms", "less", asked["ms"], goals=[Goal(ASK_MS)]),
        *(
            Figure(f"work list {name}, 95th percentile", "ms", "less", [value], goals=[Goal(LIST_MS)])
            for name, value in opened["p95"].items()
        ),
        *(
            Figure(f"figures of a year, {name}", "s", "less", values, goals=[Goal(FIGURES_S)])
            for name, values in counted["seconds"].items()
        ),
    ]


BENCHMARK = Benchmark("registry", ABOUT, measure)
