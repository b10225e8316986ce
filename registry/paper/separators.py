"""Separator sheets: one for each row of a checklist, laid before its papers when a stack is scanned.

A working paper, not a document: it has no number, no seal and no name of anybody, and it is printed anew at will.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.paper.engine import working_paper

_BAR_TOPS = tuple(12 * step + 9 for step in range(24))
"""Millimetres from the top of an A4 sheet; `ingest.inspect.sheets` knows the pitch."""


@dataclass(frozen=True)
class Separator:
    """One sheet; `code` is the text of its QR code."""

    position: int
    name: str
    case_number: str
    item_name: str
    code: str


def separators_pdf(sheets: Sequence[Separator]) -> bytes:
    """One A4 page for each sheet: three codes, bars along both edges, and in words where the papers belong."""
    return working_paper("separator.html", {"sheets": sheets, "bars": _BAR_TOPS})
