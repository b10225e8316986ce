"""A courier's monthly statement: read, kept and checked line by line."""

from collections.abc import Sequence
from pathlib import Path

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import Installation, installed

ABOUT = """\
A statement of 100,000 lines (quick: 5,000) as XLSX, for as many delivered and charged parcels, with five kinds of
faults planted on every fiftieth line; PostgreSQL and the object store are private and keep their safety. The import
and the check run in a process of their own, and the run only counts when exactly the planted faults were found.
Reading alone is compared with a plain loop of openpyxl (read_only) over the same file, which interprets nothing;
the whole (read, kept as evidence, written, checked) is shown against that same loop, as a multiple of what merely
looking at the file costs."""

OPENPYXL = "openpyxl, reading only"
MIB = 2**20


def measure(bench: Bench) -> Sequence[Figure]:
    lines = 5_000 if bench.wishes.quick else 100_000
    file = bench.folder / "statement.xlsx"
    with installed(database=True, store=True) as ours:
        bench.say(f"making {lines:,} parcels and their statement")
        planted = ours.work("month", "make", str(lines), file)
        bench.remark(
            f"{planted['lines']:,} lines, {planted['faults']:,} planted faults, all found and none invented"
        )
        return _figures(bench, ours, planted["lines"], file)


def _figures(bench: Bench, ours: Installation, lines: int, file: Path) -> list[Figure]:
    runs = range(bench.wishes.choose(bench.wishes.runs, quick=1, full=3))
    bench.say("reading alone")
    read = [(ours.work("sheet", "ours", file), ours.work("sheet", "openpyxl", file)) for _ in runs]
    bench.say("import and check")
    done = ours.work("month", "check", file)
    foreign = [their["seconds"] for _, their in read]
    whole = done["import_seconds"] + done["check_seconds"]
    bench.remark(
        f"import {done['import_seconds']:.1f} s, check {done['check_seconds']:.1f} s, "
        f"together {whole:.1f} s for {lines:,} lines"
    )
    return [
        Figure(
            "reading a statement",
            "lines/s",
            "more",
            [lines / our["seconds"] for our, _ in read],
            {OPENPYXL: [lines / seconds for seconds in foreign]},
        ),
        Figure(
            "import and check",
            "lines/s",
            "more",
            [lines / whole],
            {OPENPYXL: [lines / seconds for seconds in foreign]},
            [Goal(100_000 / 60)],
        ),
        Figure(
            "import and check, peak memory",
            "MiB",
            "less",
            [done["peak_bytes"] / MIB],
            {OPENPYXL: [their["peak_bytes"] / MIB for _, their in read]},
            [Goal(400)],
        ),
    ]


BENCHMARK = Benchmark("statements", ABOUT, measure)
