"""Figures on generated scans of a seed that nothing was tuned to."""

from typing import Any

import pytest

from ocr.engines.rapidocr import RapidOcr
from ocr.fields import Check, Kind, find_fields
from ocr.reading import PageText, read_page
from tests.ocr.drawn import UNTUNED, generated
from tests.ocr.scans import Scan, scorer
from tests.shared import needs_shared

KINDS = {"id": Kind.IDENTITY_NUMBER, "uscc": Kind.CREDIT_CODE, "phone": Kind.PHONE, "name": Kind.NAME}

Read = list[tuple[Scan, PageText]]


@pytest.fixture(scope="module")
def read(rapid: RapidOcr) -> Read:
    """Every second page, and all that lie on their side or head: each group is among them."""
    scans = generated(UNTUNED)
    chosen = [scan for number, scan in enumerate(scans) if number % 2 == 0 or scan.lies]
    return [(scan, read_page(scan.path, rapid)) for scan in chosen]


@needs_shared
def test_at_most_three_characters_in_a_thousand_are_wrong(read: Read) -> None:
    score = scorer()
    pages: list[dict[str, Any]] = [score(scan.truth, page.text, scan.fields) for scan, page in read]

    assert sum(page["ec"] for page in pages) <= 0.003 * sum(page["nc"] for page in pages)
    exact = [was_read for page in pages for _kind, _value, was_read in page["f"]]
    assert sum(exact) >= 0.99 * len(exact) > 50


@needs_shared
def test_every_direction_is_right(read: Read) -> None:
    assert [page.angle for _scan, page in read] == [scan.lies for scan, _page in read]
    assert {scan.lies for scan, _page in read} == {0, 90, 180, 270}


@needs_shared
def test_fields_are_found_by_themselves_and_none_is_certain_and_wrong(read: Read) -> None:
    wanted = found = 0
    for scan, page in read:
        truth = {(KINDS[kind], value) for kind, value in scan.fields if kind in KINDS}
        fields = find_fields(page.lines)
        wanted += len(truth)
        found += len(truth & {(field.kind, field.value) for field in fields})
        numbers = [f for f in fields if f.kind in {Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE} and f.certain]
        assert all(field.check == Check.PASSED for field in numbers)
        assert all((field.kind, field.value) in truth for field in numbers)
    assert found >= 0.98 * wanted > 50
