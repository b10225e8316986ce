"""Virus scanners for tests: a small server that speaks clamd's INSTREAM, and the real clamd where it is installed."""

import os
import shutil
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.services.processes import wait_until

CLAMD = shutil.which("clamd") or ("/usr/sbin/clamd" if Path("/usr/sbin/clamd").exists() else None)
MARK = b"TONGBAN-TEST-SIGNATURE-7f3a91"
"""What the one signature of both scanners looks for, anywhere in a file."""

NAME = "Tongban.Test.Mark"
STREAM_LIMIT = 1 << 20


class _Handler(socketserver.StreamRequestHandler):
    """clamd(8): `z` commands end with a NUL; blocks of INSTREAM come behind their length in network order."""

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            byte = self.rfile.read(1)
            if not byte:
                return
            command += byte
        self.wfile.write(self._answer(command) + b"\0")

    def _answer(self, command: bytes) -> bytes:
        if command != b"zINSTREAM\0":
            return b"UNKNOWN COMMAND"
        stream = b""
        while size := struct.unpack("!L", self.rfile.read(4))[0]:
            stream += self.rfile.read(size)
            if len(stream) > STREAM_LIMIT:
                return b"INSTREAM size limit exceeded. ERROR"
        return b"stream: " + (f"{NAME}.UNOFFICIAL FOUND".encode() if MARK in stream else b"OK")


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def small_scanner(folder: Path, *, tcp: bool = False) -> Iterator[str]:
    """The address of a server that speaks the protocol as its documentation says."""
    server: socketserver.BaseServer
    if tcp:
        server = _TcpServer(("127.0.0.1", 0), _Handler)
        address = f"127.0.0.1:{server.server_address[1]}"
    else:
        address = str(folder / "clamd.sock")
        server = _UnixServer(address, _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def real_clamd(folder: Path) -> Iterator[str]:
    """The address of a real clamd that knows one signature, ours. Needs CLAMD."""
    assert CLAMD is not None
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "own.ndb").write_text(f"{NAME}:0:*:{MARK.hex()}\n")
    address = folder / "clamd.sock"
    lines = [
        f"LocalSocket {address}",
        f"DatabaseDirectory {signatures}",
        f"TemporaryDirectory {folder}",
        f"StreamMaxLength {STREAM_LIMIT}",
        "Foreground yes",
    ]
    (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
    log = folder / "clamd.log"
    environment = {**os.environ, "LANG": "C.UTF-8"}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [CLAMD, f"--config-file={folder / 'clamd.conf'}"],
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        wait_until(address.exists, seconds=60, alive=lambda: process.poll() is None)
        yield str(address)
    except TimeoutError:
        raise AssertionError(log.read_text()[-2000:]) from None
    finally:
        process.terminate()
        process.wait()
