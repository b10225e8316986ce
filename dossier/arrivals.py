"""What the pages of an arrived original say beside the signed ones: which is which, what is missing, what to suggest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.terms import Term

CUT_OFF = 0.2
"""Share of a signed page's ink outside the rescanned picture from which it was not scanned whole."""


class ArrivalState(Term):
    WAITING = "waiting", "比对中"
    COMPARED = "compared", "待认定"
    JUDGED = "judged", "已认定"


class ArrivalVerdict(Term):
    SAME = "same", "一致"
    DIFFERS = "differs", "有差异"
    UNCOMPARABLE = "uncomparable", "无法比对"


class PlaceKind(Term):
    """What seems to have happened in one place. A seal that came later is told, and is no difference."""

    CHANGED = "changed", "内容不同"
    MISSING = "missing", "卷宗有、到件无"
    ADDED = "added", "到件有、卷宗无"
    SEAL = "seal", "后盖印章"


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of difference: a box on the signed page and its corners on the arrived one, in stored pixels."""

    kind: str
    signed: tuple[float, ...]
    sheet: tuple[tuple[float, ...], ...]

    @property
    def counts(self) -> bool:
        return self.kind != PlaceKind.SEAL


@dataclass(frozen=True, slots=True)
class SheetMatch:
    """An arrived page (`sheet`, from 1) and the signed one it shows (`leaf`, from 0), None when it shows none.

    `spots` are the largest places of difference, `further` the number of those beyond.
    """

    sheet: int
    leaf: int | None
    agreement: float = 0.0
    unseen: float = 0.0
    spots: tuple[Spot, ...] = ()
    further: int = 0

    @property
    def cut_off(self) -> bool:
        return self.leaf is not None and self.unseen > CUT_OFF

    @property
    def differs(self) -> bool:
        return any(spot.counts for spot in self.spots)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All arrived pages in their order; `missing` are signed pages (from 0) that none of them shows."""

    sheets: tuple[SheetMatch, ...]
    missing: tuple[int, ...]

    @property
    def out_of_order(self) -> bool:
        leaves = [match.leaf for match in self.sheets if match.leaf is not None]
        return leaves != sorted(leaves)

    @property
    def extra(self) -> tuple[int, ...]:
        """Arrived pages that are none of the signed ones."""
        return tuple(match.sheet for match in self.sheets if match.leaf is None)

    @property
    def suggestion(self) -> ArrivalVerdict:
        """What the machine would say; a person decides. Order alone is no difference of the paper."""
        matched = [match for match in self.sheets if match.leaf is not None]
        if not matched:
            return ArrivalVerdict.UNCOMPARABLE
        if self.missing or self.extra or any(match.differs for match in matched):
            return ArrivalVerdict.DIFFERS
        if any(match.cut_off for match in matched):
            return ArrivalVerdict.UNCOMPARABLE
        return ArrivalVerdict.SAME

    def to_json(self) -> dict[str, Any]:
        return {
            "sheets": [
                {
                    "sheet": match.sheet,
                    "leaf": match.leaf,
                    "agreement": match.agreement,
                    "unseen": match.unseen,
                    "spots": [[spot.kind, spot.signed, spot.sheet] for spot in match.spots],
                    "further": match.further,
                }
                for match in self.sheets
            ],
            "missing": list(self.missing),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Outcome":
        """Rebuild what `to_json` gave."""
        return cls(
            sheets=tuple(
                SheetMatch(
                    one["sheet"],
                    one["leaf"],
                    one["agreement"],
                    one["unseen"],
                    tuple(
                        Spot(kind, tuple(signed), tuple(tuple(corner) for corner in sheet))
                        for kind, signed, sheet in one["spots"]
                    ),
                    one.get("further", 0),
                )
                for one in value["sheets"]
            ),
            missing=tuple(value["missing"]),
        )


def outcome_of(found: Sequence[SheetMatch], leaves: int) -> Outcome:
    """One arrived page for each signed one, the one that agrees best; a second copy of it is a page too many."""
    taken: dict[int, SheetMatch] = {}
    for match in sorted(found, key=lambda one: -one.agreement):
        if match.leaf is not None:
            taken.setdefault(match.leaf, match)
    kept = set(map(id, taken.values()))
    sheets = tuple(
        match if match.leaf is None or id(match) in kept else SheetMatch(match.sheet, None) for match in found
    )
    return Outcome(sheets, tuple(leaf for leaf in range(leaves) if leaf not in taken))


def likeliest(likeness: Sequence[float], *, expected: int, most: int) -> list[int]:
    """Signed pages in the order in which they should be tried: the text tells first, then the place in the stack."""
    order = sorted(range(len(likeness)), key=lambda leaf: (-round(likeness[leaf], 1), abs(leaf - expected)))
    return order[:most]
