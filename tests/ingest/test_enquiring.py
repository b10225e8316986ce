"""Asking for progress without an account: the right tail opens, everything else gets one answer, and guessing is braked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

import ingest.services.enquiring as enquiring
from ingest.models import Case, EnquiryBrake
from ingest.services.enquiring import (
    WRONG_TAILS_A_DAY,
    LockedOut,
    NoMatch,
    Unreadable,
    glance,
    look_up,
    look_up_by_slip,
)
from registry.actors import SYSTEM
from registry.braking import TooOften
from registry.events import verify_chains
from registry.models import CallCount, Event, Slip
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.tokens import Purpose, mint, write
from storage.errors import Refused
from tests.cast import APPLICANT, NOW, assemble, open_case
from tests.registry.paper import one_of_each

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
TAIL, WRONG = "8000", "1234"
pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return open_case(assemble())


@pytest.fixture
def slip(case: Case) -> Slip:
    data = one_of_each()[SlipKind.RECEIPT].model_copy(update={"case_number": case.number})
    return issue(kind=SlipKind.RECEIPT, subject=case, data=data, actor=SYSTEM, now=NOW)


def ask(number: str, tail: str = TAIL, caller: str = HERE, now: object = NOW) -> Case:
    return look_up(number=number, tail=tail, caller=caller, now=now)  # type: ignore[arg-type]


def kinds(case: Case) -> list[str]:
    return list(Event.objects.filter(stream=case.number).order_by("sequence").values_list("kind", flat=True))


def test_number_and_tail_open_the_case_and_the_look_is_recorded(case: Case) -> None:
    assert ask(f" {case.number.lower()} ") == case
    assert kinds(case)[-1] == "progress.looked_at"
    event = Event.objects.get(kind="progress.looked_at")
    assert (event.actor_kind, event.data) == ("applicant", {})
    assert list(verify_chains()) == []


def test_no_such_case_and_a_wrong_tail_get_the_same_answer(case: Case) -> None:
    told = []
    for number, tail in ((case.number, WRONG), ("33068120260310999X", TAIL)):
        with pytest.raises(NoMatch) as refused:
            ask(number, tail)
        told.append((refused.value.code, refused.value.message))
    assert told[0] == told[1]
    assert "progress.looked_at" not in kinds(case)


def test_both_cost_the_same_queries(case: Case) -> None:
    def statements(number: str, tail: str) -> list[str]:
        with (
            CaptureQueriesContext(
                connection,
            ) as seen,
            pytest.raises(NoMatch),
        ):
            ask(number, tail)
        return [query["sql"].split()[0] for query in seen.captured_queries]

    statements("warm", WRONG)
    assert statements(case.number, WRONG) == statements("33068120260310999X", WRONG)


def test_a_case_without_a_phone_is_opened_by_no_tail(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(applicant_phone="")
    for tail in ("0000", TAIL):
        with pytest.raises(NoMatch):
            ask(case.number, tail)


@pytest.mark.parametrize("tail", ["", "800", "80000", "８０００", "80 0"])
def test_a_tail_is_four_digits_and_a_slip_of_the_finger_costs_no_try(case: Case, tail: str) -> None:
    with pytest.raises(Refused, match="四位"):
        ask(case.number, tail)
    assert not EnquiryBrake.objects.exists()


def test_after_five_wrong_tails_the_right_one_waits_until_tomorrow(case: Case) -> None:
    for guess in range(WRONG_TAILS_A_DAY):
        with pytest.raises(NoMatch):
            ask(case.number, f"{guess:04d}", caller=f"192.0.2.{guess}")
    with pytest.raises(LockedOut, match="明天"):
        ask(case.number, caller=ELSEWHERE)
    assert Event.objects.filter(kind="progress.locked").count() == 1
    assert ask(case.number, caller=ELSEWHERE, now=NOW + timedelta(days=1)) == case


def test_a_number_that_does_not_exist_is_shut_the_same_way(case: Case) -> None:
    for _ in range(WRONG_TAILS_A_DAY):
        with pytest.raises(NoMatch):
            ask("33068120260310999X", WRONG)
    with pytest.raises(LockedOut):
        ask("33068120260310999X", WRONG)
    assert Event.objects.filter(kind="progress.locked").count() == 1


def test_looking_often_with_the_right_tail_shuts_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiring, "BRAKE", replace(enquiring.BRAKE, from_one=100))
    for _ in range(3 * WRONG_TAILS_A_DAY):
        assert ask(case.number) == case


def test_one_address_asks_only_so_often_and_others_still_may(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enquiring, "BRAKE", replace(enquiring.BRAKE, from_one=2))
    ask(case.number)
    ask(case.number)
    with pytest.raises(TooOften, match="10 分钟"):
        ask(case.number)
    assert ask(case.number, caller=ELSEWHERE) == case
    assert ask(case.number, now=NOW + timedelta(minutes=11)) == case


def test_a_whole_network_of_ipv6_is_one_caller(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiring, "BRAKE", replace(enquiring.BRAKE, from_one=1))
    ask(case.number, caller="2001:db8::1")
    with pytest.raises(TooOften):
        ask(case.number, caller="2001:db8::2")
    assert ask(case.number, caller="2001:db8:0:1::1") == case


def test_everybody_together_is_limited_too(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiring, "BRAKE", replace(enquiring.BRAKE, from_all=1))
    ask(case.number)
    with pytest.raises(TooOften):
        ask(case.number, caller=ELSEWHERE)


def test_counts_name_nobody_and_are_forgotten(case: Case) -> None:
    with pytest.raises(NoMatch):
        ask(case.number, WRONG)
    names = [
        *EnquiryBrake.objects.values_list("name", flat=True),
        *CallCount.objects.values_list("caller", flat=True),
    ]
    assert not any(HERE in name or case.number in name for name in names)
    ask(case.number, caller=ELSEWHERE, now=NOW + timedelta(days=2))
    assert EnquiryBrake.objects.filter(until__lte=NOW + timedelta(days=2)).count() == 0
    assert not CallCount.objects.filter(window__lte=NOW + timedelta(days=1)).exists()


def test_the_code_on_a_slip_is_a_link_that_names_nobody(slip: Slip, case: Case) -> None:
    link = slip.data["code"]
    assert link == f"{settings.PUBLIC_URL.upper()}/P/{write(Purpose.SLIP, slip.code).text}"
    for secret in (case.number, case.applicant_name, APPLICANT.phone):
        assert secret not in link


def test_the_link_shows_the_stage_and_the_tail_the_rest(slip: Slip, case: Case) -> None:
    token = slip.data["code"].rpartition("/")[2]
    assert glance(token=token, caller=HERE, now=NOW) == case
    assert look_up_by_slip(token=token, tail=TAIL, caller=HERE, now=NOW) == case
    assert kinds(case)[-2:] == ["progress.stage_seen", "progress.looked_at"]
    with pytest.raises(NoMatch):
        look_up_by_slip(token=token, tail=WRONG, caller=HERE, now=NOW)


def test_who_guesses_by_number_does_not_shut_out_who_has_the_slip(slip: Slip, case: Case) -> None:
    for _ in range(WRONG_TAILS_A_DAY):
        with pytest.raises(NoMatch):
            ask(case.number, WRONG)
    token = write(Purpose.SLIP, slip.code).text
    assert look_up_by_slip(token=token, tail=TAIL, caller=ELSEWHERE, now=NOW) == case


Token = Callable[[Slip], str]


@pytest.mark.parametrize(
    "token",
    [
        lambda slip: "nonsense",
        lambda slip: mint(Purpose.SLIP).text,
        lambda slip: write(Purpose.CASE, slip.code).text,
        lambda slip: write(Purpose.SLIP, slip.code).text[:-1] + "A",
    ],
    ids=["nonsense", "of no slip", "of something else", "forged"],
)
def test_what_we_did_not_print_for_an_applicant_opens_nothing(slip: Slip, token: Token) -> None:
    text = token(slip)
    with pytest.raises(Unreadable):
        glance(token=text, caller=HERE, now=NOW)
    with pytest.raises(Unreadable):
        look_up_by_slip(token=text, tail=TAIL, caller=HERE, now=NOW)


def test_a_packing_list_travels_among_strangers_and_opens_nothing(slip: Slip) -> None:
    Slip.objects.filter(pk=slip.pk).update(kind=SlipKind.PACKING_LIST.value)
    with pytest.raises(Unreadable):
        glance(token=write(Purpose.SLIP, slip.code).text, caller=HERE, now=NOW)
