"""Originals that are late on their way: the clock stops where the policy says so, and somebody's name stands beside it."""

from datetime import date, datetime, timedelta

import pytest

from ingest.models import Delay, Handling, overdue
from ingest.services.clock import tell_passed_deadlines
from ingest.services.handlings import accept, ask_supplement, decide, resubmit
from logistics.models import Parcel
from logistics.rules.parcels import ParcelState
from logistics.services.custody import receive_parcel
from logistics.services.lateness import watch_late_originals
from registry.models import DeadlinePolicy, Event
from registry.rules.deadlines import Delayer
from registry.time import local_day
from tests.cast import NOW
from tests.logistics.road import Road

pytestmark = pytest.mark.usefixtures("objects")

MARCH = NOW.replace(hour=2)


def on(day: int) -> datetime:
    """Ten o'clock at Shanghai on a day of March 2026; the tenth is the Tuesday on which the parcel left."""
    return MARCH.replace(day=day)


@pytest.fixture
def parcel(road: Road) -> Parcel:
    """Accepted with five working days, to the 17th; the originals left on the same day."""
    accept(handling=road.case.handlings.get(), actor=road.cast.officer, now=NOW)
    return road.on_the_road(road.registered())


def policy(*, pauses: bool) -> None:
    DeadlinePolicy.objects.create(
        valid_from=date(2026, 1, 1), amber_days=2, courier_days=3, receipt_days=1, pause_for_courier=pauses, source="会商"
    )  # fmt: skip


def handling_of(road: Road) -> Handling:
    return Handling.objects.select_related("case", "office").get(pk=road.handling.pk)


def delivered(parcel: Parcel, day: int) -> None:
    Parcel.objects.filter(pk=parcel.pk).update(state=ParcelState.DELIVERED, delivered_at=on(day))


def kinds(road: Road) -> list[str]:
    told = Event.objects.filter(case_number=road.case.number, kind__startswith="handling.")
    return [kind.removeprefix("handling.") for kind in told.order_by("pk").values_list("kind", flat=True)]


def test_in_time_nothing_is_late(road: Road, parcel: Parcel) -> None:
    policy(pauses=True)
    assert watch_late_originals(now=on(13)) == 0
    assert not Delay.objects.exists()


def test_the_clock_stands_still_from_the_day_the_parcel_was_due_until_it_is_there(
    road: Road, parcel: Parcel
) -> None:
    policy(pauses=True)
    assert watch_late_originals(now=on(18)) == 1
    late = handling_of(road)
    # Due on Friday the 13th; two working days were left, and stay left however late this was noticed.
    assert (late.paused_on, late.deadline) == (date(2026, 3, 13), date(2026, 3, 17))
    assert not late.is_late(date(2026, 3, 18))
    assert watch_late_originals(now=on(19)) == 0
    delivered(parcel, 19)
    assert watch_late_originals(now=on(20)) == 1
    again = handling_of(road)
    assert (again.paused_on, again.deadline) == (None, date(2026, 3, 23))
    delay = Delay.objects.get()
    assert (delay.who, delay.parcel, delay.stopped) == (Delayer.COURIER, parcel.number, True)
    assert (delay.began_on, delay.ended_on) == (date(2026, 3, 13), date(2026, 3, 19))
    assert kinds(road)[-2:] == ["clock_stopped", "clock_started"]


def test_without_a_policy_the_clock_runs_on_and_the_courier_is_named(road: Road, parcel: Parcel) -> None:
    assert watch_late_originals(now=on(18)) == 1
    assert handling_of(road).paused_on is None
    assert kinds(road)[-1] == "delayed"
    assert tell_passed_deadlines(now=on(18)) == 1
    said = Event.objects.get(kind="handling.deadline_passed")
    assert said.data == {"deadline": "2026-03-17", "office": road.cast.taizhou.code, "cause": "courier"}
    assert tell_passed_deadlines(now=on(19)) == 0


def test_the_office_is_named_when_it_leaves_a_delivered_parcel_unopened(road: Road, parcel: Parcel) -> None:
    policy(pauses=True)
    delivered(parcel, 12)
    assert watch_late_originals(now=on(13)) == 0
    assert watch_late_originals(now=on(16)) == 1
    assert handling_of(road).paused_on is None
    delay = Delay.objects.get()
    assert (delay.who, delay.began_on, delay.stopped) == (Delayer.OFFICE, date(2026, 3, 13), False)
    parcel.refresh_from_db()
    ids = list(parcel.items.values_list("original_id", flat=True))
    receive_parcel(parcel=parcel, ticked=ids, actor=road.cast.officer, now=on(17))
    assert watch_late_originals(now=on(17)) == 1
    assert Delay.objects.get().ended_on == date(2026, 3, 17)
    assert tell_passed_deadlines(now=on(18)) == 1
    assert Event.objects.get(kind="handling.deadline_passed").data["cause"] == "office"


def test_a_supplement_meanwhile_keeps_the_clock_still_until_both_are_over(road: Road, parcel: Parcel) -> None:
    policy(pauses=True)
    watch_late_originals(now=on(16))
    ask_supplement(handling=handling_of(road), reason="缺签名", actor=road.cast.officer, now=on(17))
    resubmit(handling=handling_of(road), actor=road.cast.clerk, now=on(18))
    assert handling_of(road).paused_on == date(2026, 3, 13)
    delivered(parcel, 19)
    watch_late_originals(now=on(20))
    assert handling_of(road).deadline == date(2026, 3, 23)
    assert set(Delay.objects.values_list("who", "ended_on")) == {
        ("courier", date(2026, 3, 19)),
        ("applicant", date(2026, 3, 18)),
    }


def test_an_office_may_decide_before_the_paper_comes_and_is_in_time(road: Road, parcel: Parcel) -> None:
    policy(pauses=True)
    watch_late_originals(now=on(18))
    decide(handling=handling_of(road), approved=False, result_name="", actor=road.cast.officer, now=on(18))
    decided = handling_of(road)
    assert (decided.paused_on, decided.deadline) == (None, date(2026, 3, 20))
    assert not Delay.objects.filter(ended_on__isnull=True).exists()
    assert watch_late_originals(now=on(19)) == 0


def test_before_acceptance_no_time_is_lost(road: Road) -> None:
    road.on_the_road(road.registered())
    policy(pauses=True)
    assert watch_late_originals(now=on(18)) == 0
    accept(handling=handling_of(road), actor=road.cast.officer, now=on(18))
    assert watch_late_originals(now=on(19)) == 1
    assert handling_of(road).paused_on == date(2026, 3, 18)


def test_a_passed_deadline_is_told_once_and_anew_after_it_was_moved_ahead(road: Road, parcel: Parcel) -> None:
    policy(pauses=True)
    delivered(parcel, 11)
    ids = list(parcel.items.values_list("original_id", flat=True))
    receive_parcel(parcel=Parcel.objects.get(pk=parcel.pk), ticked=ids, actor=road.cast.officer, now=on(11))
    assert tell_passed_deadlines(now=on(17)) == 0
    assert [tell_passed_deadlines(now=on(18)) for _ in range(2)] == [1, 0]
    today = local_day(on(18))
    assert Handling.objects.filter(overdue(today)).count() == 1
    # Late days stay late days: a supplement does not make it new.
    ask_supplement(handling=handling_of(road), reason="缺签名", actor=road.cast.officer, now=on(18))
    assert handling_of(road).is_late(today + timedelta(days=9))
    resubmit(handling=handling_of(road), actor=road.cast.clerk, now=on(25))
    assert tell_passed_deadlines(now=on(26)) == 0
