"""The least that a receiver of signed pushes has to do: verify, insert, commit, answer."""

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

_SECRET = base64.b64decode(os.environ["BENCH_SECRET"].removeprefix("whsec_"))
_DATABASE = os.environ["BENCH_DATABASE"]
_local = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    known = _is_genuine(headers, body)
    if known:
        row = (headers["HTTP_WEBHOOK_ID"], json.dumps(headers), body)
        connection = _connection()
        connection.execute("INSERT INTO bench_push VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", row)
        connection.commit()
    start_response("200 OK" if known else "403 Forbidden", [("Content-Length", "2")])
    return [b"{}"]


def _is_genuine(headers: dict[str, str], body: bytes) -> bool:
    message, moment = headers.get("HTTP_WEBHOOK_ID", ""), headers.get("HTTP_WEBHOOK_TIMESTAMP", "")
    signed = hmac.new(_SECRET, f"{message}.{moment}.".encode() + body, hashlib.sha256).digest()
    right = "v1," + base64.b64encode(signed).decode()
    return bool(message) and hmac.compare_digest(right, headers.get("HTTP_WEBHOOK_SIGNATURE", ""))


def _connection() -> psycopg.Connection[Any]:
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(_DATABASE)
    connection: psycopg.Connection[Any] = _local.connection
    return connection
