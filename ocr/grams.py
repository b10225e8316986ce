"""Text as an index may know it: pairs of Chinese letters and whole numbers or words, each only as a keyed digest."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUNS = re.compile(rf"([{CJK}]+)|([0-9a-z]{{2,}})")


def folded(text: str) -> str:
    """Return text as it is compared: without white space and case, full-width forms made plain."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def tokens(text: str) -> set[str]:
    """Return what of a text can be asked for: each pair of neighbouring Chinese letters, each whole run of digits
    and Latin letters. A single letter is none."""
    found: set[str] = set()
    for chinese, plain in _RUNS.findall(folded(text)):
        if plain:
            found.add(plain)
        found |= {chinese[at : at + 2] for at in range(len(chinese) - 1)}
    return found


def digests(texts: Iterable[str], key: str) -> list[int]:
    """Return the sorted digests (signed, 32 bits) of all tokens of the texts.

    Without the key a digest cannot be made from a guess. Two tokens may share one: whoever asks the index reads the
    pages it names.
    """
    return sorted({_digest(token, key) for text in texts for token in tokens(text)})


@lru_cache(maxsize=1 << 17)
def _digest(token: str, key: str) -> int:
    made = hmac.new(key.encode(), b"gram:" + token.encode(), hashlib.sha256).digest()
    return int.from_bytes(made[:4], "big", signed=True)
