"""SF's message digest, after the rules of Java's URLEncoder."""

import base64
import hashlib
from urllib.parse import quote_plus


def java_url_encode(text: str) -> str:
    """Like Java: `*` stays and `~` is encoded, the other way round than Python's quote_plus."""
    return quote_plus(text).replace("%2A", "*").replace("~", "%7E")


def message_digest(data: str, timestamp: str, checkword: str) -> str:
    """Base64 of the raw MD5 of the encoded data, timestamp and checkword."""
    encoded = java_url_encode(data + timestamp + checkword).encode("ascii")
    return base64.b64encode(hashlib.md5(encoded, usedforsecurity=False).digest()).decode("ascii")
