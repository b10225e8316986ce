"""A courier's monthly statement: read, kept and checked line by line."""

from collections.abc import Sequence
from pathlib import Path

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import Installation, installed

ABOUT = """\
Statements of 100,000 and of 1,000,000 lines (quick: 5,000) as XLSX, for as many delivered and charged parcels, with
five kinds of faults planted on every fiftieth line; PostgreSQL and the object store are private and keep their
safety. The import and the check run in a process of their own, and a run only counts when exactly the planted faults
were found. Reading alone is compared with a plain loop of openpyxl (read_only) over the same file, which interprets
nothing; the whole (read, kept as evidence, written, checked) is shown against that same loop, as a multiple of what
merely looking at the file costs."""

OPENPYXL = "openpyxl, reading only"
MIB = 2**20
SMALL, LARGE, QUICK = 100_000, 1_000_000, 5_000
SLOWER_AT_MOST = 1.3
"""What a line of the large statement may cost, against one of the small."""


def measure(bench: Bench) -> Sequence[Figure]:
    if bench.wishes.quick:
        return _of_size(bench, QUICK)[0]
    small, pace = _of_size(bench, SMALL)
    large, slower = _of_size(bench, LARGE, runs=1)
    growth = Figure(
        "cost of a line, 1,000,000 against 100,000",
        "times",
        "less",
        [pace / slower],
        {},
        [Goal(SLOWER_AT_MOST)],
    )
    return [*small, *large, growth]


def _of_size(bench: Bench, lines: int, *, runs: int | None = None) -> tuple[list[Figure], float]:
    """The figures of one size, and its pace in lines a second."""
    file = bench.folder / f"statement-{lines}.xlsx"
    with installed(database=True, store=True) as ours:
        bench.say(f"making {lines:,} parcels and their statement")
        planted = ours.work("month", "make", str(lines), file)
        bench.remark(
            f"{planted['lines']:,} lines, {planted['faults']:,} planted faults, all found and none invented"
        )
        return _figures(
            bench,
            ours,
            planted["lines"],
            file,
            runs or bench.wishes.choose(bench.wishes.runs, quick=1, full=3),
        )


def _figures(
    bench: Bench, ours: Installation, lines: int, file: Path, runs: int
) -> tuple[list[Figure], float]:
    bench.say("reading alone")
    read = [(ours.work("sheet", "ours", file), ours.work("sheet", "openpyxl", file)) for _ in range(runs)]
    bench.say("import and check")
    done = ours.work("month", "check", file)
    foreign = [their["seconds"] for _, their in read]
    whole = done["import_seconds"] + done["check_seconds"]
    bench.remark(
        f"import {done['import_seconds']:.1f} s, check {done['check_seconds']:.1f} s, "
        f"together {whole:.1f} s for {lines:,} lines"
    )
    named = f"{lines:,} lines"
    figures = [
        Figure(
            f"reading a statement of {named}",
            "lines/s",
            "more",
            [lines / our["seconds"] for our, _ in read],
            {OPENPYXL: [lines / seconds for seconds in foreign]},
        ),
        Figure(
            f"import and check, {named}",
            "lines/s",
            "more",
            [lines / whole],
            {OPENPYXL: [lines / seconds for seconds in foreign]},
            [Goal(SMALL / 60)],
        ),
        Figure(
            f"import and check, {named}, peak memory",
            "MiB",
            "less",
            [done["peak_bytes"] / MIB],
            {OPENPYXL: [their["peak_bytes"] / MIB for _, their in read]},
            [Goal(400)],
        ),
    ]
    return figures, lines / whole


BENCHMARK = Benchmark("statements", ABOUT, measure)
