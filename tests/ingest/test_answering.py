"""受审分离: the window accepts on the spot only when the item's questionnaire is answered."""

import pytest

from ingest.models import Case
from ingest.rules import IdentityPerson
from ingest.services.answering import answer_points
from ingest.services.handlings import accept
from ingest.services.identifying import identify_by_sight
from ingest.services.intake import create_case, submit
from registry.models import Event
from registry.permissions import NotYours
from registry.rules import Unlawful
from registry.rules.questionnaire import Answer, points_of
from registry.terms import Delivery, Mode
from registry.time import local_day
from storage.errors import Refused
from tests.cast import APPLICANT, NOW, Cast, assemble


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """A submitted case in 受审分离, its materials all promised."""
    item = cast.item
    item.unified_platform, item.modes = True, [Mode.WINDOW_ACCEPT.value]
    item.save()
    case = create_case(
        item=item,
        window=cast.zhuji,
        offices=[cast.taizhou],
        mode=Mode.WINDOW_ACCEPT,
        applicant=APPLICANT,
        delivery=Delivery.MAIL,
        agent_consent=True,
        actor=cast.clerk,
        now=NOW,
    )
    case.materials.update(deferred_until=local_day(NOW))
    looked_at(case, cast)
    return submit(case=case, actor=cast.clerk, now=NOW)


def looked_at(case: Case, cast: Cast) -> None:
    identify_by_sight(
        case=case,
        person=IdentityPerson.AGENT,
        document="居民身份证",
        reason="读卡器故障",
        actor=cast.clerk,
        now=NOW,
    )


def good(case: Case) -> dict[str, Answer]:
    return {point.code: Answer(point.expect) for point in points_of(case.item.review_points)}


def test_without_answers_the_window_does_not_accept(case: Case, cast: Cast) -> None:
    with pytest.raises(Unlawful) as refused:
        accept(handling=case.handlings.get(), actor=cast.clerk, now=NOW)
    assert refused.value.code == "points_open"
    assert case.handlings.get().state == "pending"


def test_with_every_answer_it_accepts_and_names_its_grant(case: Case, cast: Cast) -> None:
    answer_points(case=case, answers=good(case), actor=cast.clerk, now=NOW)
    handling = accept(handling=case.handlings.get(), actor=cast.clerk, now=NOW)
    assert handling.state == "accepted"
    assert Event.objects.get(kind="handling.accepted").data["grant"]
    with pytest.raises(Refused):
        answer_points(case=case, answers=good(case), actor=cast.clerk, now=NOW)


def test_a_wrong_answer_holds_acceptance_until_it_is_put_right(case: Case, cast: Cast) -> None:
    code = next(iter(good(case)))
    answer_points(case=case, answers={**good(case), code: Answer(value=False)}, actor=cast.clerk, now=NOW)
    with pytest.raises(Unlawful) as refused:
        accept(handling=case.handlings.get(), actor=cast.clerk, now=NOW)
    assert refused.value.code == "points_against"
    answer_points(case=case, answers={code: Answer(value=True)}, actor=cast.clerk, now=NOW)
    accept(handling=case.handlings.get(), actor=cast.clerk, now=NOW)
    told = Event.objects.filter(kind="case.points_answered").order_by("pk")
    assert [event.data["answers"][code] for event in told] == [False, True]


def test_a_point_of_another_item_is_refused_whole(case: Case, cast: Cast) -> None:
    with pytest.raises(Refused) as refused:
        answer_points(case=case, answers={**good(case), "q99": Answer(value=True)}, actor=cast.clerk, now=NOW)
    assert refused.value.code == "point_unknown"
    code = next(iter(good(case)))
    with pytest.raises(Refused, match="至多 200 个字"):
        answer_points(
            case=case,
            answers={**good(case), code: Answer(value=False, reason="不" * 201)},
            actor=cast.clerk,
            now=NOW,
        )
    assert not case.answers.exists()


def test_another_window_answers_nothing(case: Case, cast: Cast) -> None:
    with pytest.raises(NotYours):
        answer_points(case=case, answers=good(case), actor=cast.other_clerk, now=NOW)
