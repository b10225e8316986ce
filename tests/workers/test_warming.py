"""Worker processes load their engine when they start, so that the first page of the morning does not wait for it."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from config.services.processes import wait_until
from ingest.inspect import shared_pool
from ocr.engines import process
from ocr.engines.choice import FullEngine
from ocr.warming import begin_warming
from tests.processes import Start, starting

WORKER = (
    *(sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=1", "--loglevel=INFO"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
READY = "the reader rapidocr is ready"
SECONDS = 90


@pytest.fixture
def start(outside: dict[str, str], broker: Redis, tmp_path: Path) -> Iterator[Start]:
    with starting(outside, tmp_path / "log") as start_one:
        yield start_one


def test_a_worker_loads_its_engine_before_any_page_comes(start: Start, tmp_path: Path) -> None:
    start(*WORKER)
    wait_until(lambda: READY in (tmp_path / "log").read_text(), seconds=SECONDS)


def test_a_worker_of_other_queues_starts_without(start: Start, tmp_path: Path) -> None:
    worker = start(*WORKER, "-Q", "others")
    wait_until(lambda: " ready." in (tmp_path / "log").read_text(), seconds=SECONDS)
    worker.terminate()
    worker.wait(SECONDS)
    assert "the reader" not in (tmp_path / "log").read_text()
    assert "Warm shutdown" in (tmp_path / "log").read_text()


def test_a_process_is_ready_with_engine_and_child_once_warm() -> None:
    begin_warming("rapidocr", "auto").join(SECONDS)
    assert shared_pool().idle_pids() != []
    known = process._loaded.cache_info().misses
    process.engine_of_process("rapidocr", "auto")
    assert process._loaded.cache_info().misses == known


def test_who_asks_while_it_is_loaded_gets_the_same_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, made = threading.Event(), threading.Event(), list[str]()

    def slowly(name: str, backend: str) -> object:
        made.append(name)
        begun.set()
        assert go_on.wait(SECONDS)
        return object()

    monkeypatch.setattr(process, "make_engine", slowly)
    process._loaded.cache_clear()
    found: list[FullEngine] = []
    threads = [
        threading.Thread(target=lambda: found.append(process.engine_of_process("slow", "auto")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(SECONDS)
    go_on.set()
    for thread in threads:
        thread.join(SECONDS)
    process._loaded.cache_clear()
    assert (made, len(found), len(set(map(id, found)))) == (["slow"], 3, 1)


def test_an_engine_that_cannot_be_loaded_is_an_error_in_the_log_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin_warming("rapidocr", "abacus").join(SECONDS)
    assert "the reader rapidocr cannot be loaded" in caplog.text
    assert [record.levelname for record in caplog.records if record.name == "tongban.reading"] == ["ERROR"]
