"""A private SeaweedFS that speaks S3 on loopback, its other ports shut by signing keys.

Only the S3 port needs to be known outside. The servers behind it find each other at ports that are kept in
`ports.json`; each also opens port + 10000 for gRPC. Object locks hold at the S3 port only.
"""

import http.client
import json
import secrets
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.services.processes import Service, write_private

GRPC_OFFSET = 10_000
INNER = ("master", "volume", "filer", "admin")


@dataclass(frozen=True)
class PrivateSeaweed(Service):
    port: int
    access_key: str
    secret_key: str
    signing_key: str
    filer_signing_key: str
    filer_read_key: str

    name = "seaweed"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        (self.folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        identity = {
            "name": "tongban",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        write_private(self.folder / "s3.json", json.dumps({"identities": [identity]}))
        if not self._ports_file.exists():
            write_private(
                self._ports_file, json.dumps(dict(zip(INNER, _free_pairs(len(INNER)), strict=True)))
            )

    def command(self) -> list[str]:
        ports = self._ports()
        return [
            str(Path(sys.executable).with_name("weed")),
            "mini",
            "-dir=data",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-s3.config=s3.json",
            f"-s3.port={self.port}",
            # Sockets go below our own folder; the folder is the working directory, so the names stay short.
            "-s3.localSocket=s3.sock",
            "-filer.localSocket=filer.sock",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *(f"-{part}.port={ports[part]}" for part in INNER),
        ]

    def environment(self) -> dict[str, str]:
        return {
            "WEED_JWT_SIGNING_KEY": self.signing_key,
            "WEED_JWT_FILER_SIGNING_KEY": self.filer_signing_key,
            "WEED_JWT_FILER_SIGNING_READ_KEY": self.filer_read_key,
        }

    def is_ready(self) -> bool:
        """The S3 port answers a while before the volumes are known, and fails reads until then: ask for both."""
        return _ask(self.port, "/status") is not None and self._has_volumes()

    def _has_volumes(self) -> bool:
        answer = _ask(self._ports()["master"], "/dir/status")
        return answer is not None and json.loads(answer)["Topology"]["Max"] > 0

    def _ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads(self._ports_file.read_text())
        return ports

    @property
    def _ports_file(self) -> Path:
        return self.folder / "ports.json"


def _ask(port: int, path: str) -> bytes | None:
    """The body of a successful answer, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _free_pairs(count: int) -> list[int]:
    """Ports that are free together with their gRPC twin, both below the range of outgoing connections."""
    found: list[int] = []
    while len(found) < count:
        port = 20_000 + secrets.randbelow(2_700)
        if port not in found and _is_free(port) and _is_free(port + GRPC_OFFSET):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
