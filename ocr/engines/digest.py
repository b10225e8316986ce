"""Names a set of settings by its hash, so that a reading can be told from one made otherwise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def digest(settings: Mapping[str, object]) -> str:
    """Return SHA-256 in hex over plain values, whatever their order."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
