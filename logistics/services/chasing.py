"""催办: whoever has to act on an overdue original is told in the talk of its case, and answers for it in the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Count, F, Max, Q

from ingest.models import Case, Original
from ingest.services.talking import tell_thread
from logistics.models import Chase, ChaseMark, Incident, Parcel
from logistics.rules.chasing import ChaseStep, Pursuit, Told, chasing_words, next_step
from logistics.rules.parcels import IncidentKind
from logistics.services.ends import name_of
from logistics.services.incidents import answers_for, end_incident, open_overdue
from logistics.services.overdue import COURIER, Overdue, overdue_among
from registry.actors import SYSTEM
from registry.calendar import current_calendar
from registry.deadlines import deadline_policies
from registry.events import record
from registry.rules.deadlines import rules_for
from registry.time import local_day
from registry.workdays import is_workday

BATCH = 200
"""Cases, or incidents, that are looked at together, in a number of queries that does not depend on how many they are."""
MOST_BATCHES = 25
"""In one round of upkeep; the next goes on where it stopped, until the day's last case."""
PLACES = (Original.Place.WINDOW, Original.Place.OFFICE, Original.Place.PARCEL)
Key = tuple[str, int]
"""What an incident is about: a parcel, or an original on its desk."""


@dataclass(frozen=True)
class Due:
    """What is done today about one overdue paper."""

    overdue: Overdue
    step: ChaseStep


@dataclass(frozen=True)
class Chased:
    """How often the desk was told since the paper came to where it is, and the last time."""

    times: int
    last: Chase

    @property
    def desk(self) -> tuple[str, int]:
        return self.last.desk_kind, self.last.desk_id


def chase_overdue(*, now: datetime) -> int:
    """Tell every desk, in one line for each case, which originals are overdue there, and open an incident where telling
    did not help; end the incidents of what is late no longer. Once a working day; done again it changes nothing.
    Answers how many lines were written and incidents ended.
    """
    today, calendar = local_day(now), current_calendar()
    done = _end_over(now)
    if not is_workday(today, calendar)[0]:
        return done
    for _ in range(MOST_BATCHES):
        mark = _mark(today)
        if mark.day != today or mark.done:
            break
        lying = Original.objects.filter(place__in=PLACES, case_id__gt=mark.reached).order_by("case_id")
        cases = list(lying.values_list("case_id", flat=True).distinct()[:BATCH])
        groups = _groups(overdue_among(Original.objects.filter(case_id__in=cases), now=now), today)
        for (case, desk), due in sorted(groups.items(), key=lambda group: group[0]):
            done += _chase(case, desk, due, now)
        # Whoever works beside this one may have come further already.
        ChaseMark.objects.filter(pk=mark.pk, day=today, reached=mark.reached).update(
            reached=cases[-1] if cases else mark.reached, done=len(cases) < BATCH
        )
    return done


def chased(originals: Iterable[Original]) -> dict[int, Chased]:
    """Original → how often its desk was told since it came to where it is; two queries, originals never told left out."""
    of_these = Chase.objects.filter(original__in=list(originals), at__gte=F("original__moved_at"))
    counted = of_these.order_by().values("original").annotate(times=Count("pk"), last=Max("pk"))
    rows = {row["original"]: row for row in counted}
    last = Chase.objects.in_bulk([row["last"] for row in rows.values()])
    return {pk: Chased(row["times"], last[row["last"]]) for pk, row in rows.items()}


def told_desk(overdue: Overdue) -> tuple[str, int]:
    """Who is told: the desk whose turn it is; for the courier whoever answers for its parcel."""
    if overdue.who[0] == COURIER and overdue.parcel is not None:
        return answers_for(overdue.parcel)
    return overdue.who


def _mark(today: date) -> ChaseMark:
    """How far the day's round has come; a new day begins at the first case."""
    mark, _ = ChaseMark.objects.get_or_create(pk=1, defaults={"day": today})
    if mark.day < today:
        ChaseMark.objects.filter(pk=1, day=mark.day).update(day=today, reached=0, done=False)
        mark.refresh_from_db()
    return mark


def _groups(found: list[Overdue], today: date) -> dict[tuple[int, tuple[str, int]], list[Due]]:
    """By case and desk, what is due today."""
    calendar, policies = current_calendar(), deadline_policies()
    told: dict[int, date] = dict(
        Chase.objects.filter(original__in=[each.original.pk for each in found])
        .order_by()
        .values("original")
        .annotate(last=Max("on"))
        .values_list("original", "last")
    )
    incidents = _incidents(found)
    groups: dict[tuple[int, tuple[str, int]], list[Due]] = {}
    for each in found:
        waits, answered = incidents.get(_key(each), (False, None))
        paper = Pursuit(each.since, told.get(each.original.pk), answered, waits)
        step = next_step(paper, rules=rules_for(each.region, today, policies), today=today, calendar=calendar)
        if step is not None:
            groups.setdefault((each.original.case_id, told_desk(each)), []).append(Due(each, step))
    return groups


