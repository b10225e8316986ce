"""What a person types is kept whole or refused with its length; nothing is cut without a word."""

from collections.abc import Callable

import pytest
from django.db.models import Model
from django.urls import reverse

from ingest.rules import CaseState
from ingest.services.examples import ExampleWords, decide_example, propose_example
from ingest.services.problems import set_problem_time
from logistics.postage.budgeting import set_budget
from registry.agreeing import set_index, set_thresholds
from registry.calendar import load_holidays
from registry.deadlines import set_deadline_policy
from registry.expiring import set_expiry_policy
from registry.granting import give_grant, revoke_grant
from registry.models import Agreement, Grant, HolidayNotice, Region
from registry.rules.deadlines import UNLESS_TOLD
from registry.rules.problems import ProblemKind
from registry.rules.talk import LONGEST_REASON
from registry.terms import Right
from registry.time import local_day
from registry.workdays import covered_until
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, further_on, open_case
from tests.config.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
TODAY = local_day(NOW)
YEAR = covered_until() + 1
WHOLE, TOO_LONG = "依" * LONGEST_REASON, "依" * (LONGEST_REASON + 1)
Act = Callable[[Cast, str], Model | list[Grant] | None]


@pytest.fixture
def cast() -> Cast:
    return assemble()


def holidays(cast: Cast, text: str) -> Model:
    days = f"{YEAR}-01-01 至 {YEAR}-01-05 放假 元旦\n{YEAR}-10-01 至 {YEAR}-10-07 放假 国庆节"
    return load_holidays(year=YEAR, text=days, source=text, actor=cast.administrator, now=NOW)


def deadline_rule(cast: Cast, text: str) -> Model:
    return set_deadline_policy(
        region=None, valid_from=TODAY, rules=UNLESS_TOLD, source=text, actor=cast.administrator, now=NOW
    )


def expiry_rule(cast: Cast, text: str) -> Model:
    return set_expiry_policy(days_ahead=[7], valid_from=TODAY, source=text, actor=cast.administrator, now=NOW)


def thresholds(cast: Cast, text: str) -> Model:
    return set_thresholds(
        population=60, cooperation=50, valid_from=TODAY, source=text, actor=cast.administrator, now=NOW
    )


def index(cast: Cast, text: str) -> Model:
    return set_index(
        region=Region.objects.get(code="511300"),
        population=1,
        cooperation=1,
        valid_from=TODAY,
        source=text,
        actor=cast.administrator,
        now=NOW,
    )


def problem_time(cast: Cast, text: str) -> Model:
    return set_problem_time(
        kind=ProblemKind.OTHER,
        workdays=3,
        valid_from=TODAY,
        source=text,
        actor=cast.administrator,
        now=NOW,
    )


def grant(cast: Cast, text: str) -> list[Grant]:
    return give_grant(
        office=cast.taizhou,
        rights=[Right.ACCEPT],
        window=cast.zhuji,
        region=None,
        item=cast.item,
        effective_from=TODAY,
        effective_to=None,
        reason=text,
        actor=cast.administrator,
        now=NOW,
    )


def budget(cast: Cast, text: str) -> Model:
    centre = cast.taizhou.centre
    return set_budget(centre=centre, year=2026, amount_fen=100, reason=text, actor=cast.finance, now=NOW)


@pytest.mark.parametrize(
    "act",
    [holidays, deadline_rule, expiry_rule, thresholds, index, problem_time, grant, budget],
    ids=lambda act: act.__name__,
)
def test_what_something_rests_on_is_kept_whole_or_refused_with_its_length(cast: Cast, act: Act) -> None:
    with pytest.raises(Refused, match=f"至多 {LONGEST_REASON} 个字，现有 {LONGEST_REASON + 1} 个字"):
        act(cast, TOO_LONG)
    made = act(cast, f"  {WHOLE} ")
    row = made[0] if isinstance(made, list) else made
    assert row is not None
    row.refresh_from_db()
    kept = getattr(row, "source", "") or getattr(row, "reason", "")
    assert kept == WHOLE


def test_a_reason_to_revoke_is_kept_whole_or_refused(cast: Cast) -> None:
    (given,) = grant(cast, "协议")
    with pytest.raises(Refused, match="撤销理由至多"):
        revoke_grant(grant=given, reason=TOO_LONG, actor=cast.administrator, now=NOW)
    revoke_grant(grant=given, reason=WHOLE, actor=cast.administrator, now=NOW)
    given.refresh_from_db()
    assert given.revoked_reason == WHOLE


def test_why_an_example_is_not_taken_in_is_kept_whole_or_refused(cast: Cast) -> None:
    case = further_on(open_case(cast), CaseState.CLOSED, closed_at=NOW)
    words = ExampleWords("材料一次备齐", "申请人异地提交。", "窗口先核对清单。", "一次办成。")
    example = propose_example(case=case, words=words, actor=cast.clerk, now=NOW)
    with pytest.raises(Refused, match="不收录的理由至多"):
        decide_example(example=example, approved=False, reason=TOO_LONG, actor=cast.administrator, now=NOW)
    decide_example(example=example, approved=False, reason=WHOLE, actor=cast.administrator, now=NOW)
    example.refresh_from_db()
    assert example.reason == WHOLE


def test_a_refused_text_stays_in_its_form(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    told = {"year": str(YEAR), "source": TOO_LONG, "days": f"{YEAR}-01-01 放假 元旦"}
    answer = client.post(reverse("calendar"), told)
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert f"现有 {LONGEST_REASON + 1} 个字" in shown
    assert TOO_LONG in shown
    assert not HolidayNotice.objects.exists()


def test_the_names_of_a_cooperation_are_kept_whole_or_refused(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    agreement = Agreement.objects.order_by("pk")[0]
    told = dict.fromkeys(("group_name", "contact_a", "phone_a", "contact_b", "phone_b"), "通" * 40)
    address = reverse("update_directory", args=[agreement.pk])
    answer = client.post(address, {**told, "group_name": "通" * 41})
    assert answer.status_code == 409
    assert "至多 40 个字，现有 41 个字" in answer.content.decode()
    assert client.post(address, told).status_code == 302
    agreement.refresh_from_db()
    assert {agreement.group_name, agreement.contact_b} == {"通" * 40}
