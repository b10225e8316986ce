"""Finds on a read page what a clerk would otherwise type: numbers, names, phones, dates, each with its place."""

from collections.abc import Sequence

from ocr.fields.names import find_names
from ocr.fields.numbers import find_numbers
from ocr.fields.values import CRITICAL, Check, Field, Kind, SecondReading
from ocr.fields.view import RowText, rows_of
from ocr.lines import Line

__all__ = ["CRITICAL", "FINDERS_VERSION", "Check", "Field", "Kind", "SecondReading", "find_fields"]

FINDERS_VERSION = 4
"""Counts changes of what is found or kept of a field; it stands in the identity of a reading."""


def find_fields(lines: Sequence[Line]) -> list[Field]:
    """Return the fields of one page in reading order; `lines` are a page's lines in reading order.

    What was read is never corrected: a number that fails its check digit, or has too few or too many characters beside
    its label, is given as read and never as certain.
    """
    rows: list[RowText] = rows_of(lines)
    found = find_numbers(rows)
    found += find_names(rows)
    return sorted(found, key=lambda field: (field.line, field.start))
