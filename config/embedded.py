"""Secrets and ports of the embedded services, made once under the data folder and kept for the owner's eyes."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.fernet import Fernet


@dataclass(frozen=True)
class Embedded:
    """What the embedded Redis, SeaweedFS, courier sandbox and Django share. Ports are loopback TCP ports."""

    secret_key: str
    field_key: str
    index_key: str
    token_key: str
    redis_password: str
    redis_port: int
    s3_port: int
    sandbox_port: int
    s3_access_key: str
    s3_secret_key: str
    weed_signing_key: str
    weed_filer_signing_key: str
    weed_filer_read_key: str


def free_ports(count: int, *, besides: int | None = None) -> list[int]:
    """Loopback TCP ports that were free a moment ago, all different, below the range that outgoing
    connections draw from, so that a later client socket does not take one. `besides` is promised to somebody."""
    found: list[int] = []
    while len(found) < count:
        port = 20000 + secrets.randbelow(10000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in (besides, *found):
            found.append(port)
    return found


def load_or_make(data_dir: Path, *, web_port: int | None = None) -> Embedded:
    """Read `embedded.json`, or make it; one of an earlier version gets what it lacks. No service gets the pages' port.

    Written once by link, so that two first starts agree on one file.
    """
    path = data_dir / "embedded.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = _write(data_dir, asdict(_make(web_port)))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    known = json.loads(path.read_text())
    lacking = {name: value for name, value in asdict(_make(web_port)).items() if name not in known}
    if lacking:
        known |= lacking
        _write(data_dir, known).replace(path)
    return Embedded(**known)


def _write(data_dir: Path, values: dict[str, str | int]) -> Path:
    """A complete draft beside the final file, readable by its owner alone."""
    draft = data_dir / f".embedded.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _make(web_port: int | None) -> Embedded:
    redis_port, s3_port, sandbox_port = free_ports(3, besides=web_port)
    return Embedded(
        secret_key=secrets.token_urlsafe(48),
        field_key=Fernet.generate_key().decode(),
        index_key=secrets.token_urlsafe(32),
        token_key=secrets.token_urlsafe(32),
        redis_password=secrets.token_urlsafe(24),
        redis_port=redis_port,
        s3_port=s3_port,
        sandbox_port=sandbox_port,
        s3_access_key=secrets.token_hex(10),
        s3_secret_key=secrets.token_urlsafe(30),
        weed_signing_key=secrets.token_urlsafe(32),
        weed_filer_signing_key=secrets.token_urlsafe(32),
        weed_filer_read_key=secrets.token_urlsafe(32),
    )
