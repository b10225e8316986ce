"""到期: saying ahead, and on the day, that agreements, grants and items run out, with how many cases that concerns."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q

from ingest.models import Case
from ingest.rules import CaseState
from registry.expiring import Ending, Subject, endings, tell, untold
from registry.models import Agreement, ServiceItem
from registry.rules.expiry import area_prefix, side_prefix
from registry.time import local_day

AT_ONCE = 40
"""Endings whose cases are counted in one query."""


@dataclass(frozen=True)
class Concerned:
    """An ending with what is under way: cases handed in, and those a window has only begun."""

    ending: Ending
    cases: int
    drafts: int


def tell_endings(*, now: datetime) -> int:
    """Say of each agreement, grant and item that it runs out, once for every announced distance and once when it is over."""
    said = 0
    for each in concerned(untold(endings(local_day(now)))):
        said += tell(each.ending, under_way={"cases": each.cases, "drafts": each.drafts}, now=now)
    return said


def ending_soon(today: date, *, most: int) -> tuple[list[Concerned], int]:
    """What whoever can renew has to look at, the soonest first, and how many there are in all."""
    found = endings(today)
    return concerned(found[:most]), len(found)


def concerned(found: list[Ending]) -> list[Concerned]:
    """Each with what is under way, counted over the cases that are not ended, many in one query."""
    return [
        each for first in range(0, len(found), AT_ONCE) for each in _counted(found[first : first + AT_ONCE])
    ]


def _counted(found: list[Ending]) -> list[Concerned]:
    draft = Q(state=CaseState.DRAFT.value)
    counts: dict[str, Count] = {}
    for number, ending in enumerate(found):
        rests = _rests_on(ending.subject)
        counts[f"cases_{number}"] = Count("pk", distinct=True, filter=rests & ~draft)
        counts[f"drafts_{number}"] = Count("pk", distinct=True, filter=rests & draft)
    counted = Case.objects.living().aggregate(**counts)
    return [
        Concerned(ending, counted[f"cases_{number}"], counted[f"drafts_{number}"])
        for number, ending in enumerate(found)
    ]


def _rests_on(subject: Subject) -> Q:
    """The cases that could be taken in because of it."""
    if isinstance(subject, ServiceItem):
        return Q(item_id=subject.pk)
    if isinstance(subject, Agreement):
        one, other = (
            side_prefix(party, shared_citywide=subject.shared_citywide)
            for party in (subject.region_a_id, subject.region_b_id)
        )
        rests = _between(one, other) | _between(other, one)
        codes = [item.code for item in subject.items.all()]
        return rests & Q(item__code__in=codes) if codes else rests
    rests = Q(handlings__office_id=subject.office_id)
    if subject.window_id is not None:
        rests &= Q(window_id=subject.window_id)
    else:
        rests &= Q(window__region__code__startswith=area_prefix(str(subject.region_id)))
    return rests & Q(item__code=subject.item.code) if subject.item else rests


def _between(window: str, office: str) -> Q:
    return Q(window__region__code__startswith=window, handlings__office__region__code__startswith=office)
