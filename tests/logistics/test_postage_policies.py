"""The policy as data: sound versions only, no reaching back, exceptions by two people, what-if on past months."""

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from logistics.models import Charge, PostageException
from logistics.postage.payment import decide_payment
from logistics.postage.services import (
    add_policy,
    ask_exception,
    charge_parcel,
    decide_on_exception,
    end_policy,
    try_policy,
)
from logistics.rules.payers import (
    PUTIAN,
    Bearer,
    Leg,
    PaymentTerm,
    Policy,
    PolicyRule,
    rules_to_data,
)
from logistics.rules.policies import PolicyFault, check_policy
from registry.actors import SYSTEM
from registry.models import Event
from registry.permissions import NotYours
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, assemble, person
from tests.logistics.postage_world import PostageWorld

MAY = date(2026, 5, 1)


def version(code: str = "taizhou-2", *, start: date = MAY, until: date | None = None, **legs: Any) -> Policy:
    """putian §五(七) with other rules for some legs: `result=(Bearer.SENDER, PaymentTerm…)`."""
    rules = tuple(
        replace(rule, bearer=legs[rule.leg.value][0], term=legs[rule.leg.value][1])
        if rule.leg.value in legs
        else rule
        for rule in PUTIAN.rules
    )
    return Policy(code, "台州 §一", start, until, rules)


APPLICANT_PAYS_RESULTS: dict[str, Any] = {"result": (Bearer.APPLICANT, PaymentTerm.SENDER_CASH)}


@pytest.fixture
def world(db: None) -> PostageWorld:
    return PostageWorld.build(assemble())


def test_putian_itself_is_sound() -> None:
    check_policy(PUTIAN)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (PUTIAN.rules[1:], "policy_gap"),
        ((*PUTIAN.rules, PUTIAN.rules[0]), "policy_code"),
        ((*PUTIAN.rules, replace(PUTIAN.rules[0], code="again")), "policy_unreachable"),
        ((replace(PUTIAN.rules[0], levels=("city",)), *PUTIAN.rules[1:]), "policy_gap"),
        ((replace(PUTIAN.rules[0], code="x", modes=("by_foot",)), *PUTIAN.rules), "bad_policy"),
        (
            (replace(PUTIAN.rules[0], code="x", bearer=Bearer.SENDER, levels=("city",)), *PUTIAN.rules),
            "policy_term",
        ),
    ],
)
def test_an_unsound_version_is_refused(rules: tuple[PolicyRule, ...], code: str) -> None:
    with pytest.raises(PolicyFault) as fault:
        check_policy(replace(PUTIAN, rules=rules))
    assert fault.value.code == code


def test_versions_follow_each_other_without_overlap(world: PostageWorld) -> None:
    finance, centre = world.cast.finance, world.cast.taizhou.centre
    first = add_policy(policy=version("v1"), centre=centre, actor=finance, now=NOW)
    with pytest.raises(Refused, match="有效期重叠"):
        add_policy(policy=version("v2", start=date(2026, 7, 1)), centre=centre, actor=finance, now=NOW)
    ended = end_policy(policy=first, on=date(2026, 7, 1), actor=finance, now=NOW)
    add_policy(policy=version("v2", start=date(2026, 7, 1)), centre=centre, actor=finance, now=NOW)
    assert ended.valid_until == date(2026, 7, 1)
    with pytest.raises(Refused, match="已有终止日期"):
        end_policy(policy=first, on=date(2026, 8, 1), actor=finance, now=NOW)
    assert Event.objects.filter(kind__startswith="policy.").count() == 3
    add_policy(policy=version("general"), centre=None, actor=world.cast.administrator, now=NOW)


def test_each_keeps_its_own_policy(world: PostageWorld) -> None:
    stranger = person("zhuji-finance", Role.FINANCE, centre=world.cast.zhuji.centre)
    for actor in (stranger, world.cast.clerk, world.cast.auditor):
        with pytest.raises(NotYours):
            add_policy(policy=version(), centre=world.cast.taizhou.centre, actor=actor, now=NOW)
    with pytest.raises(NotYours):
        add_policy(policy=version(), centre=None, actor=world.cast.finance, now=NOW)


