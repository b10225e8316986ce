"""Makes a slip from its values: HTML to look at, archival PDF to keep. The same values and time give the same bytes."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import weasyprint
import weasyprint.pdf
from django.template import Context, Engine
from weasyprint.css import ColorProfile
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from registry.paper.compact import compact_fonts
from registry.paper.fonts import SANS, SERIF, typeface
from registry.paper.kinds import SlipKind
from registry.paper.slips import (
    MODELS,
    BilledLine,
    Dispute,
    DisputedLine,
    HandedLine,
    Handover,
    PackingList,
    Receipt,
    Settlement,
    Slip,
)
from registry.time import local_day

TEMPLATE_VERSION = 4
"""Raise it when a template or the stylesheet changes what is printed."""

GETA = "〓"
"""Stands for a character that the typeface lacks, as printers of Chinese have always done."""

ANNEX_ROWS = 40

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "paper"
_PROFILE = "srgb-house"
L = TypeVar("L", BilledLine, DisputedLine, HandedLine)
_MISSING = "⟪缺失⟫"


class OutsideWorld(FatalURLFetchingError):
    """A template or a value made the engine want a resource; slips are made from what is inside alone."""


class _NoFetching(URLFetcher):
    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> NoReturn:
        raise OutsideWorld("a slip never loads anything from outside")


def render(kind: SlipKind | str, data: Slip | Mapping[str, Any], *, issued_at: datetime) -> bytes:
    """The slip as PDF/A-3b. `data` is the model of `kind` or its JSON; it must carry its number.

    Needs no network, database or store. Raises pydantic's ValidationError for values that do not fit the kind.
    """
    slip = slip_of(kind, data)
    if not slip.number:
        raise ValueError("a slip is printed only with its number")
    html = _html(slip, issued_at)
    identifier = hashlib.sha256(html.encode()).hexdigest()[:32].encode()
    document = weasyprint.HTML(string=html, url_fetcher=_NoFetching())
    pdf = document.write_pdf(
        pdf_variant="pdf/a-3b",
        pdf_identifier=identifier,
        pdf_tags=True,
        color_profiles={_PROFILE: _srgb()},
        output_intent=_PROFILE,
    )
    return compact_fonts(bytes(pdf))


def working_paper(template: str, values: Mapping[str, Any]) -> bytes:
    """A sheet that is used and thrown away, as PDF: no number, no seal, not for the archive."""
    context = Context(dict(values), use_l10n=False, use_tz=False)
    html = str(_engine().get_template(template).render(context))
    if _MISSING in html:
        raise LookupError(f"{template} asks for a value that it was not given")
    return compact_fonts(
        bytes(weasyprint.HTML(string=_printable(html), url_fetcher=_NoFetching()).write_pdf())
    )


def preview(
    kind: SlipKind | str, data: Slip | Mapping[str, Any], *, issued_at: datetime | None = None
) -> str:
    """The same slip as one self-contained HTML page, marked as a preview while it has no number."""
    return _html(slip_of(kind, data), issued_at)


def slip_of(kind: SlipKind | str, data: Slip | Mapping[str, Any]) -> Slip:
    """The checked model of a kind from a model or its JSON."""
    model = MODELS[SlipKind(kind)]
    if isinstance(data, Slip):
        if not isinstance(data, model):
            raise TypeError(f"{type(data).__name__} is not the model of {kind}")
        return data
    return model.model_validate(data)


def _html(slip: Slip, issued_at: datetime | None) -> str:
    context = Context(
        {
            "slip": slip,
            "title": slip.kind.label,
            "issued_at": issued_at,
            "issued_day": local_day(issued_at) if issued_at else None,
            "stamp": issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if issued_at else "",
            **_sums(slip),
        },
        use_l10n=False,
        use_tz=False,
    )
    html = str(_engine().get_template(f"{slip.kind.value}.html").render(context))
    if _MISSING in html:
        raise LookupError(f"the template of {slip.kind.value} asks for a value that the slip lacks")
    return _printable(html)


def _sums(slip: Slip) -> dict[str, Any]:
    match slip:
        case Receipt():
            return {"originals": sum(line.original for line in slip.materials)}
        case PackingList():
            return {"copies": sum(line.copies for line in slip.contents)}
        case Settlement():
            return {
                "parcels": sum(office.parcels for office in slip.offices),
                "billed": sum(office.billed for office in slip.offices),
                "disputed": sum(office.disputed for office in slip.offices),
                "corrections": sum(office.corrections for office in slip.offices),
                "sheets": _pages(slip.lines),
            }
        case Dispute():
            return {"sheets": _pages(slip.lines)}
        case Handover():
            return {
                "originals": sum(line.originals for line in slip.lines),
                "weight": sum(line.weight for line in slip.lines),
                "sheets": _pages(slip.lines),
            }
        case _:
            return {}


def _pages(lines: Sequence[L]) -> list[list[tuple[int, L]]]:
    """Numbered lines in tables of about a page: one long table takes the page engine quadratic time."""
    numbered = list(enumerate(lines, 1))
    return [numbered[start : start + ANNEX_ROWS] for start in range(0, len(numbered), ANNEX_ROWS)]


def _printable(html: str) -> str:
    """Replace what the typefaces cannot draw: a missing glyph would be neither readable nor archival."""
    return "".join(char if char in "\n\t" or _has_glyph(char) else GETA for char in html)


@lru_cache(maxsize=8192)
def _has_glyph(char: str) -> bool:
    return all(typeface(family=family).font.get_nominal_glyph(ord(char)) for family in (SANS, SERIF))


def _srgb() -> ColorProfile:
    """The page engine's own sRGB profile, read here because the engine leaves the file open when it reads it."""
    content = (files(weasyprint.pdf) / "sRGB2014.icc").read_bytes()
    return ColorProfile(BytesIO(content), _PROFILE, "relative-colorimetric", (["r"], ["g"], ["b"]))


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(
        dirs=[str(_TEMPLATES)],
        builtins=["registry.paper.wording"],
        string_if_invalid=_MISSING,
    )
