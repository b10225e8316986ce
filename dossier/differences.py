"""What changed between two versions of a dossier, page by page: by the bytes of each page and where it lies."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from dossier.contents import Leaf


class Change(StrEnum):
    """`MOVED`: the same image in another material or order. `CHANGED`: another image in the same place."""

    KEPT = "kept"
    MOVED = "moved"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        return {"kept": "未变", "moved": "移动", "changed": "替换", "added": "新增", "removed": "移除"}[
            self.value
        ]


@dataclass(frozen=True, slots=True)
class Spot:
    """A page where it lies: which page of which material, and of the PDF (both from 1)."""

    material: str
    number: int
    page: int
    sha256: str

    @property
    def words(self) -> str:
        return f"“{self.material}”第 {self.number} 页（卷宗第 {self.page} 页）"


@dataclass(frozen=True, slots=True)
class Row:
    """One page of either version; at least one side is there."""

    change: Change
    before: Spot | None
    after: Spot | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All pages of both versions, in the order of the later one; removed pages stand where they were."""

    rows: tuple[Row, ...]

    @property
    def changes(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.change is not Change.KEPT)

    @property
    def summary(self) -> str:
        """“新增 2 页，替换 1 页，未变 9 页”."""
        counts = Counter(row.change for row in self.rows)
        order = (Change.ADDED, Change.CHANGED, Change.MOVED, Change.REMOVED, Change.KEPT)
        return "，".join(f"{change.label} {counts[change]} 页" for change in order if counts[change])


Gap = tuple[list[Spot], list[Spot]]


def compare(before: Sequence[Leaf], after: Sequence[Leaf]) -> Difference:
    """Pages keep their identity by their SHA-256; a page that only slides down because another came before is kept."""
    old, new = _by_material(before), _by_material(after)
    rows: list[Row] = []
    gaps: list[Gap] = []
    for material in dict.fromkeys([*new, *old]):
        kept, open_gaps = _align(old.get(material, []), new.get(material, []))
        rows += kept
        gaps += open_gaps
    rows += _moved(gaps)
    for left, right in gaps:
        rows += [Row(Change.CHANGED, one, other) for one, other in zip(left, right, strict=False)]
        rows += [Row(Change.REMOVED, one, None) for one in left[len(right) :]]
        rows += [Row(Change.ADDED, None, other) for other in right[len(left) :]]
    order = {material: place for place, material in enumerate(dict.fromkeys([*new, *old]))}
    return Difference(tuple(sorted(rows, key=lambda row: _place(row, order))))


def _by_material(leaves: Iterable[Leaf]) -> dict[str, list[Spot]]:
    found: dict[str, list[Spot]] = defaultdict(list)
    for leaf in leaves:
        spots = found[leaf.material]
        spots.append(Spot(leaf.material, len(spots) + 1, leaf.page, leaf.sha256))
    return found


def _align(old: list[Spot], new: list[Spot]) -> tuple[list[Row], list[Gap]]:
    """Pages that stayed, and the stretches between them that did not."""
    matcher = SequenceMatcher(
        None, [spot.sha256 for spot in old], [spot.sha256 for spot in new], autojunk=False
    )
    kept: list[Row] = []
    gaps: list[Gap] = []
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            pairs = zip(old[first:last], new[start:end], strict=True)
            kept += [Row(Change.KEPT, one, other) for one, other in pairs]
        else:
            gaps.append((old[first:last], new[start:end]))
    return kept, gaps


def _moved(gaps: list[Gap]) -> list[Row]:
    """Take pages that turn up elsewhere out of the gaps."""
    waiting: dict[str, deque[Spot]] = defaultdict(deque)
    for left, _ in gaps:
        for spot in left:
            waiting[spot.sha256].append(spot)
    rows = []
    for _, right in gaps:
        for spot in list(right):
            if waiting[spot.sha256]:
                rows.append(Row(Change.MOVED, waiting[spot.sha256].popleft(), spot))
                right.remove(spot)
    gone = {id(row.before) for row in rows}
    for left, _ in gaps:
        left[:] = [spot for spot in left if id(spot) not in gone]
    return rows


def _place(row: Row, order: dict[str, int]) -> tuple[int, int, bool]:
    spot = row.after or row.before
    assert spot is not None
    return order[spot.material], spot.number, row.after is None
