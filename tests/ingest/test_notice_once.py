"""一次性告知 is said once, and an office's lateness is not forgiven by it."""

from datetime import datetime

import pytest

from ingest.models import Case, Handling
from ingest.rules import HandlingState, NotNow
from ingest.services.handlings import accept, ask_supplement, pre_review, refuse, resubmit
from ingest.services.intake import submit
from registry.models import Event
from registry.time import local_day
from registry.workdays import workdays_between
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def handling(cast: Cast) -> Handling:
    case = open_case(cast)
    hand_in_everything(case)
    return submit(case=case, actor=cast.clerk, now=NOW).handlings.get()


def test_there_is_no_second_notice_and_the_first_stays(cast: Cast, handling: Handling) -> None:
    ask_supplement(handling=handling, reason="申请表未盖章", actor=cast.officer, now=NOW)
    resubmit(handling=handling, actor=cast.clerk, now=NOW.replace(day=11))
    with pytest.raises(NotNow) as refused:
        ask_supplement(handling=handling, reason="还缺委托书", actor=cast.officer, now=NOW.replace(day=12))
    assert refused.value.code == "noticed_once"
    assert "2026-03-10" in refused.value.message
    handling.refresh_from_db()
    assert (handling.state, handling.notice) == (HandlingState.PENDING, "申请表未盖章")
    asked = Event.objects.filter(case_number=handling.case.number, kind="handling.supplement_asked")
    assert asked.count() == 1


def test_the_office_can_still_say_no_after_its_notice_and_the_notice_stays(
    cast: Cast, handling: Handling
) -> None:
    ask_supplement(handling=handling, reason="申请表未盖章", actor=cast.officer, now=NOW)
    resubmit(handling=handling, actor=cast.clerk, now=NOW)
    refuse(handling=handling, reason="申请表仍未盖章", actor=cast.officer, now=NOW)
    assert (handling.notice, handling.reason) == ("申请表未盖章", "申请表仍未盖章")


@pytest.mark.parametrize(
    ("asked", "left"),
    [(NOW.replace(day=12), 3), (NOW.replace(day=17), 0), (NOW.replace(day=20), -3)],
)
def test_a_supplement_gives_back_the_days_left_and_no_day_of_lateness(
    cast: Cast, handling: Handling, asked: datetime, left: int
) -> None:
    back = NOW.replace(day=30)
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    accept(handling=handling, actor=cast.officer, now=NOW)
    ask_supplement(handling=handling, reason="资质证书缺少副本", actor=cast.officer, now=asked)
    resubmit(handling=handling, actor=cast.clerk, now=back)
    assert handling.deadline is not None
    assert workdays_between(local_day(back), handling.deadline) == left
    assert handling.is_late(local_day(back)) == (left < 0)
    assert Case.objects.get(pk=handling.case_id).state == "accepted"
