"""Finding pages again by what stands on them, within what the searcher may see, with personal data masked."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.models import Page
from ocr.fields import Field, Kind
from ocr.findings import PageText, texts_of
from ocr.grams import folded, tokens
from ocr.page_index import narrowed
from registry.actors import Actor
from registry.masking import is_organisation, mask_id_number, mask_name, mask_phone
from registry.permissions import visible

MOST_OPENED = 200
"""Pages that the index names and that are opened for one search, the newest first: about half a second of decrypting."""

SHOWN_LETTERS = 40
MOST_LIT = 20
"""Lines of a page that are named to be lit up; more would make its address too long."""


@dataclass(frozen=True)
class Hit:
    """A page on which all that was asked for stands: in `lines`, of which `excerpt` is the first, masked."""

    page: Page
    lines: tuple[int, ...]
    excerpt: str


@dataclass(frozen=True)
class Hits:
    """What was found; `more` says that older pages were not looked at."""

    found: tuple[Hit, ...]
    more: bool


def search_pages(*, text: str, actor: Actor, most: int = 40) -> Hits:
    """Return pages with every part (between spaces) of the text, the newest first."""
    parts = [folded(part) for part in text.split()]
    if not any(tokens(part) for part in parts):
        return Hits((), more=False)
    pages = visible(actor, "page.see", Page.objects.filter(set_aside=False))
    named = narrowed(pages, parts).select_related("case__item", "material").order_by("-pk")
    opened = list(named[: MOST_OPENED + 1])
    hits: list[Hit] = []
    for page in texts_of(opened[:MOST_OPENED]):
        if len(hits) == most:
            break
        if (hit := _hit(page, parts)) is not None:
            hits.append(hit)
    return Hits(tuple(hits), more=len(opened) > MOST_OPENED or len(hits) == most)


def _hit(text: PageText, parts: Sequence[str]) -> Hit | None:
    if text.standing is None:
        return None
    lines = [("" if line.seal else folded(line.text)) for line in text.standing.lines]
    if not all(any(part in line for line in lines) for part in parts):
        return None
    # What was asked for first is shown.
    number = next(n for n, line in enumerate(lines) if parts[0] in line)
    others = (n for n, line in enumerate(lines) if n != number and any(part in line for part in parts))
    fields = [field for field in text.standing.fields if field.line == number]
    shown = _masked(text.standing.lines[number].text, fields, text.page.case.applicant_name)
    lit = (number, *others)[:MOST_LIT]
    return Hit(text.page, lit, shown if len(shown) <= SHOWN_LETTERS else shown[:SHOWN_LETTERS] + "…")


def _masked(line: str, fields: Sequence[Field], applicant: str) -> str:
    """The line with the numbers and names of people in it masked, as on every list."""
    masks = {Kind.IDENTITY_NUMBER: mask_id_number, Kind.PHONE: mask_phone, Kind.NAME: mask_name}
    for field in sorted(fields, key=lambda field: -field.start):
        if field.kind in masks:
            line = line[: field.start] + masks[field.kind](line[field.start : field.end]) + line[field.end :]
    if applicant and not is_organisation(applicant):
        line = line.replace(applicant, mask_name(applicant))
    return line
