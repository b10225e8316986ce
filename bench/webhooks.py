"""Couriers' pushes: how many signed ones a second are verified, kept and acknowledged, how late, and none lost."""

import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.benchmarks import Bench, Benchmark
from bench.figures import Figure, Goal
from bench.installation import Installation, installed
from bench.processes import ROOT, CommandFailed, last_line, run
from config.embedded import free_ports
from config.services.processes import wait_until

ABOUT = """\
gunicorn with the workers and threads of `manage.py serve` on PostgreSQL that keeps its safety against power cuts;
the pushes are signed after Standard Webhooks, come over 16 kept connections from this same machine, and each is its
own event. First as fast as they are answered for 30 s (quick: 5 s), then at a fixed rate for as long, where lateness
counts from the moment a push was due. The peer is the least that any receiver has to do: a bare WSGI function under
the same gunicorn and database that verifies and inserts one row. Afterwards every acknowledged push is looked up:
a lost one fails the run. Noting in the audit chain and processing come after the acknowledgement, in
other processes, and are not part of the figure."""

BARE = "bare WSGI function"
GOAL_RATE = 500
WARM_SECONDS = 2
SERVER = (
    "--workers",
    "2",
    "--threads",
    "4",
    "--timeout",
    "120",
    "--no-control-socket",
    "--log-level",
    "error",
)


@dataclass(frozen=True)
class Side:
    """One of the two receivers: its name, WSGI application, the path that it listens on, and how to count."""

    name: str
    application: str
    path: str
    kept: str


def measure(bench: Bench) -> Sequence[Figure]:
    seconds = 5 if bench.wishes.quick else 30
    runs = bench.wishes.choose(bench.wishes.runs, quick=1, full=3)
    with installed(database=True) as ours:
        opened = ours.work("inbox", "open")
        sides = (
            Side(
                "ours", "config.wsgi:application", f"/api/v1/webhooks/couriers/{opened['path_token']}", "ours"
            ),
            Side("bare", "bench.work.bare_inbox:application", "/", "bare"),
        )
        environment = {
            **ours.environment,
            "BENCH_SECRET": opened["secret"],
            "BENCH_DATABASE": ours.database_url,
        }
        paces: dict[str, list[float]] = {side.name: [] for side in sides}
        for _ in range(runs):
            for side in sides:
                answer = _round(bench, ours, side, environment, seconds=seconds, rate=0)
                paces[side.name].append(answer["acknowledged"] / answer["seconds"])
        rate = min(GOAL_RATE, int(0.8 * min(map(min, paces.values()))))
        late: dict[str, list[float]] = {side.name: [] for side in sides}
        for _ in range(runs):
            for side in sides:
                late[side.name].append(
                    _round(bench, ours, side, environment, seconds=seconds, rate=rate)["p99_ms"]
                )
    bench.remark("every acknowledged push was found in the database afterwards")
    if rate < GOAL_RATE:
        bench.remark(f"{GOAL_RATE} a second could not be kept up here; lateness was taken at {rate}")
    return [
        Figure(
            "signed pushes, as fast as answered",
            "pushes/s",
            "more",
            paces["ours"],
            {BARE: paces["bare"]},
            [Goal(GOAL_RATE)],
        ),
        Figure(f"99th percentile at {rate}/s", "ms", "less", late["ours"], {BARE: late["bare"]}, [Goal(150)]),
    ]


def _round(
    bench: Bench, ours: Installation, side: Side, environment: dict[str, str], *, seconds: int, rate: int
) -> dict[str, Any]:
    """One server, one load, and the search for what was lost."""
    bench.say(f"{side.name}: {seconds} s, {f'{rate}/s' if rate else 'as fast as answered'}")
    sent = bench.folder / f"acknowledged-{secrets.token_hex(4)}"
    with _serving(bench, side, environment) as port:
        # Both workers resolve their addresses and connect to the database before it counts.
        _load(port, side, environment, WARM_SECONDS, 0, sent)
        answer = _load(port, side, environment, seconds, rate, sent)
    lost = ours.work("inbox", "lost", side.kept, sent)["lost"]
    if lost or answer["refused"]:
        raise CommandFailed(f"{side.name}: {lost} acknowledged pushes lost, {answer['refused']} refused")
    return answer


def _load(
    port: int, side: Side, environment: dict[str, str], seconds: int, rate: int, sent: Path
) -> dict[str, Any]:
    words = [str(port), side.path, str(seconds), str(rate), str(sent)]
    return last_line(run([sys.executable, "-m", "bench.work.load", *words], environment=environment))


@contextmanager
def _serving(bench: Bench, side: Side, environment: dict[str, str]) -> Iterator[int]:
    (port,) = free_ports(1)
    log = bench.folder / f"{side.name}.log"
    words = [sys.executable, "-m", "gunicorn", side.application, "--bind", f"127.0.0.1:{port}", *SERVER]
    with (
        log.open("ab") as out,
        subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out) as server,
    ):
        try:
            wait_until(lambda: _answers(port), seconds=60, alive=lambda: server.poll() is None)
            yield port
        except TimeoutError:
            raise CommandFailed(f"gunicorn did not start: {_end_of(log)}") from None
        finally:
            server.terminate()
            server.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=10):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-1000:]


BENCHMARK = Benchmark("webhooks", ABOUT, measure)
