"""Compares what was read with the case, with the other materials, and with itself. Changes nothing, decides nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import Levenshtein

from ocr.fields import Check, Field, Kind
from ocr.fields.numbers import kind_of_number
from registry.masking import is_organisation
from registry.terms import Term

NEAR = 2
"""Values that differ in no more characters than this are likely the same value, misread or mistyped."""

MOST_SHOWN = 3
MOST_COMPARED = 200
"""Different certificate numbers of a case that are compared with one another; a register may hold thousands."""

EXPECTED = {
    "name": Kind.NAME,
    "id_number": Kind.IDENTITY_NUMBER,
    "uscc": Kind.CREDIT_CODE,
    "phone": Kind.PHONE,
    "date": Kind.DATE,
    "certificate_number": Kind.CERTIFICATE_NUMBER,
}
"""The words of the catalogue (应含要素) and what they mean here."""

MUST_AGREE = frozenset({Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE, Kind.NAME})
"""Where a material is expected to show one of these, one of them must be the applicant's."""


PERIOD = re.compile("有效期|有效日期|营业期限|使用期限|经营期限")
ENDS = re.compile("有效期(?:限)?至|有效日期至|有效期截止|截止日期|失效日期|期限至")
"""What papers print before a period, and before its last day."""


class Trouble(Term):
    """What is wrong with a value."""

    CHECK_FAILED = "check_failed", "校验未通过"
    ENGINES_DIFFER = "engines_differ", "两次识别不同"
    CASE_DIFFERS = "case_differs", "与办件登记不同"
    MATERIALS_DIFFER = "materials_differ", "材料之间不同"
    EXPIRED = "expired", "已过有效期"
    NOT_SIGNED = "not_signed", "未签字或盖章"
    NOT_FOUND = "not_found", "没有找到"


@dataclass(frozen=True, slots=True)
class Place:
    """A field and where it stands: the page's key and number in its material, and whether a person looked at its line."""

    field: Field
    page: int
    number: int
    material: str
    looked_at: bool

    @property
    def where(self) -> str:
        """Material and page in words."""
        return f"“{self.material}”第 {self.number} 页"


@dataclass(frozen=True, slots=True)
class Paper:
    """A material with the fields on its pages; `expected` holds the catalogue's words, `read` says whether all pages were."""

    name: str
    expected: tuple[str, ...]
    places: tuple[Place, ...]
    read: bool = True


@dataclass(frozen=True, slots=True)
class Registered:
    """What the case says of its applicant, as typed at the counter."""

    name: str
    id_number: str
    phone: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should look at; `sentence` holds no personal data, `registered` is the case's own value."""

    trouble: Trouble
    kind: Kind
    sentence: str
    places: tuple[Place, ...] = ()
    registered: str = ""

    @property
    def open(self) -> bool:
        """Whether nobody has looked at all of it yet; what nobody can find in the text stays open."""
        return not self.places or not all(place.looked_at for place in self.places)


def compare(papers: Sequence[Paper], registered: Registered, today: date) -> list[Finding]:
    """Return what does not agree or does not hold today, the most telling first; one value is told once."""
    findings = [
        *_with_the_case(papers, registered),
        *_between(papers),
        *_expired(papers, today),
        *_by_itself(papers),
        *_missing(papers),
    ]
    told: set[tuple[int, int, int]] = set()
    kept = []
    for finding in findings:
        keys = {(place.page, place.field.line, place.field.start) for place in finding.places}
        if keys and keys <= told:
            continue
        told |= keys
        kept.append(finding)
    return kept


def _with_the_case(papers: Iterable[Paper], registered: Registered) -> Iterator[Finding]:
    values = {Kind.NAME: registered.name, Kind.PHONE: registered.phone}
    if kind := kind_of_number(registered.id_number):
        values[kind] = registered.id_number
    for paper in papers:
        wanted = {EXPECTED[word] for word in paper.expected if word in EXPECTED} & MUST_AGREE
        for kind, value in values.items():
            places = [
                place for place in paper.places if place.field.kind == kind and _alike(kind, place, value)
            ]
            if not value or not places or any(place.field.value == value for place in places):
                continue
            places.sort(key=lambda place: distance(place.field.value, value))
            nearest = distance(places[0].field.value, value)
            if nearest > _near(value) and kind not in wanted:
                continue
            shown = places[:1] if nearest <= _near(value) else places[:MOST_SHOWN]
            yield Finding(
                Trouble.CASE_DIFFERS,
                kind,
                f"{shown[0].where}的{kind.label}与办件登记的不同",
                tuple(shown),
                value,
            )


