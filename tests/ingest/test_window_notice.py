"""一次性告知权: a window tells everything that is missing in the office's name, once, before acceptance, under the grant."""

import pytest

from ingest.models import Handling
from ingest.rules import CaseState, HandlingState, NotNow
from ingest.services.handlings import accept, ask_supplement, may_still_notify, notify, pre_review, resubmit
from ingest.services.intake import Incomplete, submit
from ingest.slips import notice_of
from registry.granting import revoke_grant
from registry.models import Event, Grant
from registry.permissions import NotYours
from registry.rules import Unlawful
from registry.terms import Right
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


def granted(cast: Cast) -> Grant:
    return Grant.objects.get(office=cast.taizhou, right=Right.NOTIFY.value, region_id="330681")


def test_the_notice_names_its_grant_and_the_case_waits_for_the_applicant(
    cast: Cast, handling: Handling
) -> None:
    notify(handling=handling, reason="申请表未盖章\n缺少委托书", actor=cast.clerk, now=NOW)
    assert (handling.state, handling.case.state) == (HandlingState.SUPPLEMENT, CaseState.SUPPLEMENT)
    event = Event.objects.get(kind="handling.supplement_asked")
    assert event.data["grant"] == granted(cast).pk
    assert handling.delays.get().who == "applicant"
    slip = notice_of(handling, noticed_at=NOW, by_window="grant" in event.data)
    assert slip.issuer == cast.zhuji.name
    assert [line.fault for line in slip.missing] == ["申请表未盖章", "缺少委托书"]
    resubmit(handling=handling, actor=cast.clerk, now=NOW)
    assert handling.state == HandlingState.PENDING


def test_it_is_the_one_notice_for_window_and_office_alike(cast: Cast, handling: Handling) -> None:
    notify(handling=handling, reason="申请表未盖章", actor=cast.clerk, now=NOW)
    resubmit(handling=handling, actor=cast.clerk, now=NOW)
    assert not may_still_notify(handling)
    with pytest.raises(NotNow) as refused:
        notify(handling=handling, reason="还缺一份", actor=cast.clerk, now=NOW)
    assert refused.value.code == "noticed_once"
    with pytest.raises(NotNow) as refused:
        ask_supplement(handling=handling, reason="还缺一份", actor=cast.officer, now=NOW)
    assert refused.value.code == "noticed_once"


def test_without_the_right_nobody_is_told_and_the_sentence_says_whom_to_ask(
    cast: Cast, handling: Handling
) -> None:
    revoke_grant(grant=granted(cast), reason="改由部门告知", actor=cast.administrator, now=NOW)
    with pytest.raises(Unlawful) as refused:
        notify(handling=handling, reason="申请表未盖章", actor=cast.clerk, now=NOW)
    assert refused.value.code == "no_grant_notify"
    assert "联络员" in refused.value.message
    handling.refresh_from_db()
    assert (handling.state, handling.noticed_at) == (HandlingState.PENDING, None)
    ask_supplement(handling=handling, reason="申请表未盖章", actor=cast.officer, now=NOW)
    assert handling.state == HandlingState.SUPPLEMENT


def test_after_acceptance_only_the_office_stops_the_clock(cast: Cast, handling: Handling) -> None:
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    assert may_still_notify(handling)
    accept(handling=handling, actor=cast.officer, now=NOW)
    assert not may_still_notify(handling)
    with pytest.raises(NotNow) as refused:
        notify(handling=handling, reason="缺副本", actor=cast.clerk, now=NOW)
    assert refused.value.code == "notify_accepted"


def test_everything_is_said_and_by_the_window_of_the_case_alone(cast: Cast, handling: Handling) -> None:
    with pytest.raises(Incomplete):
        notify(handling=handling, reason=" ", actor=cast.clerk, now=NOW)
    for stranger in (cast.other_clerk, cast.officer, cast.finance, cast.administrator):
        with pytest.raises(NotYours):
            notify(handling=handling, reason="缺副本", actor=stranger, now=NOW)
