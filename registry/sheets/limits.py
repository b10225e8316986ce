"""What a foreign table may weigh, and the error that all its readers raise."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context

from storage.errors import Refused

Row = Sequence[str]

# A spreadsheet number carries 15 significant digits; what programs write beyond them is the residue of their
# own binary arithmetic (0.1 + 0.2 is stored as 0.30000000000000004).
SPREADSHEET = Context(prec=15)


class UnreadableSheet(Refused):
    """A file that is no table, lies about itself, or is larger than any honest file."""


@dataclass(frozen=True)
class Limits:
    """What a file may weigh. The defaults hold a million lines; tests use smaller ones."""

    file_bytes: int = 512 << 20
    unpacked_bytes: int = 2 << 30
    unpack_ratio: int = 250
    archive_entries: int = 512
    rows: int = 1_200_000
    columns: int = 256
    cell_characters: int = 32_767
    shared_text_characters: int = 96 << 20
    legacy_bytes: int = 32 << 20


LIMITS = Limits()
