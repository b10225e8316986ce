"""Retries, waits and the breaker, against a server that misbehaves on demand."""

import random
from collections.abc import Iterator

import httpx
import pytest

from logistics.couriers.base import Acknowledgement
from logistics.couriers.calling import Breaker, Caller, open_client
from logistics.couriers.errors import AnswerLost, CircuitOpen, Unreachable
from tests.logistics.listener import Listener, listening


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[Listener]:
    with listening(lambda raw: Acknowledgement(b"{}")) as listener:
        yield listener


def answering(server: Listener, *statuses: int) -> None:
    """Answers with these statuses in turn, then with the last one for ever."""
    left = list(statuses)
    server.answer = lambda raw: Acknowledgement(b"{}", status=left.pop(0) if len(left) > 1 else left[0])


def calling(
    client: httpx.Client, *, breaker: Breaker | None = None, waits: list[float] | None = None
) -> Caller:
    told: list[float] = waits if waits is not None else []
    return Caller(
        client=client, sleep=told.append, dice=random.Random(1), breaker=breaker or Breaker(limit=99)
    )


def post(client: httpx.Client, server: Listener) -> httpx.Request:
    return client.build_request("POST", server.url, content=b"x")


def test_a_request_that_may_be_repeated_is_tried_three_times(client: httpx.Client, server: Listener) -> None:
    answering(server, 500, 502, 200)
    assert calling(client).send(post(client, server), may_repeat=True).status_code == 200
    assert len(server.received) == 3


def test_a_request_that_may_not_be_repeated_is_sent_once_when_its_fate_is_unknown(
    client: httpx.Client, server: Listener
) -> None:
    answering(server, 500, 200)
    with pytest.raises(AnswerLost):
        calling(client).send(post(client, server), may_repeat=False)
    assert len(server.received) == 1


def test_a_busy_courier_certainly_did_nothing_so_anything_is_repeated(
    client: httpx.Client, server: Listener
) -> None:
    answering(server, 429, 503, 200)
    assert calling(client).send(post(client, server), may_repeat=False).status_code == 200


def test_a_refusal_is_an_answer(client: httpx.Client, server: Listener) -> None:
    answering(server, 422)
    assert calling(client).send(post(client, server), may_repeat=True).status_code == 422
    assert len(server.received) == 1


def test_the_breaker_leaves_a_failing_courier_alone_and_tries_again_later(
    client: httpx.Client, server: Listener
) -> None:
    clock = Clock()
    breaker = Breaker(limit=3, pause=60, clock=clock)
    answering(server, 500)
    with pytest.raises(AnswerLost):
        calling(client, breaker=breaker).send(post(client, server), may_repeat=True)
    with pytest.raises(CircuitOpen):
        calling(client, breaker=breaker).send(post(client, server), may_repeat=True)
    assert len(server.received) == 3
    clock.now = 61
    answering(server, 200)
    assert calling(client, breaker=breaker).send(post(client, server), may_repeat=True).status_code == 200
    assert calling(client, breaker=breaker).send(post(client, server), may_repeat=True).status_code == 200


def test_only_one_probe_goes_out_when_the_pause_is_over() -> None:
    clock = Clock()
    breaker = Breaker(limit=1, pause=60, clock=clock)
    breaker.note(failed=True)
    clock.now = 60
    breaker.ask()
    with pytest.raises(CircuitOpen):
        breaker.ask()


def test_the_couriers_own_wish_for_a_pause_wins_within_reason(client: httpx.Client) -> None:
    waits: list[float] = []
    caller = calling(client, waits=waits)
    busy = Unreachable()
    busy.retry_after = 7
    assert caller._wait(1, busy.retry_after) == 7
    assert caller._wait(1, 3600) == 30
    assert 0.2 <= caller._wait(1, 0) <= 0.4


def test_our_client_follows_no_redirects_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with listening(lambda raw: Acknowledgement(b"{}", status=307)) as server, open_client() as client:
        assert client.post(server.url, content=b"x").status_code == 307
        assert len(server.received) == 1
