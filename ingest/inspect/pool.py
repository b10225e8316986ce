"""A warm pool of limited children: started once, retired after many files, killed when over time."""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingest.inspect.limits import (
    FILES_PER_CHILD,
    MAX_ANSWER_BYTES,
    MAX_PAGES,
    SECONDS_PER_PAGE,
    STEP_SECONDS,
)

_HOUSE = Path(__file__).resolve().parents[2]
_CHUNK = 65_536
_ENVIRONMENT = {  # nothing of ours: no secrets, no proxies, no Python settings
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class ChildDied(Exception):
    """The child ended before its verdict: the file made it crash or run into a limit of the kernel."""

    def __init__(self, returncode: int) -> None:
        super().__init__(f"inspection child ended with {returncode}")
        self.returncode = returncode


class ChildGone(Exception):
    """The child had ended before it was given the file: another child should be asked."""


class ChildOverTime(Exception):
    """The child was killed because no page was finished in time."""


class Child:
    """One limited process and the pipe to it; used by one caller at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.inspect.child"],
            cwd=_HOUSE,
            env=_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
        )
        self._unread = b""
        self.files = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Messages of the child, the last of which is its verdict. `seconds` of a request are its own patience.

        Raises ChildGone before the first message, ChildDied or ChildOverTime later; the child is no more then.
        """
        self.files += 1
        self._send(request)
        begun = time.monotonic()
        step = float(request.get("seconds", STEP_SECONDS))
        self._await_begin(begun + step)
        pages = 0
        while True:
            longest = begun + step + SECONDS_PER_PAGE * pages
            message = self._receive(min(time.monotonic() + step, longest))
            if message.get("spent"):
                self.kill()
            yield message
            if "page" not in message:
                return
            pages += 1
            if pages > MAX_PAGES:
                self.kill()
                raise ChildOverTime

    def kill(self) -> None:
        """End the process by its id and collect it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # a request that it never read
                    pipe.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(dict(request)).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            self.kill()
            raise ChildGone from error

    def _await_begin(self, until: float) -> None:
        """The child says when it takes the file up: a death before that is not the file's doing."""
        try:
            self._receive(until)
        except ChildDied as death:
            raise ChildGone from death

    def _receive(self, until: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.kill()
                raise ChildOverTime
            more = os.read(pipe, _CHUNK)
            if not more:
                raise self._death()
            self._unread += more
            if len(self._unread) > MAX_ANSWER_BYTES:
                self.kill()
                raise ChildOverTime
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _death(self) -> ChildDied:
        code = self._process.wait()
        self.kill()
        return ChildDied(code)


class Pool:
    """Children that wait for work. `size` is how many may work at once."""

    def __init__(self, size: int) -> None:
        self._idle: list[Child] = []
        self._guard = threading.Lock()
        self._places = threading.BoundedSemaphore(size)

    @contextlib.contextmanager
    def child(self) -> Iterator[Child]:
        """A child for one file, kept for the next unless it is gone or has seen enough files."""
        with self._places:
            child = self._take()
            try:
                yield child
            except BaseException:
                child.kill()  # whatever it was doing is not wanted any more
                raise
            self._put_back(child)

    def idle_pids(self) -> list[int]:
        """Process ids of the children that wait for work."""
        with self._guard:
            return [child.pid for child in self._idle]

    def close(self) -> None:
        """End every waiting child."""
        with self._guard:
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()

    def _take(self) -> Child:
        with self._guard:
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
                child.kill()
        return Child()

    def _put_back(self, child: Child) -> None:
        if child.alive and child.files < FILES_PER_CHILD:
            with self._guard:
                self._idle.append(child)
        else:
            child.kill()


class _Shared:
    """The pool of this process, made on first use."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._pool: Pool | None = None

    def get(self) -> Pool:
        with self._guard:
            if self._pool is None:
                self._pool = Pool(size=max(2, os.cpu_count() or 1))
                atexit.register(self._pool.close)
            return self._pool

    def forget(self) -> None:
        """A forked worker must not talk through its parent's pipes."""
        self._guard = threading.Lock()
        self._pool = None


_shared = _Shared()
os.register_at_fork(after_in_child=_shared.forget)


def shared_pool() -> Pool:
    """This process's own pool."""
    return _shared.get()
