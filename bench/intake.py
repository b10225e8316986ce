"""Two gigabytes and two thousand pages into one case: memory stays flat, and what it costs to look at a page."""

from collections.abc import Sequence
from pathlib import Path

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal, percentile
from bench.installation import installed
from bench.material import archive_scans, distinct_scans, stack_pdf

ABOUT = """\
20 PDFs of 100 scans each (A4, 300 dpi, JPEG of about a megabyte, 2 GB in all; quick: 2 of 10) are uploaded in pieces of
1 MiB and taken into one case, by the services behind the protocol and the counter, on a private PostgreSQL that keeps its safety and
a private SeaweedFS. Memory is that of the process that takes in, which is what a web server's worker would need; the
limited children that open the files have a ceiling of their own (1 GiB). Then single scans are inspected one after the other, as
many as one child serves before it is retired, its start included; and each is taken in as from the counter, until its
verdict and what to scan again are known. There is no peer: the goals are limits."""

PEAK_MIB, GROWTH_MIB = 300, 32
PAGE_MS, VERDICT_MS = 100, 1000
SINGLES = 100


def measure(bench: Bench) -> Sequence[Figure]:
    files = bench.wishes.choose(None, quick=2, full=20)
    each = bench.wishes.choose(bench.wishes.pages, quick=10, full=100)
    singles = bench.wishes.choose(None, quick=10, full=SINGLES)
    kinds = archive_scans(bench.folder / "kinds")
    bench.say(f"making {files} PDFs of {each} pages")
    stacks = _stacks(bench.folder, kinds, files, each)
    scans = distinct_scans(kinds, bench.folder / "singles", singles)
    with installed(database=True, store=True) as ours:
        ours.work("intake", "prepare")
        bench.say("taking them in")
        taken = ours.work("intake", "take", *stacks)
        bench.say("looking at single scans")
        looked = ours.work("intake", "look", *scans)
    bench.remark(
        f"{taken['pages']} pages, {taken['bytes'] / 1e9:.2f} GB; the process took "
        f"{(taken['peak_bytes'] - taken['rest_bytes']) / 2**20:.0f} MiB more than at rest"
    )
    bench.remark(f"inspection of a single scan: {looked['cpu_ms']:.0f} ms of processor time")
    return [
        Figure(
            "memory of the process that takes in, peak",
            "MiB",
            "less",
            [taken["peak_bytes"] / 2**20],
            goals=[Goal(PEAK_MIB)],
        ),
        Figure(
            "its growth after the first file",
            "MiB",
            "less",
            [(taken["peaks"][-1] - taken["peaks"][0]) / 2**20],
            goals=[Goal(GROWTH_MIB)],
        ),
        Figure("pages taken in", "pages/s", "more", [taken["pages"] / taken["seconds"]]),
        Figure(
            "inspection of a 300-dpi page, amortised", "ms", "less", [looked["ms"]], goals=[Goal(PAGE_MS)]
        ),
        Figure(
            "verdict on a page at the counter, 95th percentile",
            "ms",
            "less",
            [percentile(looked["verdict_ms"], 0.95)],
            goals=[Goal(VERDICT_MS)],
        ),
    ]


def _stacks(folder: Path, kinds: Sequence[Path], files: int, each: int) -> list[Path]:
    """The PDFs, each with pages of its own."""
    scans = distinct_scans(kinds, folder / "scans", files * each)
    return [
        stack_pdf(scans[number * each : (number + 1) * each], folder / f"stack-{number:03d}.pdf")
        for number in range(files)
    ]


BENCHMARK = Benchmark("intake", ABOUT, measure)
