"""Overdue originals are chased: one line for each case and desk, then an incident, until the paper moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ingest.models import Case, Handling, Message, Original
from ingest.rules import HandlingState
from logistics.models import Chase, ChaseMark, Incident, Parcel
from logistics.rules.overdue import Late
from logistics.rules.parcels import IncidentKind, ParcelState, Party
from logistics.services import chasing
from logistics.services.chasing import chase_overdue, chased
from logistics.services.custody import receive_parcel
from logistics.services.endings import hand_to_applicant
from logistics.services.incidents import resolve_incident
from logistics.services.losses import report_missing
from logistics.services.overdue import overdue_originals
from registry.events import verify_chains
from registry.models import DeadlinePolicy, Event, MaterialRequirement
from registry.permissions import visible
from registry.rules.talk import Side
from tests.cast import NOW
from tests.logistics.road import Road
from workers.upkeep import DUTIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
MARCH = NOW.replace(hour=2)
FIRST, SECOND, THIRD, ANSWERED = 13, 17, 19, 20
"""The paper may leave since Tuesday the 10th, and was to leave by Thursday the 12th."""


def on(day: int) -> datetime:
    """Ten o'clock at Shanghai on a day of March 2026."""
    return MARCH.replace(day=day)


@pytest.fixture
def late(road: Road) -> Road:
    """Two originals that may be posted lie at the window."""
    MaterialRequirement.objects.update(mailed=True)
    Original.objects.update(moved_at=NOW)
    return road


def fresh(original: Original) -> Original:
    return Original.objects.select_related("case", "handling").get(pk=original.pk)


def lines() -> list[str]:
    return [message.words for message in Message.objects.filter(side=Side.SYSTEM).order_by("pk")]


def until(last: int, first: int = FIRST) -> list[int]:
    """Every day's round; what each did."""
    return [chase_overdue(now=on(day)) for day in range(first, last + 1)]


def test_the_desk_is_told_in_one_line_of_its_case(late: Road) -> None:
    assert DUTIES["chase_overdue"] is chase_overdue
    assert until(12, first=11) == [0, 0], "in time"
    assert chase_overdue(now=on(FIRST)) == 1
    (words,) = lines()
    for part in (late.cast.zhuji.name, Late.UNSENT.label, late.originals[0].name, "2026-03-12"):
        assert part in words
    said = Event.objects.get(kind="original.chased")
    assert (said.case_number, said.actor_kind, said.data["desk"]) == (
        late.case.number,
        "system",
        ["window", late.cast.zhuji.pk],
    )
    assert [each["original"] for each in said.data["originals"]] == [paper.pk for paper in late.originals]
    assert late.originals[0].name not in str(said.data), "names stay in the encrypted line"
    assert {chase.original_id for chase in Chase.objects.all()} == {paper.pk for paper in late.originals}
    assert not list(verify_chains())


def test_told_again_on_working_days_then_the_desk_has_to_answer(late: Road) -> None:
    done = until(24)
    assert dict(zip(range(FIRST, 25), done, strict=True)) == dict.fromkeys(range(FIRST, 25), 0) | {
        FIRST: 1, SECOND: 1, THIRD: 1, ANSWERED: 1,
    }  # fmt: skip
    assert ["已登记异常" in words for words in lines()] == [False, False, False, True]
    incidents = Incident.objects.order_by("original")
    assert [incident.original for incident in incidents] == late.originals
    for incident in incidents:
        assert (incident.kind, incident.owner_kind, incident.owner_id, incident.parcel) == (
            IncidentKind.OVERDUE,
            Party.WINDOW,
            late.cast.zhuji.pk,
            None,
        )
        assert incident.due_at == on(ANSWERED) + timedelta(days=3)
    assert visible(late.cast.clerk, "incident.report", incidents).count() == 2
    assert not visible(late.cast.other_clerk, "incident.report", incidents).exists()
    assert chased(late.originals)[late.originals[0].pk].times == 4


