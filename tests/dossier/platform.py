"""A seal platform on the loopback that speaks CSC 1.0.4.0 as its specification shows it: the key never leaves it."""

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
SHA256 = "2.16.840.1.101.3.4.2.1"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Platform:
    """One credential. `asked` names the endpoints in order; `digests` is all that was ever handed in to be signed;
    the endpoint that `refuses` names says no."""

    key: ec.EllipticCurvePrivateKey
    certificates: list[Certificate]
    client: str = "hall"
    secret: str = "s:cret"
    pin: str = "4711"
    credential: str = "seal-7"
    url: str = ""
    broken: bool = False
    refuses: str = ""
    asked: list[str] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    _tokens: set[str] = field(default_factory=set)
    _released: dict[str, list[str]] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        return f"{self.url}#{self.credential}"

    def answer(self, name: str, bearer: str, body: dict[str, Any]) -> Answer:
        self.asked.append(name)
        if self.broken:
            return 503, {"error": "server_error"}
        if name == self.refuses:
            return 400, {"error": "invalid_request"}
        if name == "oauth2/token":
            return self._token(body)
        if bearer not in self._tokens:
            return 401, {"error": "invalid_token"}
        if body["credentialID"] != self.credential:
            return 400, {"error": "invalid_request", "error_description": "Invalid parameter credentialID"}
        handlers = {
            "credentials/info": self._info,
            "credentials/authorize": self._release,
            "signatures/signHash": self._sign,
        }
        return handlers[name](body)

    def _token(self, body: dict[str, Any]) -> Answer:
        if (body["grant_type"], body["client_id"], body["client_secret"]) != (
            "client_credentials",
            self.client,
            self.secret,
        ):
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(8)
        self._tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _info(self, body: dict[str, Any]) -> Answer:
        chain = [
            base64.b64encode(item.public_bytes(Encoding.DER)).decode("ascii") for item in self.certificates
        ]
        return 200, {
            "key": {"status": "enabled", "algo": [ECDSA_WITH_SHA256], "len": 256},
            "cert": {"status": "valid", "certificates": chain},
            "authMode": "explicit",
            "SCAL": "2",
            "PIN": {"presence": "true", "format": "N"},
            "multisign": 1,
        }

    def _release(self, body: dict[str, Any]) -> Answer:
        if body.get("PIN") != self.pin:
            return 400, {"error": "invalid_pin"}
        activation = secrets.token_urlsafe(8)
        self._released[activation] = body["hash"]
        return 200, {"SAD": activation, "expiresIn": 60}

    def _sign(self, body: dict[str, Any]) -> Answer:
        if self._released.pop(body["SAD"], None) != body["hash"]:
            return 400, {"error": "invalid_sad"}
        if (body["hashAlgo"], body["signAlgo"]) != (SHA256, ECDSA_WITH_SHA256):
            return 400, {"error": "invalid_request"}
        digests = [base64.b64decode(text) for text in body["hash"]]
        self.digests += digests
        made = [self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))) for digest in digests]
        return 200, {"signatures": [base64.b64encode(value).decode("ascii") for value in made]}


@contextmanager
def running(platform: Platform) -> Iterator[Platform]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"]))
            form = self.headers["content-type"] == "application/x-www-form-urlencoded"
            body = dict(parse_qsl(sent.decode())) if form else json.loads(sent)
            assert form == self.path.endswith("/oauth2/token")
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
            status, told = platform.answer(self.path.removeprefix("/tsp/csc/v1/"), bearer, body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Quiet: pytest shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    platform.url = f"http://127.0.0.1:{server.server_address[1]}/tsp"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
