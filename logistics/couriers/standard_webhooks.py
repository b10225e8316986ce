"""Standard Webhooks: checking what comes in; what goes out is signed by `registry.webhook_signing`."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from logistics.couriers.errors import Forged
from registry.webhook_signing import headers_for, key_of, signature

__all__ = ["TOLERANCE", "headers_for", "key_of", "signature", "verify"]

TOLERANCE = timedelta(minutes=5)


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
