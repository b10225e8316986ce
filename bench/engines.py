"""Ways of reading: which engine, arithmetic and treatment of red ink read most, and at what cost; the default's reasons."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from bench.benchmarks import Bench, Benchmark, Missing
from bench.figures import Figure, Goal
from bench.installation import Installation, installed
from bench.material import any_seed
from bench.peers import needs
from tests.shared import SHARED

ABOUT = """\
Whole pages of the shared generator (seeds drawn when the run begins, the same for everybody) and other people's
pictures of text, each read in one single-threaded process: the default (RapidOCR on what the processor is made for,
red ink set apart, doubtful numbers read a second time by Tesseract) against the same in float32, on onnxruntime,
with red ink kept, and against Tesseract. Characters and fields are judged by the shared scorer; processor time, not
the clock, so that other work on the machine bends nothing."""

DEFAULT = "default"
OTHERS = ("float32", "onnxruntime", "red ink kept", "tesseract")
MIB = 2**20

Answer = dict[str, Any]


def measure(bench: Bench) -> Sequence[Figure]:
    if not SHARED.is_dir():
        raise Missing("the shared scan generator is not beside this repository")
    needs("tesseract", "tesseract-ocr tesseract-ocr-chi-sim")
    wishes = bench.wishes
    pages = str(wishes.pages or (8 if wishes.quick else 0))
    seeds = [str(any_seed()) for _ in range(wishes.choose(wishes.seeds, quick=1, full=3))]
    with installed() as ours:
        answers = {name: _answers(bench, ours, name, seeds, pages) for name in (DEFAULT, *OTHERS)}
        samples = {name: _of_samples(bench, ours, name) for name in answers}
    bench.remark(f"seeds: {', '.join(seeds)}")
    for name, each in answers.items():
        bench.remark(f"{name}: {each[0]['engine']}; {each[0]['huge']} of 20,000 × 14,000 pixels")

    def figure(
        name: str,
        unit: str,
        value: Callable[[Answer], float],
        goal: Goal | None = None,
        *,
        more: bool = False,
    ) -> Figure:
        return _figure(name, unit, {who: list(map(value, each)) for who, each in answers.items()}, goal, more)

    return [
        figure("character errors", "%", lambda a: 100 * a["errors"] / a["characters"], Goal(0.3)),
        figure("exact fields", "%", lambda a: 100 * a["exact"] / max(1, a["fields"]), Goal(99.5), more=True),
        figure(
            "fields found by themselves", "%", lambda a: 100 * a["found"] / max(1, a["wanted"]), more=True
        ),
        figure("numbers certain that fail their check", "", lambda a: a["certain_failing"], Goal(0)),
        figure("numbers certain and wrong", "", lambda a: a["certain_wrong"], Goal(0)),
        figure("numbers that a person must look at", "", lambda a: a["numbers"] - a["certain"]),
        figure(
            "pages whose direction is right", "%", lambda a: 100 * a["directions"] / a["pages"], more=True
        ),
        figure("processor time", "s/page", lambda a: a["cpu_seconds"] / a["pages"]),
        figure("memory of a worker, peak", "MiB", lambda a: a["peak_bytes"] / MIB, Goal(1536)),
        _figure("other people's pictures, characters read", "%", samples, None, more=True),
    ]


def _answers(
    bench: Bench, ours: Installation, name: str, seeds: Sequence[str], pages: str
) -> Sequence[Answer]:
    answers = []
    for seed in seeds:
        bench.say(f"{name}: seed {seed}")
        answers.append(ours.work("read", name, seed, pages))
    return answers


def _of_samples(bench: Bench, ours: Installation, name: str) -> Sequence[float]:
    bench.say(f"{name}: other people's pictures")
    shares: dict[str, float] = ours.work("read", name, "samples")["samples"]
    return [mean(shares.values())]


def _figure(
    name: str, unit: str, values: dict[str, Sequence[float]], goal: Goal | None, more: bool
) -> Figure:
    peers = {who: runs for who, runs in values.items() if who != DEFAULT}
    goals = [goal] if goal else []
    return Figure(name, unit, "more" if more else "less", values[DEFAULT], peers, goals)


BENCHMARK = Benchmark("engines", ABOUT, measure)
