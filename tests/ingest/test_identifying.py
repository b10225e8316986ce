"""Who stands at the counter: looked at before the window accepts, compared with the case, and forgotten."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from ingest.models import Case, IdentityCheck
from ingest.rules import CaseState, IdentityPerson, NotNow, is_resident_number, is_unit_number
from ingest.services.answering import answer_points
from ingest.services.handlings import accept
from ingest.services.identifying import CardRead, identify_by_card, identify_by_sight
from ingest.services.intake import Applicant, create_case, submit
from registry.actors import Actor
from registry.models import ApiKey, Event, ServiceItem, User, Window
from registry.permissions import NotYours
from registry.rules import Unlawful
from registry.rules.questionnaire import Answer, points_of
from registry.terms import Delivery, Mode
from registry.time import local_day
from storage.errors import Refused
from tests.cast import APPLICANT, NOW, Cast, assemble

pytestmark = pytest.mark.django_db
# Invented persons; the check characters are right.
NUMBER, OTHER = "11010519491231002X", "440524188001010014"
CARD = CardRead("欧阳询", NUMBER, date(2040, 1, 1))
PERSON = replace(APPLICANT, name="欧阳询", id_number=NUMBER)


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """A draft in 受审分离 of a natural person."""
    cast.item.unified_platform, cast.item.modes = True, [Mode.WINDOW_ACCEPT.value]
    cast.item.save()
    return create_case(
        item=cast.item,
        window=cast.zhuji,
        offices=[cast.taizhou],
        mode=Mode.WINDOW_ACCEPT,
        applicant=PERSON,
        delivery=Delivery.MAIL,
        agent_consent=True,
        actor=cast.clerk,
        now=NOW,
    )


def by_card(case: Case, cast: Cast, card: CardRead = CARD, *, agent: bool = False) -> IdentityCheck:
    person = IdentityPerson.AGENT if agent else IdentityPerson.APPLICANT
    return identify_by_card(case=case, person=person, card=card, actor=cast.clerk, now=NOW)


def complete(cast: Cast, mode: Mode, applicant: Applicant = PERSON) -> Case:
    """A draft in any of the ways, that lacks nothing but a look at who came."""
    ServiceItem.objects.filter(pk=cast.item.pk).update(modes=[], stars=5, unified_platform=True)
    case = create_case(
        item=ServiceItem.objects.get(pk=cast.item.pk),
        window=cast.zhuji,
        offices=[cast.taizhou, cast.wenling] if mode == Mode.JOINT else [cast.taizhou],
        mode=mode,
        applicant=applicant,
        delivery=Delivery.MAIL,
        agent_consent=True,
        actor=cast.clerk,
        now=NOW,
    )
    case.materials.update(deferred_until=local_day(NOW))
    return case


@pytest.mark.parametrize("mode", [Mode.WINDOW_ACCEPT, Mode.WINDOW_FORWARD, Mode.JOINT])
def test_paper_goes_on_from_a_counter_only_after_a_look_at_who_brought_it(cast: Cast, mode: Mode) -> None:
    case = complete(cast, mode)
    with pytest.raises(Unlawful) as refused:
        submit(case=case, actor=cast.clerk, now=NOW)
    assert refused.value.code == "identity_open"
    assert "诸暨 §四(二)" in refused.value.message
    assert "人工核验并写明原因" in refused.value.message
    case.refresh_from_db()
    assert case.state == CaseState.DRAFT
    by_card(case, cast)
    assert submit(case=case, actor=cast.clerk, now=NOW).state == CaseState.SUBMITTED


def test_nobody_stands_at_a_counter_where_all_is_done_online(cast: Cast) -> None:
    case = complete(cast, Mode.ONLINE)
    assert submit(case=case, actor=cast.clerk, now=NOW).state == CaseState.SUBMITTED


def test_of_a_unit_its_handler_is_looked_at(cast: Cast) -> None:
    case = complete(cast, Mode.WINDOW_FORWARD, APPLICANT)
    with pytest.raises(Refused) as refused:
        by_card(case, cast)
    assert refused.value.code == "identity_of_unit"
    # As an earlier version let it be kept.
    IdentityCheck.objects.create(
        case=case, person="applicant", method="reader", document="居民身份证", checked_by="x", checked_at=NOW
    )
    with pytest.raises(Unlawful, match="经办人"):
        submit(case=case, actor=cast.clerk, now=NOW)
    Case.objects.filter(pk=case.pk).update(mode=Mode.JOINT, agent_consent=False)
    case.refresh_from_db()
    handler = replace(CARD, name="褚遂良", id_number=OTHER)
    assert by_card(case, cast, handler, agent=True).person == "agent", "who comes for a unit needs no consent"


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        ("91330681MA2XW00000", True),
        ("91330000142910094Q", True),
        (NUMBER, False),
        (NUMBER[:-1] + "1", False),
        ("E12345678", False),
        ("", False),
    ],
)
def test_which_numbers_are_those_of_units(number: str, unit: bool) -> None:
    assert is_unit_number(number) is unit


def test_what_waits_for_the_look_is_refused_beside_the_form_that_does_it(cast: Cast, client: Client) -> None:
    case = complete(cast, Mode.WINDOW_FORWARD)
    case.materials.update(deferred_until=date(2099, 1, 1))
    client.force_login(User.objects.get(username="clerk"))
    page = reverse("case", args=[case.number])
    before = client.get(page).text
    assert '<a href="#identity">核验身份</a>' in before
    refused = client.post(reverse("submit_case", args=[case.number]))
    assert refused.status_code == 409
    section = refused.text.partition('id="identity"')[2].partition("</section>")[0]
    assert "尚未核验申请人或委托人的身份证件" in section
    assert "记录核验" in section
    client.post(
        reverse("identify", args=[case.number]),
        {"person": "applicant", "document": "护照", "reason": "外籍证件"},
    )
    after = client.get(page).text
    assert "外籍证件" in after
    assert "核验身份</a>" not in after
    client.post(reverse("submit_case", args=[case.number]))
    case.refresh_from_db()
    assert case.state == CaseState.SUBMITTED


def test_the_window_does_not_accept_before_it_looked_at_a_document(case: Case, cast: Cast) -> None:
    """A platform may have handed the case on; who stands at the counter now is looked at all the same."""
    case.materials.update(deferred_until=local_day(NOW))
    answers = {point.code: Answer(point.expect) for point in points_of(case.item.review_points)}
    answer_points(case=case, answers=answers, actor=cast.clerk, now=NOW)
    key, _ = ApiKey.make(name="platform", scopes=["platform"], now=NOW, window=cast.zhuji)
    handling = submit(case=case, actor=Actor.of_key(key), now=NOW).handlings.get()
    with pytest.raises(Unlawful) as refused:
        accept(handling=handling, actor=cast.clerk, now=NOW)
    assert refused.value.code == "identity_open"
    by_card(case, cast)
    assert accept(handling=handling, actor=cast.clerk, now=NOW).state == "accepted"
    case.refresh_from_db()
    with pytest.raises(NotNow):
        by_card(case, cast)


def test_a_card_that_fits_is_kept_without_what_it_says(case: Case, cast: Cast) -> None:
    kept = by_card(case, cast)
    assert (kept.person, kept.method, kept.document) == ("applicant", "reader", "居民身份证")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ingest_identitycheck")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT data FROM registry_event")
        stored += str(cursor.fetchall()) + repr(CARD)
    assert NUMBER not in stored
    assert "欧阳询" not in stored


@pytest.mark.parametrize(
    ("card", "agent", "code"),
    [
        (replace(CARD, name="褚遂良"), False, "identity_differs"),
        (replace(CARD, id_number=OTHER), False, "identity_differs"),
        (replace(CARD, valid_until=date(2026, 3, 9)), False, "identity_expired"),
        (replace(CARD, id_number="110105194912310021"), False, "identity_unread"),
        (replace(CARD, name=""), False, "identity_unread"),
        (CARD, True, "identity_is_applicant"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_and_that_it_was_shown_is_kept(
    case: Case, cast: Cast, card: CardRead, agent: bool, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        by_card(case, cast, card, agent=agent)
    assert refused.value.code == code
    assert not case.identity_checks.exists()
    assert Event.objects.get(kind="identity.refused").data["code"] == code


def test_an_agent_needs_the_applicants_consent(case: Case, cast: Cast) -> None:
    agents = replace(CARD, name="褚遂良", id_number=OTHER, valid_until=None)
    assert by_card(case, cast, agents, agent=True).person == "agent"
    case.agent_consent = False
    with pytest.raises(Refused) as refused:
        by_card(case, cast, agents, agent=True)
    assert refused.value.code == "identity_no_consent"
    with pytest.raises(Refused) as refused:
        identify_by_sight(
            case=case,
            person=IdentityPerson.AGENT,
            document="护照",
            reason="外籍证件",
            actor=cast.clerk,
            now=NOW,
        )
    assert refused.value.code == "identity_no_consent"


def test_by_sight_needs_a_reason(case: Case, cast: Cast, client: Client) -> None:
    client.force_login(User.objects.get(username="clerk"))
    address = reverse("identify", args=[case.number])
    refused = client.post(address, {"person": "applicant", "document": "护照", "reason": " "})
    assert (refused.status_code, "写明原因" in refused.content.decode()) == (409, True)
    long = client.post(address, {"person": "applicant", "document": "护照", "reason": "外" * 201})
    assert (long.status_code, "至多 200 个字" in long.content.decode()) == (409, True)
    client.post(address, {"person": "applicant", "document": "护照", "reason": "外籍证件"})
    assert case.identity_checks.get().reason == "外籍证件"
    assert "外籍证件" in client.get(reverse("case", args=[case.number])).content.decode()


def test_a_reader_may_do_this_one_thing_at_its_own_window(case: Case, cast: Cast) -> None:
    body = {"person": "applicant", "name": "欧阳询", "id_number": NUMBER, "valid_until": None}
    address = f"/api/v1/cases/{case.number}/identity"

    def post(window: Window) -> tuple[int, Client]:
        text = ApiKey.make(name="reader", scopes=["reader"], now=NOW, window=window)[1]
        reader = Client(headers={"authorization": f"Bearer {text}"})
        return reader.post(address, body, content_type="application/json").status_code, reader

    assert post(cast.taizhou_window)[0] == 404
    status, reader = post(cast.zhuji)
    assert status == 201
    assert reader.get(f"/api/v1/cases/{case.number}").status_code == 404
    assert case.identity_checks.get().method == "reader"


def test_not_from_another_window_and_not_after_the_end(case: Case, cast: Cast) -> None:
    with pytest.raises(NotYours):
        by_card(case, replace(cast, clerk=cast.other_clerk))
    Case.objects.filter(pk=case.pk).update(state=CaseState.WITHDRAWN)
    case.refresh_from_db()
    with pytest.raises(NotNow):
        identify_by_sight(
            case=case,
            person=IdentityPerson.APPLICANT,
            document="护照",
            reason="外籍证件",
            actor=cast.clerk,
            now=NOW,
        )


@pytest.mark.parametrize(
    "number", ["", "1" * 18, NUMBER[:-1], NUMBER.lower(), "91330681MA2XW00000", "１" * 18]
)
def test_what_is_no_resident_number(number: str) -> None:
    assert is_resident_number(NUMBER)
    assert not is_resident_number(number)
