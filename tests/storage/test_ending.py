"""Asked to end: whoever waits is woken, later signals change nothing, and nothing is left where nobody asked."""

import os
import signal

import pytest

from storage.ending import SIGNALS, ending_on_signals


def test_nobody_asks() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with ending_on_signals() as ending:
        assert not ending.wait(0.01)
        assert not ending.is_set()
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_whoever_waits_is_woken_and_asking_again_changes_nothing(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    try:
        with ending_on_signals() as ending:
            os.kill(os.getpid(), number)
            assert ending.wait()
            os.kill(os.getpid(), number)
            assert ending.is_set()
        os.kill(os.getpid(), number)  # it is ending already
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)
