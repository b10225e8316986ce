"""Assembly, signing and verification of dossiers, and the whole way against the parts glued by hand."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import Installation, installed
from bench.material import archive_scans, distinct_scans
from bench.peers import command, needs, python
from bench.processes import ROOT, last_line, run
from ocr.batch import read_pages

ABOUT = """\
Assembly of N scans of the demonstration's papers whose text is already read (500, its memory also at 2,000; quick:
100), each step in a process of its own, against img2pdf on the same files, which makes neither a text layer nor
PDF/A: milliseconds a page, bytes a page beyond the scans themselves, peak memory. The overhead a second time with 840
characters on every page, which is a page of unbroken print: there the letters alone are most of it. A B-LTA signature on a dossier of 20 pages, against the one call of pyHanko's own library
with the same key, picture, timestamps and trust, in turns within one process. Verification of the N pages signed
twice, against pyHanko validating every signature: memory and time. Last, scans to signed dossier as whole processes:
`manage.py dossier --sign B-LTA --jobs 2` against img2pdf, then `ocrmypdf -l chi_sim -j 2`, then pyHanko (20 pages;
quick: 6)."""

IMG2PDF = "img2pdf"
PYHANKO = "pyHanko"
GLUED = "img2pdf + ocrmypdf + pyHanko"
MB, MIB = 10**6, 2**20
READ = "read.json"
MANY = 2000


def measure(bench: Bench) -> Sequence[Figure]:
    pages = bench.wishes.choose(bench.wishes.pages, quick=100, full=500)
    kinds = archive_scans(bench.folder / "kinds")
    with installed() as ours:
        figures = _assembly(bench, ours, kinds, pages)
        figures += _signing(bench, ours, kinds)
        figures += _whole_way(bench, ours, kinds, 6 if bench.wishes.quick else 20)
    return figures


def _assembly(bench: Bench, ours: Installation, kinds: Sequence[Path], pages: int) -> list[Figure]:
    bench.say(f"assembly of {pages} pages")
    scans = bench.folder / "scans"
    weight = sum(path.stat().st_size for path in distinct_scans(kinds, scans, pages))
    bench.remark(f"assembly: {pages} pages, {weight / MIB:.0f} MiB of scans")
    peer = [python(bench.say), ROOT / "bench" / "work" / "foreign_img2pdf.py"]
    foreign = [*peer, scans]
    unsigned = bench.folder / "unsigned.pdf"
    said = _read(bench, kinds)
    made, theirs = [], []
    for _ in range(bench.wishes.choose(bench.wishes.runs, quick=2, full=5)):
        made.append(ours.work("assemble", scans, unsigned, said))
        theirs.append(last_line(run([*foreign, bench.folder / "glued.pdf"])))
    (bench.folder / "glued.pdf").unlink()
    bench.remark(f"of the memory of assembly {made[0]['rest_bytes'] / MIB:.0f} MiB is there before it begins")
    figures = [
        Figure(
            "assembly",
            "ms/page",
            "less",
            [1000 * each["seconds"] / pages for each in made],
            {IMG2PDF: [1000 * each["seconds"] / pages for each in theirs]},
            [Goal(5)],
        ),
        Figure(
            "overhead, as the papers are (img2pdf: no text)",
            "bytes/page",
            "less",
            [(each["size"] - weight) / pages for each in made],
            {IMG2PDF: [(each["size"] - weight) / pages for each in theirs]},
            [Goal(1200)],
        ),
        Figure(
            "overhead, 840 characters a page",
            "bytes/page",
            "less",
            [(ours.work("assemble", scans, unsigned)["size"] - weight) / pages],
            {IMG2PDF: [(each["size"] - weight) / pages for each in theirs]},
            [],
        ),
        _peak(pages, made, theirs),
    ]
    figures += _verification(bench, ours, unsigned, pages)
    return figures if bench.wishes.quick else [*figures, _many(bench, ours, kinds, peer)]


def _read(bench: Bench, kinds: Sequence[Path]) -> Path:
    """What our reader finds on each kind of scan, for the pages made from them."""
    bench.say("reading the papers once")
    found = [outcome.text.lines if outcome.text else () for outcome in read_pages(kinds)]
    letters = sum(len(line.text) for lines in found for line in lines) / len(kinds)
    bench.remark(f"assembly: {letters:.0f} characters were read on a page, between them")
    kept = bench.folder / READ
    kept.write_text(
        json.dumps([[(line.text, line.box, line.confidence) for line in lines] for lines in found])
    )
    return kept


def _many(bench: Bench, ours: Installation, kinds: Sequence[Path], peer: Sequence[str | Path]) -> Figure:
    """The memory of a dossier that fills a shelf, once."""
    bench.say(f"assembly of {MANY} pages")
    scans, out = bench.folder / "many", bench.folder / "many.pdf"
    distinct_scans(kinds, scans, MANY)
    made = ours.work("assemble", scans, out, bench.folder / READ)
    out.unlink()
    theirs = last_line(run([*peer, scans, out]))
    out.unlink()
    shutil.rmtree(scans)
    return _peak(MANY, [made], [theirs])


def _peak(pages: int, made: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> Figure:
    return Figure(
        f"assembly of {pages} pages, peak memory",
        "MB",
        "less",
        [each["peak_bytes"] / MB for each in made],
        {IMG2PDF: [each["peak_bytes"] / MB for each in theirs]},
        [Goal(120)],
    )


def _verification(bench: Bench, ours: Installation, unsigned: Path, pages: int) -> list[Figure]:
    bench.say(f"verification of {pages} pages, signed twice")
    sealed = bench.folder / "sealed.pdf"
    sealing = ours.work("seal_twice", unsigned, sealed)
    bench.remark(
        f"signing {sealed.stat().st_size / MIB:.0f} MiB twice took {_mib(sealing):.0f} MiB of memory"
    )
    unsigned.unlink()
    runs = range(bench.wishes.choose(bench.wishes.runs, quick=1, full=3))
    pairs = [(ours.work("check", "ours", sealed), ours.work("check", "pyhanko", sealed)) for _ in runs]
    sealed.unlink()
    name = f"verification of {pages} pages"
    return [
        Figure(
            f"{name}, peak memory",
            "MB",
            "less",
            [our["peak_bytes"] / MB for our, _ in pairs],
            {PYHANKO: [their["peak_bytes"] / MB for _, their in pairs]},
            [Goal(300)],
        ),
        Figure(
            name,
            "s",
            "less",
            [our["seconds"] for our, _ in pairs],
            {PYHANKO: [their["seconds"] for _, their in pairs]},
        ),
    ]


def _signing(bench: Bench, ours: Installation, kinds: Sequence[Path]) -> list[Figure]:
    bench.say("signing 20 pages")
    scans = bench.folder / "twenty"
    distinct_scans(kinds, scans, 20)
    unsigned = scans / "unsigned.pdf"
    ours.work("assemble", scans, unsigned)
    runs = bench.wishes.choose(bench.wishes.runs, quick=3, full=9)
    answer = ours.work("sign", unsigned, str(runs))
    mine, theirs = answer["ours"], answer["pyhanko"]
    return [
        Figure(
            "B-LTA signature of 20 pages",
            "s",
            "less",
            mine["seconds"],
            {PYHANKO: theirs["seconds"]},
            [Goal(1 / 1.5, PYHANKO)],
        ),
        Figure(
            "bytes of a B-LTA signature",
            "KB",
            "less",
            [size / 1000 for size in mine["bytes"]],
            {PYHANKO: [size / 1000 for size in theirs["bytes"]]},
            [Goal(90)],
        ),
    ]


def _whole_way(bench: Bench, ours: Installation, kinds: Sequence[Path], pages: int) -> list[Figure]:
    needs("tesseract", "tesseract-ocr tesseract-ocr-chi-sim")
    bench.say(f"scans to signed dossier, {pages} pages")
    files = distinct_scans(kinds, bench.folder / "way", pages)
    mine, theirs, sizes, their_sizes = [], [], [], []
    _once(bench, ours, files[0])
    for _ in range(bench.wishes.choose(bench.wishes.runs, quick=1, full=3)):
        out = bench.folder / "whole.pdf"
        words: list[str | Path] = [*files, "-o", out, "--sign", "B-LTA", "--jobs", "2"]
        mine.append(ours.manage("dossier", *words).seconds)
        sizes.append(out.stat().st_size / MIB)
        foreign = bench.folder / "whole-glued.pdf"
        theirs.append(_glued(bench, ours, files, foreign))
        their_sizes.append(foreign.stat().st_size / MIB)
    return [
        Figure(
            f"scans to signed dossier, {pages} pages", "s", "less", mine, {GLUED: theirs}, [Goal(3, GLUED)]
        ),
        Figure("its size", "MiB", "less", sizes, {GLUED: their_sizes}),
    ]


def _once(bench: Bench, ours: Installation, scan: Path) -> None:
    """Each program's first run compiles its modules and makes its keys, and is not counted."""
    ours.manage("dossier", scan, "-o", bench.folder / "first.pdf", "--sign", "B-LTA")
    _glued(bench, ours, [scan], bench.folder / "first-glued.pdf")


def _glued(bench: Bench, ours: Installation, files: Sequence[Path], out: Path) -> float:
    """Seconds of the three programs one after another."""
    ocrmypdf = command("ocrmypdf", bench.say)
    environment = {**os.environ, "PATH": f"{ocrmypdf.parent}:{os.environ['PATH']}"}
    images, read = out.with_suffix(".images.pdf"), out.with_suffix(".read.pdf")
    steps = [
        run([command("img2pdf", bench.say), *files, "-o", images]),
        run([ocrmypdf, "-q", "-l", "chi_sim", "-j", "2", images, read], environment=environment),
        ours.working("seal_foreign", read, out),
    ]
    return sum(step.seconds for step in steps)


def _mib(answer: dict[str, Any]) -> float:
    return float(answer["peak_bytes"]) / MIB


BENCHMARK = Benchmark("dossier", ABOUT, measure)
