"""The sandbox's process: a threading HTTP server on loopback, with an optional clock that moves the parcels."""

import logging
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import httpx

from logistics.sandbox.admin import AdminDesk
from logistics.sandbox.ems import EmsDesk
from logistics.sandbox.faults import FaultKind
from logistics.sandbox.http import Answer, Request, says_no
from logistics.sandbox.kdniao import KdniaoDesk
from logistics.sandbox.kuaidi100 import Kuaidi100Desk
from logistics.sandbox.neutral import NeutralDesk
from logistics.sandbox.pushing import Postman
from logistics.sandbox.sf import SfDesk
from logistics.sandbox.world import World

LARGEST_BODY = 1 << 20
log = logging.getLogger("tongban.sandbox")


class SandboxServer(ThreadingHTTPServer):
    """All desks behind one port."""

    daemon_threads = True

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        # What `server_close` ends stands before the port is asked for: it is also called when the port is taken.
        self._stop = threading.Event()
        self.world = world
        self.client = httpx.Client(timeout=30.0, trust_env=False, verify=_certificates())
        self.postman = Postman(faults=world.faults, client=self.client)
        super().__init__((host, port), SandboxHandler)
        self.admin = AdminDesk(world, self.postman)
        desks = (NeutralDesk(world), EmsDesk(world), SfDesk(world), Kuaidi100Desk(world), KdniaoDesk(world))
        self.routes = [*self.admin.routes(), *(known for desk in desks for known in desk.routes())]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def run_clock(self, *, every: float) -> None:
        """Moves every living parcel one step each `every` seconds, until the server closes."""

        def ticking() -> None:
            while not self._stop.wait(every):
                with self.world.locked() as world:
                    living = [one for one in world.shipments() if not one.cancelled]
                for shipment in living:
                    self.admin.step(shipment)

        threading.Thread(target=ticking, daemon=True).start()

    def server_close(self) -> None:
        """Stops the clock and gives the sockets back."""
        self._stop.set()
        super().server_close()
        self.postman.close()
        self.client.close()

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request, faults applied; None when the answer is to be lost."""
        for known in self.routes:
            parts = known.pattern.match(request.path)
            if parts is None or known.method != request.method:
                continue
            act = known.act_of(request)
            if act != "admin":
                spoiled = self._spoiled(act)
                if spoiled is not None:
                    return spoiled
            answer = known.handler(request, parts.groupdict())
            lost = act != "admin" and self.world.faults.take(FaultKind.LOST_ANSWER, act)
            return None if lost else answer
        return says_no("no_such_address", 404)

    def _spoiled(self, act: str) -> Answer | None:
        slow = self.world.faults.take(FaultKind.SLOW, act)
        if slow:
            time.sleep(slow.seconds)
        if self.world.faults.take(FaultKind.ERROR, act):
            return says_no("internal", 500)
        if self.world.faults.take(FaultKind.BUSY, act):
            return replace(says_no("busy", 503), headers={"retry-after": "0"})
        return None


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    # Reading the system's certificates takes longer than everything else here; once is enough.
    return ssl.create_default_context()


class SandboxHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "courier-sandbox"
    # Head and body go out in two writes; held back for the first one's receipt, each answer would take 40 ms.
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        """Reads the request whole, answers, or drops the connection."""
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            self._write(says_no("too_large", 413))
            return
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        answer = cast(SandboxServer, self.server).answer(request)
        if answer is None:
            self.close_connection = True
            return
        self._write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names set by http.server

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.media_type)
        self.send_header("content-length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - signature set by http.server
        """Method and path only; bodies hold names and addresses."""
        log.debug("%s %s", self.command, self.path.partition("?")[0])


@contextmanager
def running(world: World, *, port: int = 0) -> Iterator[SandboxServer]:
    """The sandbox in threads of this process, for tests and the demonstration."""
    server = SandboxServer(world, port=port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
