"""The stage of the demonstration: the whole installation, started unless it runs already."""

import http.client
import json
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings

from workers.models import Job, JobState

START_WITHIN = 300.0
STOP_WITHIN = 90.0
PAUSE = 0.1
T = TypeVar("T")


class DemoFailed(Exception):
    """Something did not happen that had to; the sentence says what and where to look."""


@contextmanager
def installation() -> Iterator[bool]:
    """Yields whether the installation ran already; one that was started here is stopped at the end."""
    if _answers():
        if not _sandbox_answers():
            raise DemoFailed(
                "the running installation plays no courier: stop it, or start `make serve ARGS=--sandbox`"
            )
        yield True
        return
    process = _start()
    try:
        _await_start(process)
        yield False
    finally:
        _stop(process)


def wait_for(what: str, ask: Callable[[], T | None], *, within: float = 120.0) -> T:
    """Ask until there is an answer. A job that was given up meanwhile ends the wait at once."""
    end = time.monotonic() + within
    before = _failed_jobs()
    while True:
        answer = ask()
        if answer:
            return answer
        failed = _failed_jobs() - before
        if failed:
            codes = Job.objects.filter(pk__in=failed).values_list("reaction", "last_error")
            raise DemoFailed(f"{what}: given up: {', '.join(f'{name} ({code})' for name, code in codes)}")
        if time.monotonic() > end:
            waiting = Job.objects.exclude(state=JobState.DONE).values_list("reaction", "state", "last_error")
            raise DemoFailed(
                f"{what}: not within {within:.0f} s; open jobs: {list(waiting)[:5]}; see {_log_folder()}"
            )
        time.sleep(PAUSE)


def sandbox(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Tell the courier sandbox something; answers its JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.EMBEDDED.sandbox_port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise DemoFailed(f"the courier sandbox answered {answer.status} to {path}")
    return dict(json.loads(text))


def sandbox_url() -> str:
    return f"http://127.0.0.1:{settings.EMBEDDED.sandbox_port}"


def all_work_done(*, within: float = 60.0) -> tuple[int, int]:
    """Wait until nothing is queued or running. Answers how many jobs are done and how many were given up."""
    wait_for(
        "the end of all work",
        lambda: not Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING]).exists(),
        within=within,
    )
    return Job.objects.filter(state=JobState.DONE).count(), len(_failed_jobs())


def _failed_jobs() -> set[int]:
    return set(Job.objects.filter(state=JobState.FAILED).values_list("pk", flat=True))


def _address() -> tuple[str, int]:
    parts = urllib.parse.urlsplit(settings.PUBLIC_URL)
    return parts.hostname or "127.0.0.1", parts.port or 80


def _start() -> "subprocess.Popen[bytes]":
    host, port = _address()
    log = _log_folder() / "demo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    serve = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--sandbox"]
    with log.open("wb") as output:
        return subprocess.Popen(
            [*serve, "--host", host, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _await_start(process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_WITHIN
    while not (_answers() and _sandbox_answers()):
        if process.poll() is not None or time.monotonic() > end:
            raise DemoFailed(
                f"the installation did not start at {settings.PUBLIC_URL}: see {_log_folder() / 'demo.log'}; "
                "when the port is taken, choose another with TONGBAN_PUBLIC_URL=http://127.0.0.1:PORT"
            )
        time.sleep(PAUSE)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers() -> bool:
    host, port = _address()
    return _get_ok(host, port, "/login/")


def _sandbox_answers() -> bool:
    return _get_ok("127.0.0.1", settings.EMBEDDED.sandbox_port, "/sandbox/health")


def _get_ok(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _log_folder() -> Any:
    return settings.DATA_DIR / "serve" / "log"