def test_a_version_never_reaches_back_over_charges(world: PostageWorld) -> None:
    world.charged()
    centre, finance = world.cast.taizhou.centre, world.cast.finance
    with pytest.raises(Refused, match="已有计费的寄件"):
        add_policy(policy=version(start=date(2026, 3, 10)), centre=centre, actor=finance, now=NOW)
    kept = add_policy(policy=version(start=date(2026, 3, 11)), centre=centre, actor=finance, now=NOW)
    assert kept.valid_from == date(2026, 3, 11)


def test_a_new_version_decides_from_its_first_day(world: PostageWorld) -> None:
    centre, finance = world.cast.taizhou.centre, world.cast.finance
    add_policy(policy=version(**APPLICANT_PAYS_RESULTS), centre=centre, actor=finance, now=NOW)
    parcel = world.parcel(leg=Leg.RESULT)
    assert decide_payment(parcel=parcel, on=date(2026, 4, 30)).payer_centre_id == centre.pk
    later = decide_payment(parcel=parcel, on=MAY)
    assert (later.payer_centre_id, later.policy_code) == (None, "taizhou-2")


def test_an_exception_needs_a_reason_and_a_second_person(world: PostageWorld) -> None:
    centre, finance = world.cast.taizhou.centre, world.cast.finance
    stranger = person("wenling-finance", Role.FINANCE, centre=world.cast.wenling.centre)
    with pytest.raises(Refused, match="写明例外的理由"):
        ask_exception(case=world.case, leg=Leg.RESULT, centre=centre, reason=" ", actor=finance, now=NOW)
    with pytest.raises(NotYours):
        ask_exception(
            case=world.case,
            leg=Leg.RESULT,
            centre=world.cast.wenling.centre,
            reason="困难",
            actor=stranger,
            now=NOW,
        )
    asked = ask_exception(
        case=world.case, leg=Leg.RESULT, centre=centre, reason="困难", actor=finance, now=NOW
    )
    with pytest.raises(Refused, match="已有例外申请"):
        ask_exception(case=world.case, leg=Leg.RESULT, centre=centre, reason="x", actor=finance, now=NOW)
    with pytest.raises(Refused, match="不能批准自己"):
        decide_on_exception(exception=asked, approve=True, actor=finance, now=NOW)
    with pytest.raises(NotYours):
        decide_on_exception(exception=asked, approve=True, actor=stranger, now=NOW)
    decided = decide_on_exception(exception=asked, approve=True, actor=world.cast.second_finance, now=NOW)
    assert (decided.state, decided.decided_by) == ("approved", "second-finance")
    with pytest.raises(Refused, match="请刷新"):
        decide_on_exception(exception=asked, approve=False, actor=world.cast.second_finance, now=NOW)


def test_an_approved_exception_makes_the_centre_pay_and_says_so(world: PostageWorld) -> None:
    centre = world.cast.taizhou.centre
    general = version(start=date(2026, 1, 1), **APPLICANT_PAYS_RESULTS)
    add_policy(policy=general, centre=centre, actor=SYSTEM, now=NOW)
    parcel = world.parcel(leg=Leg.RESULT)
    waybill = world.waybill(parcel, term=PaymentTerm.SENDER_MONTHLY)
    asked = ask_exception(
        case=world.case, leg=Leg.RESULT, centre=centre, reason="残疾人", actor=world.cast.finance, now=NOW
    )
    assert decide_payment(parcel=parcel, on=MAY).payer_centre_id is None, "asked is not approved"
    decide_on_exception(exception=asked, approve=True, actor=world.cast.second_finance, now=NOW)
    charge = charge_parcel(parcel=waybill.parcel, actor=SYSTEM, now=NOW)
    assert (charge.centre, charge.office, charge.rule_code) == (centre, world.cast.taizhou, "exception")
    assert charge.words == f"寄付月结，由{centre.name}承担：经second-finance批准的例外（残疾人）"
    with pytest.raises(Refused, match="已经计费"):
        ask_exception(
            case=world.case,
            leg=Leg.RESULT,
            centre=centre,
            reason="再来",
            actor=world.cast.finance,
            now=NOW,
        )
    assert PostageException.objects.count() == 1


