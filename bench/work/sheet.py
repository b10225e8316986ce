"""`sheet ours|openpyxl FILE`: every line of a statement read, by us into exact values, by the peer into cells."""

import time
from collections.abc import Sequence
from pathlib import Path

from openpyxl import load_workbook

from logistics.postage.lines import read_statement


def main(words: Sequence[str]) -> dict[str, object]:
    ways = {"ours": _by_us, "openpyxl": _by_openpyxl}
    begun = time.monotonic()
    lines = ways[words[0]](Path(words[1]))
    return {"seconds": time.monotonic() - begun, "lines": lines}


def _by_us(path: Path) -> int:
    return sum(1 for _ in read_statement(path).lines())


def _by_openpyxl(path: Path) -> int:
    book = load_workbook(path, read_only=True, data_only=True)
    lines = sum(1 for page in book.worksheets for _ in page.iter_rows(values_only=True))
    book.close()
    return lines
