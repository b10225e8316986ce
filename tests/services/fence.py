"""Keeps the test process on this machine: a connection to anywhere else is an error."""

import ipaddress
import socket
import sys
from typing import Any


class LeftTheMachine(Exception):
    """A test tried to reach a host that it did not start."""


def put_up() -> None:
    """From now on, for the life of the process: audit hooks cannot be taken away again."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and not _is_here(arguments[0], arguments[1]):
        raise LeftTheMachine(f"connection to {arguments[1]}")
    if event == "socket.getaddrinfo" and not _is_local_name(arguments[0]):
        raise LeftTheMachine(f"name lookup of {arguments[0]}")


def _is_here(connection: socket.socket, address: Any) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    return _is_local_name(address[0])


def _is_local_name(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback or name in ("0.0.0.0", "::")
    except ValueError:
        return False