def test_moving_ends_the_incident_and_the_chase_begins_anew_elsewhere(late: Road) -> None:
    until(ANSWERED)
    hand_to_applicant(original=fresh(late.originals[0]), actor=late.cast.clerk, now=on(21))
    first, second = Incident.objects.order_by("original")
    assert (first.state, first.resolved_at, second.state) == ("resolved", on(21), "open")
    assert Event.objects.get(kind="incident.resolved").actor_kind == "system"
    assert chased([fresh(late.originals[0])]) == {}, "counted since it came to where it is"
    assert until(31, first=21) == [0] * 11
    assert not list(verify_chains())


def test_what_may_stay_after_all_ends_it_too(late: Road) -> None:
    until(ANSWERED)
    MaterialRequirement.objects.update(mailed=False)
    assert chase_overdue(now=on(21)) == 2, "even on a Saturday"
    assert set(Incident.objects.values_list("state", flat=True)) == {"resolved"}
    assert until(31, first=22) == [0] * 10


def test_an_answer_gives_time_and_no_more(late: Road) -> None:
    until(ANSWERED)
    for incident in Incident.objects.all():
        resolve_incident(incident=incident, resolution="申请人周五来取", actor=late.cast.clerk, now=on(24))
    assert until(31, first=24) == [0, 0, 1, 0, 0, 0, 1, 0]
    chase_overdue(now=on(31) + timedelta(days=1))
    assert Incident.objects.filter(state="open").count() == 2


def test_what_is_looked_for_is_not_chased(late: Road) -> None:
    for paper in late.originals:
        report_missing(original=paper, actor=late.cast.clerk, now=NOW)
    assert until(20) == [0] * 8
    assert not Chase.objects.exists()


def test_the_sender_asks_after_the_courier_and_the_receiver_opens_its_bag(late: Road) -> None:
    parcel = late.on_the_road(late.registered())
    until(24)  # due on the 13th
    assert Chase.objects.filter(late=Late.ROAD, desk_kind="window").count() == 8
    told = Incident.objects.get()
    assert (told.parcel, told.original, told.owner_kind) == (parcel, None, Party.WINDOW)
    assert parcel.number in lines()[0]
    Parcel.objects.update(state=ParcelState.DELIVERED.value, delivered_at=on(24))
    assert chase_overdue(now=on(25)) == 1, "it is the receiver's turn"
    told.refresh_from_db()
    assert told.state == "resolved"
    assert until(31, first=26) == [1, 0, 0, 0, 1, 0]
    assert Chase.objects.filter(late=Late.UNTICKED, desk_kind="office").count() == 4
    for day in (1, 2, 3):
        chase_overdue(now=on(31) + timedelta(days=day))
    told = Incident.objects.get(state="open")
    assert (told.parcel, told.owner_kind, told.owner_id) == (parcel, Party.OFFICE, late.cast.taizhou.pk)
    parcel.refresh_from_db()
    ids = [paper.pk for paper in late.originals]
    receive_parcel(parcel=parcel, ticked=ids, actor=late.cast.officer, now=on(31) + timedelta(days=4))
    told.refresh_from_db()
    assert (told.state, told.resolution) == ("resolved", "原件已离开原处。")


def test_a_chased_parcel_that_is_opened_and_empty_is_answered_for_by_its_missing_papers(late: Road) -> None:
    parcel = late.on_the_road(late.registered())
    until(24)
    assert Incident.objects.get(kind=IncidentKind.OVERDUE).state == "open"
    receive_parcel(parcel=parcel, ticked=(), actor=late.cast.officer, now=on(24))
    told = Incident.objects.get(kind=IncidentKind.OVERDUE)
    assert (told.state, told.resolution) == ("resolved", "寄件已签收核对，缺件另行登记。")
    missing = Incident.objects.filter(kind=IncidentKind.MISSING_ITEM, state="open")
    assert {each.original_id for each in missing} == {paper.pk for paper in late.originals}
    assert until(31, first=25) == [0] * 7


