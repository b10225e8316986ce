"""Waybill labels: how many a second, and how long it takes to read a spoiled one."""

from collections.abc import Sequence

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import installed
from bench.peers import python
from bench.processes import ROOT, last_line, run

ABOUT = """\
Labels of 100 × 150 mm, each with its own parcel, number and code, made one by one in one process (300; quick: 60).
As ZPL: against zebrafy, which sends the whole picture to the printer, and is given pictures that are drawn already.
As PDF: against WeasyPrint setting the same words and symbols from HTML. Reading codes: our ladder of steps against
one plain call of zxing-cpp, on labels of three sizes under seven misfortunes (10 seeds; quick: 2): milliseconds an
image, and the share on which our QR was read."""

ZEBRAFY = "zebrafy, conversion only"
WEASYPRINT = "WeasyPrint"
ZXING = "zxing-cpp, one call"


def measure(bench: Bench) -> Sequence[Figure]:
    count = str(60 if bench.wishes.quick else 300)
    runs = bench.wishes.choose(bench.wishes.runs, quick=1, full=3)
    pictures = bench.folder / "pictures"
    foreign = [python(bench.say), ROOT / "bench" / "work" / "foreign_zebrafy.py", pictures]
    made, converted = [], []
    with installed() as ours:
        for run_number in range(runs):
            bench.say(f"{count} labels, run {run_number + 1} of {runs}")
            made.append(ours.work("label", count, pictures))
            converted.append(last_line(run(foreign)))
        bench.say("reading spoiled labels")
        read = ours.work("decode", "2" if bench.wishes.quick else "10")
    bench.remark(f"{read['images']} spoiled labels; median and share over all of them")
    return [
        Figure(
            "labels as ZPL",
            "labels/s",
            "more",
            [each["zpl"] for each in made],
            {ZEBRAFY: [each["zpl"] for each in converted]},
            [Goal(100)],
        ),
        Figure(
            "size of a label as ZPL",
            "KB",
            "less",
            [each["zpl_kilobytes"] for each in made],
            {ZEBRAFY: [each["zpl_kilobytes"] for each in converted]},
        ),
        Figure(
            "labels as PDF",
            "labels/s",
            "more",
            [each["pdf"] for each in made],
            {WEASYPRINT: [each["weasyprint"] for each in made]},
            [Goal(20)],
        ),
        Figure(
            "reading the codes of an image",
            "ms",
            "less",
            [read["ours_ms"]],
            {ZXING: [read["plain_ms"]]},
            [Goal(50)],
        ),
        Figure(
            "images whose QR was read",
            "%",
            "more",
            [read["ours_share"]],
            {ZXING: [read["plain_share"]]},
            [Goal(95)],
        ),
    ]


BENCHMARK = Benchmark("labels", ABOUT, measure)
