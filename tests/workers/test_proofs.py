"""送达回证: for what came by post and for what was taken at the counter, with the link where the applicant may grade."""

import pytest
from django.conf import settings

from ingest.models import Case, Original, RatingAsk
from ingest.rules import CaseState
from ingest.services.rating import NoSuchAsk, ask_satisfaction, find_ask, link_to_print
from logistics.papers import counter_proof_of
from logistics.services.endings import hand_to_applicant
from registry.models import Event, Slip
from registry.paper.kinds import SlipKind
from tests.cast import APPLICANT, NOW, Cast, assemble, further_on, open_case
from tests.ingest.paper import hand_in_everything
from tests.logistics.road import build_road
from workers.reactions import find, jobs_of

NOWHERE = "http://127.0.0.1:9"
COUNTER_PROOF = "issue_counter_proof"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def printed(case: Case) -> list[Slip]:
    return list(Slip.objects.filter(kind=SlipKind.DELIVERY_PROOF, case_number=case.number).order_by("pk"))


def test_a_paper_taken_at_the_counter_has_its_proof_once(cast: Cast, objects: None) -> None:
    road = build_road(cast, NOWHERE)
    original = road.originals[0]
    hand_to_applicant(original=original, actor=cast.clerk, now=NOW)
    (moved,) = Event.objects.filter(kind="original.moved", subject_id=str(original.pk))
    assert (COUNTER_PROOF, "") in list(jobs_of(moved))
    for _ in range(2):
        find(COUNTER_PROOF).do(moved, "", NOW)
    (slip,) = printed(road.case)
    assert slip.stored_id is not None
    assert (slip.data["documents"], slip.data["method"]) == ([original.name], "窗口领取")
    assert slip.data["rating_link"] == road.case.rating_ask.link


def test_what_goes_by_post_or_to_an_office_needs_no_proof_from_the_counter(cast: Cast, objects: None) -> None:
    road = build_road(cast, NOWHERE).pre_reviewed()
    road.decided()
    for moved in Event.objects.filter(kind="original.moved"):
        assert COUNTER_PROOF not in [name for name, _ in jobs_of(moved)]


def test_the_code_is_printed_before_the_case_is_closed_and_opens_the_question_then(cast: Cast) -> None:
    case = further_on(open_case(cast), CaseState.DELIVERING)
    link = link_to_print(case)
    assert link_to_print(case) == link
    assert link.startswith(settings.PUBLIC_URL)
    for known in (case.number, APPLICANT.name, APPLICANT.phone):
        assert known not in link
    token = link.rpartition("/")[2]
    with pytest.raises(NoSuchAsk, match="归结后才能评价"):
        find_ask(token=token, caller="192.0.2.7", now=NOW)
    assert not Event.objects.filter(kind="rating.asked").exists()
    further_on(case, CaseState.CLOSED, closed_at=NOW)
    asked = ask_satisfaction(case=case, now=NOW)
    assert asked.link == link
    assert find_ask(token=token, caller="192.0.2.7", now=NOW).ask == asked
    assert Event.objects.filter(kind="rating.asked").count() == 1


@pytest.mark.parametrize("state", [CaseState.REFUSED, CaseState.WITHDRAWN])
def test_who_is_not_asked_gets_a_proof_without_a_link(state: CaseState, cast: Cast, objects: None) -> None:
    case = open_case(cast)
    hand_in_everything(case)
    further_on(case, state)
    original = Original.objects.create(
        case=case, kind=Original.Kind.RESULT, name="申请表", place="window", place_id=cast.zhuji.pk, moved_at=NOW,
        handling=case.handlings.get(),
    )  # fmt: skip
    assert counter_proof_of(original, case=case, handed_at=NOW).rating_link == ""
    assert not RatingAsk.objects.exists()
