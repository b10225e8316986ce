"""The wire between a browser and the server, which a test can cut and mend: what goes over it is only passed on."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

SIZE = 1 << 16


class Wire:
    """Listens on an address of its own; cut, nobody answers there and every connection through it is gone."""

    def __init__(self, server_url: str) -> None:
        there = urlsplit(server_url)
        self._server = (there.hostname or "localhost", there.port or 80)
        self._port = 0
        self._listener: socket.socket | None = None
        self._through: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{self._server[0]}:{self._port}"

    def mend(self) -> None:
        """The same address answers again."""
        listener = socket.create_server(("127.0.0.1", self._port), reuse_port=False)
        self._port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._take_in, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Nobody gets through, and whoever was through is not any more."""
        with self._lock:
            ends, self._through = self._through, []
            if self._listener is not None:
                ends.append(self._listener)
                self._listener = None
        for end in ends:
            with suppress(OSError):  # the other side was faster
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _take_in(self, listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
                there = socket.create_connection(self._server)
            except OSError:
                return  # cut
            with self._lock:
                self._through += [here, there]
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):  # cut
        while part := one.recv(SIZE):
            other.sendall(part)
        other.shutdown(socket.SHUT_WR)


@contextmanager
def wired(server_url: str) -> Iterator[Wire]:
    """A whole wire, cut at the end."""
    wire = Wire(server_url)
    wire.mend()
    try:
        yield wire
    finally:
        wire.cut()
