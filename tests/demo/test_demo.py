"""The whole way of one application, as `make demo` goes it, and again over what the first time left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from config.demo import evidence
from config.embedded import free_ports
from tests.shared import ROOT

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    """An installation of its own: nothing of the tests' servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TONGBAN_", "DJANGO_"))}
    port = free_ports(1)[0]
    return kept | {"TONGBAN_DATA_DIR": str(home), "TONGBAN_PUBLIC_URL": f"http://127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def first(environment: dict[str, str], home: Path) -> dict[str, Any]:
    return play(environment, home)


def play(environment: dict[str, str], home: Path, *options: str) -> dict[str, Any]:
    """Run the demonstration to its end; answers its report."""
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--json", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads((home / "demo" / "report.json").read_text(encoding="utf-8"))
    assert done.returncode == 0, (report["fault"], done.stderr[-2000:])
    assert json.loads(done.stdout) == report
    return dict(report)


def test_every_step_holds_and_leaves_its_files(first: dict[str, Any], home: Path) -> None:
    assert first["passed"]
    assert first["facts"]["pages"] >= 12
    assert set(first["files"]) == set(evidence.FILES)
    assert all(verdict.startswith("pass") for verdict in first["verdicts"].values())
    codes = {code for code, _ in first["facts"]["differences"]}
    assert codes == {"unknown_waybill", "billed_before", "overweight", "wrong_amount", "wrong_term"}
    # Materials travel at 13.00 each: 12.00 for the first kilogram within the province, 1.00 for collecting;
    # the second envelope begins another kilogram.
    assert first["facts"]["charges_fen"] == [1300, 1500]


def test_nothing_of_it_is_left_running(first: dict[str, Any], home: Path) -> None:
    assert processes_of(home) == {}


def test_a_page_of_the_dossier_reads_as_chinese_without_gaps(first: dict[str, Any]) -> None:
    text = subprocess.run(
        ["pdftotext", "-layout", first["files"]["dossier.pdf"], "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "建筑业企业资质证书变更申请表" in text
    assert "统一社会信用代码" in text


def test_the_second_time_goes_as_well_with_own_scans_and_a_killed_worker(
    first: dict[str, Any], environment: dict[str, str], home: Path
) -> None:
    own = home / "own"
    own.mkdir()
    (own / "lease.tiff").write_bytes((home / "demo" / "samples" / "12-lease-contract.tiff").read_bytes())
    (own / "broken.pdf").write_text("not a PDF at all", encoding="utf-8")
    log = home / "serve" / "log" / "worker.log"
    written = log.stat().st_size
    script = [sys.executable, "manage.py", "demo", "--json", "--scans", str(own)]
    running = subprocess.Popen(script, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    _kill_a_worker_that_reads(home, log, written)
    output, _ = running.communicate(timeout=600)
    report = json.loads(output)
    assert running.returncode == 0, report["fault"]
    assert report["facts"]["case"] != first["facts"]["case"]
    assert report["facts"]["pages"] == first["facts"]["pages"]


def processes_of(home: Path) -> dict[int, str]:
    """The command lines of everything that works on this installation, by process id."""
    mark = f"TONGBAN_DATA_DIR={home}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended while we looked, or belongs to somebody else
    return found


def _kill_a_worker_that_reads(home: Path, log: Path, written: int) -> None:
    """The whole worker without mercy, as soon as it has taken up a job."""
    end = time.monotonic() + 300
    while b"received" not in log.read_bytes()[written:]:
        assert time.monotonic() < end, "no job reached the worker"
        time.sleep(0.1)
    workers = [
        pid for pid, command in processes_of(home).items() if "celery -A config.celery worker" in command
    ]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
