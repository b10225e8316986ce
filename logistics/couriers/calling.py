"""HTTP calls to couriers: timeouts, retries with backoff and jitter, and a breaker that leaves a failing host alone."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from logistics.couriers.errors import AnswerLost, BadAnswer, CircuitOpen, CourierError, Unreachable

TIMEOUT = httpx.Timeout(connect=5.0, read=15.0, write=10.0, pool=5.0)
BUSY = frozenset({429, 502, 503, 504})
LONGEST_WAIT = 30.0
LARGEST_ANSWER = 10 * 1024 * 1024


class Fuse(Protocol):
    """What leaves a failing host alone."""

    def ask(self) -> None:
        """Raises `CircuitOpen` while the host is to be left alone."""
        ...

    def note(self, *, failed: bool) -> None:
        """Counts one answer or failure."""
        ...


@dataclass
class Breaker:
    """Opens after `limit` failures in a row and stays open for `pause` seconds; then one call tries again."""

    limit: int = 5
    pause: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _opened_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self) -> None:
        """Raises `CircuitOpen` while the host is to be left alone."""
        with self._lock:
            if self._opened_at is None:
                return
            if self.clock() - self._opened_at < self.pause:
                raise CircuitOpen
            self._opened_at = self.clock()  # this caller probes; the others keep waiting

    def note(self, *, failed: bool) -> None:
        """Counts one answer or failure."""
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            self._opened_at = self.clock() if self._failures >= self.limit else None


_breakers: dict[str, Breaker] = {}
_breakers_lock = threading.Lock()


def breaker_for(host: str) -> Fuse:
    """The breaker of a host, one for this process."""
    with _breakers_lock:
        return _breakers.setdefault(host, Breaker())


@dataclass
class Caller:
    """Sends requests for one courier.

    A request that `may_repeat` is tried up to `tries` times. One that may not is repeated only when it certainly did
    not arrive; otherwise `AnswerLost` goes up and the caller has to ask the courier what happened.
    """

    client: httpx.Client
    tries: int = 3
    first_wait: float = 0.4
    sleep: Callable[[float], None] = time.sleep
    dice: random.Random = field(default_factory=random.SystemRandom)
    breaker: Fuse | None = None
    breakers: Callable[[str], Fuse] = breaker_for

    def send(self, request: httpx.Request, *, may_repeat: bool) -> httpx.Response:
        """The answer, whatever its status below 500 (but never 429); errors as documented above."""
        breaker = self.breaker or self.breakers(request.url.netloc.decode("ascii"))
        for attempt in range(1, self.tries + 1):
            breaker.ask()
            try:
                response = self._once(request)
            except (Unreachable, AnswerLost) as failure:
                breaker.note(failed=True)
                certain = isinstance(failure, Unreachable)
                if attempt == self.tries or not (may_repeat or certain):
                    raise
                self.sleep(self._wait(attempt, failure.retry_after))
            else:
                breaker.note(failed=False)
                return response
        raise AssertionError("unreachable: the loop returns or raises")

    def _once(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self.client.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable from error
        except httpx.TransportError as error:
            raise AnswerLost from error
        if response.status_code in BUSY:
            raise _busy(response)
        if response.status_code >= 500:
            raise AnswerLost
        if len(response.content) > LARGEST_ANSWER:
            raise BadAnswer("承运商返回的内容过大，已拒收。")
        return response

    def _wait(self, attempt: int, asked: float) -> float:
        # Full jitter, so that many workers do not come back together; the courier's own Retry-After wins.
        spread = self.first_wait * 2 ** (attempt - 1)
        return min(max(asked, self.dice.uniform(spread / 2, spread)), LONGEST_WAIT)


def _busy(response: httpx.Response) -> CourierError:
    # 502 and 504 come from a proxy: whether the courier itself did the work is unknown.
    failure: CourierError = AnswerLost() if response.status_code in (502, 504) else Unreachable()
    header = response.headers.get("retry-after", "")
    failure.retry_after = float(header) if header.isdigit() else 0.0
    return failure


def open_client(*, user_agent: str = "tongban-couriers/1") -> httpx.Client:
    """A client with our timeouts, certificates checked, no redirects followed and no proxy taken from the environment."""
    return httpx.Client(timeout=TIMEOUT, headers={"user-agent": user_agent}, trust_env=False)
