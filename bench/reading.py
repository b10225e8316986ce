"""Scans in, searchable PDF out: the whole process, its pace, its memory, and how much of the text is right."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.benchmarks import Bench, Benchmark, Missing
from bench.figures import Figure, Goal
from bench.installation import Installation, installed
from bench.material import Stack, any_seed, generated, own_samples
from bench.peers import command, needs
from bench.processes import Ran, run
from bench.texts import captured_pages, score, texts
from config.embedded import free_ports

ABOUT = """\
Whole processes from scanned files to a searchable PDF, two jobs each. Ours is `manage.py dossier FILE… --sign none
--jobs 2`: inspection in limited children, direction finding, seal suppression, cover, contents and manifest
included. The peers get the same files glued by img2pdf (in their time, as a user would) and run
`ocrmypdf -l chi_sim -j 2`, once with Tesseract and once with the plugin ocrmypdf-rapidocr. Stacks: the product's own
samples, and pages of the shared generator with seeds drawn when the run begins, whose truth gives the character
error rate and the exact fields (text taken by pdftotext -raw from each PDF). One run per stack. Then ours alone: a
reader of the same pages in one process (direction, fields found by themselves, memory, a page of 20,000 × 14,000
pixels), and the served installation, from the moment a page is handed in to its text, the first one with a worker
that has just started."""

OURS = "ours"
TESSERACT = "ocrmypdf"
RAPIDOCR = "ocrmypdf-rapidocr"

Reader = Callable[[Sequence[Path], Path], Ran]


def measure(bench: Bench) -> Sequence[Figure]:
    stacks = _stacks(bench)
    with installed() as ours:

        def dossier(files: Sequence[Path], out: Path) -> Ran:
            return ours.manage("dossier", *files, "-o", out, "--sign", "none", "--jobs", "2", watched=True)

        readers: dict[str, Reader] = {OURS: dossier, **_peers(bench)}
        for reader in readers.values():  # the first run of a program compiles its modules, and is not counted
            reader(stacks[0].files[:1], bench.folder / "first.pdf")
        ran = {
            name: [_read(bench, name, reader, stack) for stack in stacks] for name, reader in readers.items()
        }
        alone = _alone(bench, ours, [stack.seed for stack in stacks if stack.seed is not None])
        first = _first_text(bench, ours)
    figures = [
        _figure(
            "reading, whole process",
            "pages/min",
            {
                name: [60 * s.pages / r.seconds for s, r in zip(stacks, runs, strict=True)]
                for name, runs in ran.items()
            },
            [Goal(2, TESSERACT), Goal(4, RAPIDOCR)],
        ),
        _figure(
            "processor time",
            "s/page",
            {
                name: [r.cpu_seconds / s.pages for s, r in zip(stacks, runs, strict=True)]
                for name, runs in ran.items()
            },
        ),
        _figure(
            "memory of all processes, peak",
            "MiB",
            {name: [r.peak / 2**20 for r in runs] for name, runs in ran.items()},
        ),
    ]
    return [*figures, *_right(bench, stacks, list(readers)), *alone, *first]


def _stacks(bench: Bench) -> list[Stack]:
    wishes, most = bench.wishes, _most(bench)
    stacks = [own_samples(most)]
    seeds = wishes.choose(wishes.seeds, quick=1, full=3)
    try:
        for _ in range(seeds):
            seed = any_seed()
            stacks.append(generated(bench.folder / f"seed-{seed}", seed, most))
    except Missing as missing:
        bench.remark(f"no error rates: {missing}")
    bench.remark("stacks: " + ", ".join(f"{stack.name} ({stack.pages} pages)" for stack in stacks))
    return stacks


def _most(bench: Bench) -> int | None:
    """How many pages of a stack are read; None for all."""
    return bench.wishes.pages or (6 if bench.wishes.quick else None)


def _peers(bench: Bench) -> dict[str, Reader]:
    needs("tesseract", "tesseract-ocr tesseract-ocr-chi-sim")
    img2pdf, ocrmypdf = command("img2pdf", bench.say), command("ocrmypdf", bench.say)
    path = f"{ocrmypdf.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}

    def with_options(*options: str) -> Reader:
        def read(files: Sequence[Path], out: Path) -> Ran:
            glued = out.with_suffix(".glued.pdf")
            first = run([img2pdf, *files, "-o", glued], environment=environment, watched=True)
            words: list[str | Path] = [ocrmypdf, "-q", "-l", "chi_sim", "-j", "2", *options, glued, out]
            second = run(words, environment=environment, watched=True)
            return Ran(
                first.seconds + second.seconds,
                first.cpu_seconds + second.cpu_seconds,
                max(first.peak, second.peak),
                second.output,
            )

        return read

    return {TESSERACT: with_options(), RAPIDOCR: with_options("--plugin", "ocrmypdf_rapidocr")}


def _read(bench: Bench, name: str, reader: Reader, stack: Stack) -> Ran:
    bench.say(f"{name}: {stack.name}, {stack.pages} pages")
    return reader(stack.files, _result(bench, name, stack))


def _result(bench: Bench, name: str, stack: Stack) -> Path:
    return bench.folder / f"{name}-{stack.name.replace(' ', '-')}.pdf"


def _right(bench: Bench, stacks: Sequence[Stack], readers: Sequence[str]) -> list[Figure]:
    known = [stack for stack in stacks if stack.truths]
    if not known:
        return []
    scores = {
        name: [
            score(
                stack.truths, texts(pdf, captured_pages(pdf) if name == OURS else range(1, stack.pages + 1))
            )
            for stack in known
            for pdf in [_result(bench, name, stack)]
        ]
        for name in readers
    }
    all_right = {name: [each.rate for each in runs] for name, runs in scores.items()}
    upright = {name: [each.upright_rate for each in runs] for name, runs in scores.items()}
    turned = {name: [each.turned_rate for each in runs] for name, runs in scores.items()}
    exact = {name: [each.exact_rate for each in runs] for name, runs in scores.items()}
    figures = [
        _figure("character errors, upright and turned", "%", all_right, [Goal(0.3)]),
        _figure("character errors, upright pages", "%", upright, [Goal(0.3)]),
        _figure("character errors, turned pages", "%", turned, [Goal(0.3)]),
    ]
    if all(each.fields for runs in scores.values() for each in runs):
        figures.append(_figure("exact fields", "%", exact, [Goal(99.5)], better="more"))
    return figures


def _alone(bench: Bench, ours: Installation, seeds: Sequence[int]) -> list[Figure]:
    """What only a reader itself can tell, in one process a seed."""
    if not seeds:
        return []
    bench.say(f"{OURS}: the same pages in one process")
    pages = str(_most(bench) or 0)
    read = [ours.work("read", "default", str(seed), pages) for seed in seeds]
    bench.remark(f"20,000 × 14,000 pixels: {read[0]['huge']}")
    bench.remark("not right: " + ("; ".join(fault for each in read for fault in each["faults"]) or "nothing"))
    return [
        Figure(
            "pages whose direction is right",
            "%",
            "more",
            [100 * each["directions"] / each["pages"] for each in read],
            goals=[Goal(100)],
        ),
        Figure(
            "direction finding, of reading time",
            "%",
            "less",
            [each["direction_share"] for each in read],
            goals=[Goal(15)],
        ),
        Figure(
            "fields found by themselves",
            "%",
            "more",
            [100 * each["found"] / max(1, each["wanted"]) for each in read],
            goals=[Goal(99.5)],
        ),
        Figure(
            "certain numbers that fail their check digit",
            "",
            "less",
            [float(each["certain_failing"]) for each in read],
            goals=[Goal(0)],
        ),
        Figure(
            "memory of a reading process, peak, huge page included",
            "MiB",
            "less",
            [each["peak_bytes"] / 2**20 for each in read],
            goals=[Goal(1536)],
        ),
    ]


def _first_text(bench: Bench, ours: Installation) -> list[Figure]:
    bench.say(f"{OURS}: from handing in a page to its text, served")
    (port,) = free_ports(1)
    served = replace(ours, environment={**ours.environment, "TONGBAN_PUBLIC_URL": f"http://127.0.0.1:{port}"})
    cold, *warm = served.work("first_text", "4")["seconds"]
    return [
        Figure("first text, worker just started", "s", "less", [cold], goals=[Goal(5)]),
        Figure("first text, after that", "s", "less", warm, goals=[Goal(5)]),
    ]


def _figure(
    name: str,
    unit: str,
    values: Mapping[str, Sequence[float]],
    goals: Sequence[Goal] = (),
    *,
    better: str = "",
) -> Figure:
    peers = {peer: runs for peer, runs in values.items() if peer != OURS}
    more = better == "more" or unit == "pages/min"
    return Figure(name, unit, "more" if more else "less", values[OURS], peers, goals)


BENCHMARK = Benchmark("reading", ABOUT, measure)
