"""A small receiver of pushes for tests of the sandbox and the adapters: keeps what came, answers as told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from logistics.couriers.base import Acknowledgement, RawRequest


@dataclass
class Listener:
    """`url` to push to; `received` in order of arrival; `answer` decides what each push is told, None hangs up on it.

    `location` is where a redirect leads; `retry_after` is sent along as it stands.
    """

    url: str
    answer: Callable[[RawRequest], Acknowledgement | None]
    location: str = ""
    retry_after: str = ""
    received: list[RawRequest] = field(default_factory=list)


@contextmanager
def listening(answer: Callable[[RawRequest], Acknowledgement | None]) -> Iterator[Listener]:
    listener = Listener(url="", answer=answer)

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            raw = RawRequest(headers={name.lower(): value for name, value in self.headers.items()}, body=body)
            listener.received.append(raw)
            told = listener.answer(raw)
            if told is None:
                self.close_connection = True
                return
            self.send_response(told.status)
            if listener.location:
                self.send_header("location", listener.location)
            if listener.retry_after:
                self.send_header("retry-after", listener.retry_after)
            self.send_header("content-type", told.media_type)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *args: object) -> None:
            """Quiet: pytest shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_address[1]}/push"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
