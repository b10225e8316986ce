"""Which signed page a rescanned picture shows, asked of a limited child: both are strangers' bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.inspect import messages
from ingest.inspect.asking import ask_child
from ingest.inspect.limits import MATCH_SECONDS, MOST_SIGNED
from ingest.inspect.pool import Pool
from storage.scratch import scratch

Box = tuple[float, float, float, float]
Corner = tuple[float, float]
ENOUGH = 0.9
"""Share of agreeing ink from which the pages not yet looked at need not be asked."""


@dataclass(frozen=True, slots=True)
class SignedPage:
    """A signed page's picture; boxes (left, top, right, bottom, stored pixels) that were read alike or otherwise."""

    path: Path
    alike: tuple[Box, ...] = ()
    otherwise: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the two differ: a box on the signed page, its corners on the rescanned one, in stored pixels.

    `kind` is changed, missing, added, or seal (red ink that came later).
    """

    kind: str
    signed: Box
    sheet: tuple[Corner, Corner, Corner, Corner]


@dataclass(frozen=True, slots=True)
class Match:
    """`index` among the pages that were given, None for none. `agreement` is the share of ink that agrees, `unseen`
    that of the signed page's ink which the rescanned picture does not show; `further` counts the smaller places beyond
    the `MOST_PLACES` largest, which alone are told."""

    index: int | None
    agreement: float = 0.0
    inliers: int = 0
    unseen: float = 0.0
    places: tuple[Place, ...] = field(default=())
    further: int = 0


def match_page(rescan: Path, pages: Sequence[SignedPage], *, pool: Pool | None = None) -> Match:
    """The page that `rescan` shows, out of `pages`, the likeliest first. Files are pages' JPEG or PNG files.

    A picture that cannot be opened, or that brings the child down, shows none.
    """
    best = Match(None)
    for start in range(0, len(pages), MOST_SIGNED):
        some = pages[start : start + MOST_SIGNED]
        found = _ask(rescan, some, pool)
        if found.index is not None and found.agreement > best.agreement:
            best = Match(
                found.index + start,
                found.agreement,
                found.inliers,
                found.unseen,
                tuple(Place(place.kind, place.signed, place.sheet) for place in found.places),
                found.further,
            )
        if best.agreement >= ENOUGH:
            break
    return best


def _ask(rescan: Path, pages: Sequence[SignedPage], pool: Pool | None) -> messages.Found:
    with scratch("match") as folder:
        request = {
            "path": str(rescan.resolve()),
            "folder": str(folder),
            "seconds": MATCH_SECONDS,
            "match": [
                {
                    "path": str(page.path.resolve()),
                    "alike": page.alike,
                    "otherwise": page.otherwise,
                }
                for page in pages
            ],
        }
        verdict, _ = ask_child(request, messages.Registered, pool)
    if isinstance(verdict, messages.Refusal):
        return messages.Found(index=None)
    found = verdict.registered
    return found if found.index is None or found.index < len(pages) else messages.Found(index=None)
