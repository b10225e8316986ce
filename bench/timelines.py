"""The story of one parcel among a million courier scans: how long its page waits for it."""

from collections.abc import Sequence

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import installed

ABOUT = """\
50,000 parcels with 20 scans each, 1,000,000 in all (quick: a fiftieth), on a private PostgreSQL that keeps its safety.
The timeline of random parcels is made as the page and the endpoint make it: permission asked, scans read and their
words decrypted, reversals worked out, our own scans put between them. The peer is one SELECT of the same rows that
neither asks nor decrypts nor sorts out what was taken back. Each value is the 95th percentile of one run."""

BARE = "one SELECT of the rows"
GOAL_MS = 20


def measure(bench: Bench) -> Sequence[Figure]:
    share = "0.02" if bench.wishes.quick else "1"
    runs = bench.wishes.choose(bench.wishes.runs, quick=2, full=5)
    ours: list[float] = []
    bare: list[float] = []
    with installed(database=True) as installation:
        bench.say("making parcels and their scans")
        made = installation.work("timelines", "fill", share)
        bench.remark(f"{made['scans']:,} scans of {made['parcels']:,} parcels")
        for _ in range(runs):
            bench.say("opening timelines")
            opened = installation.work("timelines", "open", "300")
            ours.append(opened["ours"])
            bare.append(opened["bare"])
    return [
        Figure(
            "timeline of a parcel, 95th percentile",
            "ms",
            "less",
            ours,
            {BARE: bare},
            [Goal(GOAL_MS)],
        )
    ]


BENCHMARK = Benchmark("timelines", ABOUT, measure)
