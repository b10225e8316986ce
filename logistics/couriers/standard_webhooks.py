"""Standard Webhooks signatures (v1, HMAC-SHA256), both ways; source: the standard-webhooks specification."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from logistics.couriers.errors import Forged

TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"
SHORTEST_SECRET, LONGEST_SECRET = 24, 64


def key_of(secret: str) -> bytes:
    """The key bytes of a `whsec_` secret; ValueError when it is no Base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and Base64") from error
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError("a webhook secret has 24 to 64 bytes")
    return key


def signature(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the Base64 HMAC over `id.timestamp.body`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode("ascii")


def headers_for(*, secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a push; with several secrets every signature is sent, as during a rotation."""
    signatures = [
        signature(secret=secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Iterable[str],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> str:
    """The message id of a push signed with any of the secrets, or `Forged`. Header names are lower case.

    The signature is checked before the clock, so that only the holder of a secret learns that it is late. Every pair
    of signature and secret is compared, so the time taken does not tell which one fitted.
    """
    message_id = headers.get("webhook-id", "")
    sent_at = headers.get("webhook-timestamp", "")
    claimed = [part for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    if not message_id or not claimed:
        raise Forged("缺少签名头")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
        raise Forged("时间戳无法识别")
    expected = [
        signature(secret=secret, message_id=message_id, timestamp=int(sent_at), body=body)
        for secret in secrets
    ]
    fits = [hmac.compare_digest(one.encode(), other.encode()) for one in claimed for other in expected]
    # The digits are signed as sent: "007" is not the same text as "7".
    if not any(fits) or str(int(sent_at)) != sent_at:
        raise Forged("签名不符")
    if abs(now.timestamp() - int(sent_at)) > tolerance.total_seconds():
        raise Forged("时间戳超出允许范围")
    return message_id