def test_what_if_says_who_would_have_paid_what_and_writes_nothing(world: PostageWorld) -> None:
    centre, finance = world.cast.taizhou.centre, world.cast.finance
    inbound = world.charged()
    home = world.charged(world.waybill(world.parcel(leg=Leg.RESULT), term=PaymentTerm.SENDER_MONTHLY))
    before = Charge.objects.count()
    tried = try_policy(
        policy=version(**APPLICANT_PAYS_RESULTS),
        centre=centre,
        first="2026-03",
        last="2026-03",
        actor=finance,
    )
    assert (tried.checked, [one.past.key for one in tried.changed]) == (2, [home.parcel.number])
    assert tried.before == {centre.pk: inbound.amount_fen + home.amount_fen}
    assert tried.after == {centre.pk: inbound.amount_fen, None: home.amount_fen}
    again = try_policy(policy=version(), centre=centre, first="2026-03", last="2026-03", actor=finance)
    assert again.changed == ()
    assert again.before == again.after
    assert Charge.objects.count() == before
    assert (
        try_policy(policy=version(), centre=centre, first="2026-04", last="2026-04", actor=finance).checked
        == 0
    )


def test_what_if_prices_what_would_change_its_term(world: PostageWorld) -> None:
    """到付 costs one yuan more under this contract; taking it away makes the parcel cheaper by exactly that."""
    centre, finance = world.cast.taizhou.centre, world.cast.finance
    charge = world.charged()
    monthly = version(materials=(Bearer.DECIDING, PaymentTerm.SENDER_MONTHLY))
    tried = try_policy(policy=monthly, centre=centre, first="2026-03", last="2026-03", actor=finance)
    assert (charge.amount_fen, tried.after) == (1100, {centre.pk: 1000})


def test_what_if_takes_as_many_queries_for_many_charges_as_for_one(world: PostageWorld) -> None:
    centre, finance = world.cast.taizhou.centre, world.cast.finance

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            try_policy(policy=version(), centre=centre, first="2026-03", last="2026-03", actor=finance)
        return len(seen)

    world.charged()
    one = queries()
    for _ in range(4):
        world.charged()
    assert queries() == one


@pytest.mark.parametrize(
    ("first", "last"), [("2026-04", "2026-03"), ("x", "2026-03"), ("2020-01", "2026-03")]
)
def test_what_if_of_an_impossible_span_is_refused(world: PostageWorld, first: str, last: str) -> None:
    with pytest.raises(Refused):
        try_policy(policy=PUTIAN, centre=None, first=first, last=last, actor=SYSTEM)


def test_what_if_from_the_command_line(world: PostageWorld, tmp_path: Path) -> None:
    home = world.charged(world.waybill(world.parcel(leg=Leg.RESULT), term=PaymentTerm.SENDER_MONTHLY))
    rules = rules_to_data(version(**APPLICANT_PAYS_RESULTS).rules)
    file = tmp_path / "policy.json"
    file.write_text(
        json.dumps({"code": "v", "source": "台州 §一", "valid_from": "2026-05-01", "rules": rules})
    )
    arguments = [str(file), "--from", "2026-03", "--to", "2026-03", "--centre", "centre-331000"]
    out = io.StringIO()
    call_command("postage_whatif", *arguments, "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["changed"] == [home.parcel.number]
    assert {row["payer"]: (row["before_fen"], row["after_fen"]) for row in told["payers"]} == {
        "申请人": (0, 1000),
        "台州市行政服务中心": (1000, 0),
    }
    out = io.StringIO()
    call_command("postage_whatif", *arguments, stdout=out)
    assert "改变 1 件" in out.getvalue()
    with pytest.raises(CommandError, match="unknown centre"):
        call_command("postage_whatif", *arguments[:-1], "nowhere")
    file.write_text("{}")
    with pytest.raises(CommandError, match="有误"):
        call_command("postage_whatif", *arguments)