def _incidents(found: list[Overdue]) -> dict[Key, tuple[bool, date | None]]:
    """What it is about → whether an incident is open, and the day on which the last one was closed."""
    originals = [each.original.pk for each in found if each.parcel is None]
    parcels = {each.parcel.pk for each in found if each.parcel is not None}
    rows = Incident.objects.filter(
        Q(original__in=originals, parcel=None) | Q(parcel__in=parcels), kind=IncidentKind.OVERDUE.value
    )
    known: dict[Key, tuple[bool, date | None]] = {}
    for incident in rows.order_by("pk"):
        waits, answered = known.get(_about(incident), (False, None))
        if incident.resolved_at is not None:
            answered = max(answered or date.min, local_day(incident.resolved_at))
        known[_about(incident)] = (waits or incident.state == Incident.State.OPEN, answered)
    return known


def _chase(case_id: int, desk: tuple[str, int], due: list[Due], now: datetime) -> int:
    """One line, its papers, incidents and event together; nothing when the desk was told of this case today."""
    today = local_day(now)
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case_id)
        before = Chase.objects.filter(original__case=case, desk_kind=desk[0], desk_id=desk[1], on=today)
        due = list(_unmoved(case, due))
        if not due or before.exists():
            return 0
        Chase.objects.bulk_create(
            Chase(
                original=each.overdue.original,
                late=each.overdue.late.value,
                since=each.overdue.since,
                desk_kind=desk[0],
                desk_id=desk[1],
                on=today,
                at=now,
            )
            for each in due
        )
        answered = [each.overdue for each in due if each.step == ChaseStep.INCIDENT]
        for each in answered:
            open_overdue(original=each.original, parcel=each.parcel, owner=desk, now=now)
        words = chasing_words(name_of(*desk), map(_told, due), answers=bool(answered))
        tell_thread(case=case, place="催办", words=words, now=now)
        record(
            kind="original.chased",
            actor=SYSTEM,
            subject=case,
            now=now,
            case_number=case.number,
            data={
                "desk": list(desk),
                "originals": [
                    {
                        "original": each.overdue.original.pk,
                        "late": each.overdue.late.value,
                        "since": str(each.overdue.since),
                        "step": each.step.value,
                    }
                    for each in due
                ],
            },
        )
    return 1


def _unmoved(case: Case, due: list[Due]) -> Iterator[Due]:
    """Those that still lie where they were found late, and do so until they are chased: whoever moves one waits, and then
    finds the incident that this move ends. All of the case are held, in one order, as they may move together.
    """
    where = dict(
        Original.objects.select_for_update(no_key=True)
        .filter(case=case)
        .order_by("pk")
        .values_list("pk", "moved_at")
    )
    yield from (each for each in due if where[each.overdue.original.pk] == each.overdue.original.moved_at)


def _told(due: Due) -> Told:
    each = due.overdue
    return Told(each.original.name, each.late, each.since, each.parcel.number if each.parcel else "")


def _end_over(now: datetime) -> int:
    """Close the incidents of what is late no longer, or whose turn it is no longer: a delivery, a decision, a new rule."""
    ended, after = 0, 0
    standing = Incident.objects.filter(kind=IncidentKind.OVERDUE.value, state=Incident.State.OPEN)
    while page := list(standing.filter(pk__gt=after).select_related("original__case").order_by("pk")[:BATCH]):
        after = page[-1].pk
        held = Q(parcel_items__holds=True, parcel_items__parcel__in=[each.parcel_id for each in page])
        lying = Original.objects.filter(held | Q(pk__in=[each.original_id for each in page])).distinct()
        found = {_key(each): told_desk(each) for each in overdue_among(lying, now=now)}
        for incident in page:
            if found.get(_about(incident)) == (incident.owner_kind, incident.owner_id):
                continue
            with transaction.atomic():
                end_incident(
                    incident=incident,
                    resolution="不再超期，或已轮到另一方处理。",
                    case_number=incident.original.case.number if incident.original else "",
                    actor=SYSTEM,
                    now=now,
                    by_loss=False,
                )
            ended += 1
    return ended


def _key(each: Overdue) -> Key:
    parcel: Parcel | None = each.parcel
    return ("parcel", parcel.pk) if parcel is not None else ("original", each.original.pk)


def _about(incident: Incident) -> Key:
    if incident.parcel_id is not None:
        return "parcel", incident.parcel_id
    return "original", incident.original_id or 0