def _between(papers: Sequence[Paper]) -> Iterator[Finding]:
    places = [place for paper in papers for place in paper.places]
    for kind in (Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE):
        firsts = _firsts(place for place in places if place.field.kind == kind)
        failing = [place for place in firsts if place.field.check == Check.FAILED]
        for place in failing:
            near = [
                other
                for other in firsts
                if other.field.check == Check.PASSED
                and distance(place.field.value, other.field.value) <= NEAR
            ]
            yield from (_differ(kind, place, other) for other in near[:1])
    numbers = _firsts(place for place in places if place.field.kind == Kind.CERTIFICATE_NUMBER)
    yield from (
        _differ(Kind.CERTIFICATE_NUMBER, one, other)
        for one, other in itertools.combinations(numbers[:MOST_COMPARED], 2)
        if one.material != other.material and distance(one.field.value, other.field.value) <= NEAR
    )
    yield from _names_differ(places)


def _names_differ(places: Sequence[Place]) -> Iterator[Finding]:
    """The legal representative is one person; a firm's name is one name, whatever its letters were read as."""
    names = [place for place in places if place.field.kind == Kind.NAME]
    heads = _firsts(place for place in names if place.field.label.startswith("法定代表人"))
    yield from (
        _differ(Kind.NAME, one, other, "法定代表人")
        for one, other in itertools.combinations(heads[:MOST_SHOWN], 2)
        if one.material != other.material
    )
    firms = _firsts(place for place in names if is_organisation(place.field.value))
    yield from (
        _differ(Kind.NAME, one, other, "单位名称")
        for one, other in itertools.combinations(firms[:MOST_COMPARED], 2)
        if distance(one.field.value, other.field.value) <= _near(one.field.value)
    )


def _by_itself(papers: Iterable[Paper]) -> Iterator[Finding]:
    for place in (place for paper in papers for place in paper.places):
        kind = place.field.kind
        if kind == Kind.BLANK_SIGNATURE:
            sentence = f"{place.where}的“{place.field.label}”处空白"
            yield Finding(Trouble.NOT_SIGNED, kind, sentence, (place,))
        elif place.field.check == Check.FAILED:
            what = "不是日历上的日子" if kind == Kind.DATE else "校验未通过"
            yield Finding(Trouble.CHECK_FAILED, kind, f"{place.where}的{kind.label}{what}", (place,))
        elif place.field.second is not None and place.field.second.value != place.field.value:
            yield Finding(Trouble.ENGINES_DIFFER, kind, f"{place.where}的{kind.label}两次识别不同", (place,))


def _expired(papers: Iterable[Paper], today: date) -> Iterator[Finding]:
    """A period of validity that a paper prints, whose last day is over (the last date on the label's line)."""
    for paper in papers:
        dates = [place for place in paper.places if place.field.kind == Kind.DATE]
        for (_page, _line), line in itertools.groupby(
            dates, key=lambda place: (place.page, place.field.line)
        ):
            places = list(line)
            last = places[-1]
            ends = ENDS.search(last.field.label) or (len(places) > 1 and PERIOD.search(places[0].field.label))
            if ends and last.field.check == Check.PASSED and last.field.value < today.isoformat():
                sentence = f"{last.where}写明的有效期已过"
                yield Finding(Trouble.EXPIRED, Kind.DATE, sentence, (last,))


def _missing(papers: Iterable[Paper]) -> Iterator[Finding]:
    for paper in papers:
        found = {place.field.kind for place in paper.places}
        for kind in (EXPECTED[word] for word in paper.expected if word in EXPECTED):
            if paper.read and kind not in found:
                yield Finding(Trouble.NOT_FOUND, kind, f"“{paper.name}”上没有找到{kind.label}")


def _differ(kind: Kind, one: Place, other: Place, what: str = "") -> Finding:
    sentence = f"{one.where}与{other.where}的{what or kind.label}不同"
    return Finding(Trouble.MATERIALS_DIFFER, kind, sentence, (one, other))


def _alike(kind: Kind, place: Place, value: str) -> bool:
    """Whether two names are both of people, or both of firms: only those can be compared."""
    return kind != Kind.NAME or is_organisation(place.field.value) == is_organisation(value)


def _near(value: str) -> int:
    """How many characters a value of this length may be misread in: a name of three letters only one."""
    return NEAR if len(value) >= 8 else min(1, len(value) - 2)


def _firsts(places: Iterable[Place]) -> list[Place]:
    """The first place of each value."""
    return list({place.field.value: place for place in reversed(list(places))}.values())[::-1]


def distance(one: str, other: str, most: int = 2 * NEAR) -> int:
    """Return how many characters must be put in, taken out or replaced; `most` + 1 for anything farther."""
    return Levenshtein.distance(one, other, score_cutoff=most)
