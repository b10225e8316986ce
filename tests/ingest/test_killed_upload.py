"""The web server is killed, and the connection cut, in the middle of a piece: the upload goes on where it stopped."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from config.embedded import free_ports
from config.services.processes import wait_until
from ingest.models import Case, SourceFile
from registry.models import ApiKey
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import long_picture
from tests.processes import Start, kill, starting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("objects")]
SECONDS = 60
WORDS = ("--workers", "1", "--threads", "2", "--no-control-socket", "--log-level", "error")


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return open_case(cast)


@pytest.fixture
def content() -> bytes:
    return long_picture("long", 300_000)


@pytest.fixture
def start(outside: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    with starting(outside, tmp_path / "log") as start_one:
        yield start_one


class Server:
    """gunicorn on this test's database, reached as a platform's program would."""

    def __init__(self, start: Start, key: str) -> None:
        (self.port,) = free_ports(1)
        self.headers = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0"}
        self.address = f"http://127.0.0.1:{self.port}"
        self.start = start
        self.up()

    def up(self) -> None:
        self.process = self.start(
            *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
            *("--bind", f"127.0.0.1:{self.port}", *WORDS),
        )
        wait_until(self.listens, seconds=SECONDS, alive=lambda: self.process.poll() is None)

    def listens(self) -> bool:
        try:
            return self.say("OPTIONS", "/api/v1/uploads").status_code == 204
        except httpx.TransportError:
            return False

    def say(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return httpx.request(
            method, self.address + path, headers=headers, timeout=SECONDS, trust_env=False, **more
        )

    def offset(self, path: str) -> int:
        return int(self.say("HEAD", path).headers["upload-offset"])

    def begin(self, length: int) -> str:
        return str(
            self.say("POST", "/api/v1/uploads", headers={"Upload-Length": str(length)}).headers["location"]
        )

    def piece(self, path: str, at: int, data: bytes) -> httpx.Response:
        kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(at)}
        return self.say("PATCH", path, headers=kind, content=data)

    def half_a_piece(self, path: str, at: int, data: bytes) -> socket.socket:
        """The head of a PATCH of all of `data`, and half of it. The connection stays open."""
        lines = [
            f"PATCH {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(data)}",
            "Content-Type: application/offset+octet-stream", f"Upload-Offset: {at}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]  # fmt: skip
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data[: len(data) // 2])
        return connection


@pytest.fixture
def server(start: Start, cast: Cast) -> Server:
    return Server(start, ApiKey.make(name="platform", scopes=["platform"], now=NOW, window=cast.zhuji)[1])


def drafts(path: str) -> list[Path]:
    folder: Path = settings.SPOOL_DIR / path.rsplit("/", 1)[-1]
    return [draft for draft in folder.glob(".*") if draft.stat().st_size]


def finish(server: Server, case: Case, path: str) -> httpx.Response:
    body = {"upload": path.rsplit("/", 1)[-1], "material": 1}
    return server.say("POST", f"/api/v1/cases/{case.number}/files/arrived", json=body)


def test_a_server_killed_in_a_piece_costs_that_piece(server: Server, case: Case, content: bytes) -> None:
    path = server.begin(len(content))
    server.piece(path, 0, content[:100_000])
    with server.half_a_piece(path, 100_000, content[100_000:]):
        wait_until(lambda: bool(drafts(path)), seconds=SECONDS)
        kill(server.process)
    server.up()
    assert server.offset(path) == 100_000
    assert server.piece(path, 100_000, content[100_000:]).status_code == 204
    assert finish(server, case, path).json()["verdict"] == "accepted"
    assert SourceFile.objects.get().size == len(content)


def test_a_cut_connection_costs_nothing_that_arrived(server: Server, case: Case, content: bytes) -> None:
    path = server.begin(len(content))
    server.half_a_piece(path, 0, content).close()
    wait_until(lambda: server.offset(path) > 0, seconds=SECONDS)
    here = server.offset(path)
    assert here <= len(content) // 2
    assert server.piece(path, here, content[here:]).headers["upload-offset"] == str(len(content))
    assert finish(server, case, path).json()["pages"] == 1
    assert finish(server, case, path).json()["pages"] == 1
    assert SourceFile.objects.get().size == len(content)
