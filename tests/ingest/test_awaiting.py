"""Paper that applicants in 全程网办 send themselves: which, from when, and what waits for it."""

from datetime import timedelta

import pytest

from ingest.models import Material, Original
from ingest.rules import NotNow
from ingest.services.awaiting import awaited, check_wanted, lacking_papers
from ingest.services.handlings import ask_supplement, decide, refuse
from ingest.services.intake import submit, take_in_original
from logistics.services.whereabouts import where_is
from registry.events import verify_chains
from registry.models import Event
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, assemble, open_case
from tests.ingest.paper import hand_in_everything
from tests.logistics.online import Online, build_online

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def online() -> Online:
    return build_online(assemble(), NOWHERE)


def grant(online: Online) -> None:
    decide(handling=online.handling, approved=True, result_name="参保凭证", actor=online.officer, now=NOW)


def test_from_the_submission_on_the_papers_are_with_the_applicant(online: Online) -> None:
    assert online.places() == [("applicant", online.case.pk)] * 2
    assert [original.name for original in awaited(online.case)] == ["居民身份证", "灵活就业人员参保登记表"]
    where = where_is(original_id=online.keys()[0], actor=online.officer)
    assert (where.place_label, where.by) == ("申请人", "")
    told = Event.objects.filter(stream=online.case.number, kind="original.awaited")
    assert [(event.actor_label, event.data["material"]) for event in told] == [("省平台", 1), ("省平台", 2)]
    assert not list(verify_chains())


def test_an_item_that_wants_no_paper_waits_for_none() -> None:
    assert not build_online(assemble(), NOWHERE, mailed=False).originals()


def test_what_has_no_electronic_seal_is_named_by_its_position() -> None:
    online = build_online(assemble(), NOWHERE, mailed=False, on_paper=[2])
    assert [original.name for original in awaited(online.case)] == ["灵活就业人员参保登记表"]


def test_other_modes_and_unknown_positions_are_refused() -> None:
    cast = assemble()
    case = open_case(cast)
    hand_in_everything(case)
    with pytest.raises(Refused, match="只有全程网办"):
        submit(case=case, on_paper=[1], actor=cast.clerk, now=NOW)
    case.refresh_from_db()
    assert case.state == "draft"
    with pytest.raises(Refused, match="没有这个序号"):
        build_online(cast, NOWHERE, on_paper=[99])


def test_nothing_is_granted_before_the_paper_is_here(online: Online) -> None:
    online.accepted()
    with pytest.raises(NotNow, match="“居民身份证”、“灵活就业人员参保登记表”还没有收到"):
        grant(online)
    handling = online.handling
    assert (handling.state, handling.paused_on) == ("accepted", None)  # waiting for paper stops no clock
    decide(handling=handling, approved=False, result_name="决定书", actor=online.officer, now=NOW)


def test_a_paper_that_was_promised_for_later_holds_nothing_back(online: Online) -> None:
    online.accepted()
    Material.objects.filter(case=online.case).update(deferred_until=local_day(NOW))
    assert lacking_papers(online.case, today=local_day(NOW + timedelta(days=1)))
    grant(online)


def test_an_optional_paper_holds_nothing_back(online: Online) -> None:
    online.accepted()
    online.case.item.requirements.update(required=False)
    grant(online)


def test_nobody_is_waited_for_once_the_handling_is_over(online: Online) -> None:
    refuse(handling=online.handling, reason="不符合条件", actor=online.officer, now=NOW)
    assert not awaited(online.case)
    with pytest.raises(NotNow, match="没有等待申请人寄送"):
        check_wanted(online.case, [online.originals()[0].pk])


def test_a_window_does_not_take_in_what_the_applicant_sends(online: Online) -> None:
    ask_supplement(handling=online.handling, reason="缺少签名", actor=online.officer, now=NOW)
    online.case.refresh_from_db()
    with pytest.raises(NotNow, match="直接寄往审批部门"):
        take_in_original(
            material=online.case.materials.get(position=1),
            name="",
            verified=False,
            actor=online.cast.other_clerk,
            now=NOW,
        )
    assert Original.objects.count() == 2