def test_the_policy_of_the_desks_region_says_when(late: Road) -> None:
    DeadlinePolicy.objects.create(
        region=late.cast.zhuji.region, valid_from=NOW.date(), amber_days=2, courier_days=3, receipt_days=1,
        chase_days=1, incident_days=2, source="会商",
    )  # fmt: skip
    assert until(18) == [1, 0, 0, 1, 1, 0]
    assert Incident.objects.count() == 2


def test_done_again_it_says_nothing_more(late: Road) -> None:
    assert [chase_overdue(now=on(FIRST)) for _ in range(3)] == [1, 0, 0]
    ChaseMark.objects.update(done=False, reached=0)
    assert chase_overdue(now=on(FIRST) + timedelta(hours=5)) == 0, "not even where the mark was lost"
    assert len(lines()) == 1
    paper = Chase.objects.all()[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Chase.objects.create(
            original=paper.original, late=paper.late, since=paper.since, desk_kind="office", desk_id=1,
            on=paper.on, at=paper.at,
        )  # fmt: skip


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def dies_at(write: int) -> Iterator[None]:
    """The process ends before this many writes reached the database."""
    done = 0

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal done
        if sql.split(maxsplit=1)[0] in {"INSERT", "UPDATE"}:
            if done == write:
                raise Killed
            done += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield


@pytest.mark.parametrize("day", [FIRST, ANSWERED])
def test_killed_at_any_write_and_begun_again_it_tells_everything_once(late: Road, day: int) -> None:
    late.another_case()
    Original.objects.update(moved_at=NOW)
    until(day - 1)
    before, deaths = len(lines()), 0
    while True:
        with transaction.atomic():
            try:
                with dies_at(deaths):
                    chase_overdue(now=on(day))
                whole = True
            except Killed:
                whole = False
            chase_overdue(now=on(day) + timedelta(minutes=1))
            assert len(lines()) == before + 2, f"a line for each case, dead before write {deaths}"
            assert Chase.objects.filter(on=on(day).date()).count() == 4
            assert Incident.objects.filter(state="open").count() == (4 if day == ANSWERED else 0)
            assert not list(verify_chains())
            transaction.set_rollback(True)
        if whole:
            break
        deaths += 1
    assert deaths > 8, "it was to die in the middle, too"


def test_many_cases_are_worked_through_in_pieces(late: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        late.another_case()
    Original.objects.update(moved_at=NOW)
    monkeypatch.setattr(chasing, "BATCH", 1)
    monkeypatch.setattr(chasing, "MOST_BATCHES", 2)
    told = [chase_overdue(now=on(FIRST) + timedelta(minutes=minute)) for minute in range(5)]
    assert (told, len(lines())) == ([2, 2, 1, 0, 0], 5)
    assert Chase.objects.count() == 10
    assert chase_overdue(now=on(SECOND)) == 2, "a new day begins at the first case"


def test_more_papers_take_no_more_queries(late: Road) -> None:
    counts = []
    for more in (1, 6):
        for _ in range(more):
            late.another_case()
        Original.objects.update(moved_at=NOW)
        for _ in range(2):  # the second time everybody has been told
            chase_overdue(now=on(FIRST))
            ChaseMark.objects.update(done=False, reached=0)
        with CaptureQueriesContext(connection) as queries:
            chase_overdue(now=on(FIRST))
        with CaptureQueriesContext(connection) as listed:
            overdue_originals(actor=late.cast.clerk, now=on(FIRST))
        counts.append((len(queries), len(listed)))
    assert counts[0] == counts[1]


def test_an_ended_case_is_left_alone(late: Road) -> None:
    Handling.objects.update(state=HandlingState.WITHDRAWN.value)
    Case.objects.update(state="withdrawn")
    Original.objects.update(place=Original.Place.APPLICANT, place_id=late.case.pk)
    assert until(31) == [0] * 19
