"""`python -m bench [NAME…]`: measure, print the table, keep var/bench/report.json."""

import argparse
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench import dossiers, engines, intake, labels, reading, registry, statements, timelines, webhooks
from bench.benchmarks import Bench, Benchmark, Missing, Wishes
from bench.machine import describe, in_words
from bench.processes import ROOT, CommandFailed
from bench.report import Report, Section, show

BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        reading.BENCHMARK,
        engines.BENCHMARK,
        dossiers.BENCHMARK,
        labels.BENCHMARK,
        statements.BENCHMARK,
        webhooks.BENCHMARK,
        timelines.BENCHMARK,
        registry.BENCHMARK,
        intake.BENCHMARK,
    )
}
LOG_WIDTH = 150
REPORT = ROOT / "var" / "bench" / "report.json"


def main() -> int:
    """0: everything was measured; 1: something was not, and the table says what is missing; 2: usage."""
    arguments = _parser().parse_args()
    # An ordinary end, so that private servers and folders go with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A log file has no width of its own.
    console = Console(width=None if sys.stdout.isatty() else LOG_WIDTH)
    if arguments.list:
        for benchmark in BENCHMARKS.values():
            console.print(f"[bold]{benchmark.name}[/bold]\n{benchmark.about}\n", highlight=False)
        return 0
    wishes = Wishes(arguments.quick, arguments.pages, arguments.seeds, arguments.runs)
    report = Report(describe(), datetime.now(UTC).isoformat(timespec="seconds"))
    console.print(in_words(report.machine), highlight=False)
    for name in arguments.names or BENCHMARKS:
        section = _section(BENCHMARKS[name], wishes)
        report.sections.append(section)
        show(section, console)
        report.write(arguments.report)
    console.print(f"kept in {arguments.report}", highlight=False, soft_wrap=True)
    return 1 if any(section.missing for section in report.sections) else 0


def _section(benchmark: Benchmark, wishes: Wishes) -> Section:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tongban-bench-in-") as folder:
        bench = Bench(wishes, Path(folder), _say)
        try:
            figures = benchmark.measure(bench)
        except (Missing, CommandFailed) as fault:
            return Section(benchmark.name, benchmark.about, remarks=bench.remarks, missing=str(fault))
    return Section(benchmark.name, benchmark.about, figures, bench.remarks, seconds=time.monotonic() - begun)


def _say(words: str) -> None:
    print(f"  … {words}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=(sys.modules[__name__].__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--list", action="store_true", help="say what each benchmark compares with what")
    parser.add_argument("--quick", action="store_true", help="small inputs: minutes instead of an hour")
    parser.add_argument("--pages", type=int, metavar="N", help="pages of each stack or dossier")
    parser.add_argument("--seeds", type=int, metavar="K", help="stacks drawn from the shared generator")
    parser.add_argument("--runs", type=int, metavar="N", help="repetitions of what is repeated")
    parser.add_argument("--report", type=Path, default=REPORT, metavar="FILE", help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
