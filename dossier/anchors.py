"""Anchors of the audit trail: what a day's entries add up to, in a form that a stamp can be put on."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

FORMAT = "tongban-audit-anchor/1"


class Anchor(BaseModel):
    """The entries with numbers above `after` and up to `upto`: how many, and what they add up to.

    `digest` is SHA-256 in hex over a line `number hash\\n` for each entry, in the order of their numbers; `previous` is
    the SHA-256 of the anchor before, empty for the first; `made_at` is ISO 8601 in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = FORMAT
    number: int
    after: int
    upto: int
    count: int
    digest: str
    previous: str
    made_at: str

    @property
    def content(self) -> bytes:
        """Canonical JSON (sorted keys, no spaces): what is stamped and kept."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Sum:
    """What some entries add up to. `upto` is the number of the last one, 0 when there is none."""

    count: int
    digest: str
    upto: int


def add_up(entries: Iterable[tuple[int, str]]) -> Sum:
    """Entries are numbers and hashes, in the order of the numbers."""
    count, upto, sha = 0, 0, hashlib.sha256()
    for number, entry_hash in entries:
        sha.update(f"{number} {entry_hash}\n".encode())
        count, upto = count + 1, number
    return Sum(count, sha.hexdigest(), upto)
