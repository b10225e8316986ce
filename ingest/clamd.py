"""ClamAV's daemon asked about one file over its socket (clamd(8), INSTREAM). Values and paths only, no Django."""

import re
import socket
import struct
from contextlib import suppress
from pathlib import Path

CHUNK = 1 << 17
SECONDS = 30.0
"""Until the daemon takes a block or, after the last, answers; a large file is scanned while it still comes in."""

SCAN_SECONDS = 120.0
LONGEST_REPLY = 4096
LONGEST_NAME = 80
_FOUND = re.compile(r"^[^:]*: (?P<name>.+) FOUND$")


class ScannerAway(Exception):
    """The daemon did not answer, or said something that is neither yes nor no. The message is for the log."""


class TooLargeToScan(Exception):
    """The daemon takes no file of this size (its StreamMaxLength)."""


def scan(path: Path, address: str) -> str:
    """The name of the signature that the file bears, or an empty string. Raises ScannerAway, TooLargeToScan.

    `address` is the path of a Unix socket, or host:port.
    """
    try:
        with _connect(address) as connection:
            _send(connection, path)
            connection.settimeout(SCAN_SECONDS)
            return _verdict(_reply(connection))
    except OSError as fault:
        raise ScannerAway(f"clamd at {address}: {fault}") from fault


def _connect(address: str) -> socket.socket:
    if not address.startswith("/"):
        host, _, port = address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(SECONDS)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _send(connection: socket.socket, path: Path) -> None:
    """The command and the file in blocks, each behind its length; a block of no length ends it."""
    connection.sendall(b"zINSTREAM\0")
    with path.open("rb") as file, suppress(BrokenPipeError, ConnectionResetError):  # it has answered already
        while block := file.read(CHUNK):
            connection.sendall(struct.pack("!L", len(block)) + block)
        connection.sendall(struct.pack("!L", 0))


def _reply(connection: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < LONGEST_REPLY:
        more = connection.recv(LONGEST_REPLY)
        if not more:
            break
        said += more
    return said.rstrip(b"\0").decode(errors="replace").strip()


def _verdict(said: str) -> str:
    if said.endswith(": OK"):
        return ""
    if found := _FOUND.match(said):
        return found["name"][:LONGEST_NAME]
    if "size limit exceeded" in said:
        raise TooLargeToScan
    raise ScannerAway(f"clamd said: {said[:200]!r}")
