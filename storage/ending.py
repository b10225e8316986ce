"""How a process that runs until it is stopped learns that it should end."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """Whether somebody asked for the end, and waiting until somebody does.

    A signal may arrive in the middle of anything, also of the handler of the one before (a manager that stops a whole
    group, and a `make` in that group that passes it on). So no lock is taken here, as `threading.Event` would.
    """

    def __init__(self) -> None:
        self._asked = False
        self._ear, self._mouth = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._ear, select.POLLIN)

    def is_set(self) -> bool:
        return self._asked

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is asked for, `seconds` at most; whether it was."""
        self._poll.poll(None if seconds is None else seconds * 1000)
        return self._asked

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Also a handler of signals."""
        if not self._asked:
            self._asked = True
            os.write(self._mouth, b"\0")  # never read: whoever waits from now on does not

    def close(self) -> None:
        os.close(self._ear)
        os.close(self._mouth)


@contextmanager
def ending_on_signals() -> Iterator[Ending]:
    """SIGTERM and Ctrl-C ask for the end within, and change nothing more once they have; only for the main thread."""
    ending = Ending()
    before = [signal.signal(number, ending.ask) for number in SIGNALS]
    try:
        yield ending
    finally:
        if not ending.is_set():
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler)
        ending.close()
