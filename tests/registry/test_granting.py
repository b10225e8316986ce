"""授权: given with a reason, used by name, revoked at once and only for what comes after."""

from datetime import timedelta

import pytest

from ingest.models import Case
from ingest.services.intake import submit, take_in_original
from registry.granting import give_grant, revoke_grant
from registry.models import Event, Grant, ServiceItem
from registry.permissions import NotYours
from registry.rules import Unlawful
from registry.terms import Right
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import look_at_handler

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def give(cast: Cast, **changes: object) -> list[Grant]:
    told: dict[str, object] = {
        "office": cast.taizhou,
        "rights": [Right.ACCEPT],
        "window": cast.zhuji,
        "region": None,
        "item": cast.item,
        "effective_from": local_day(NOW),
        "effective_to": None,
        "reason": "诸暨—台州合作协议第三条",
        "actor": cast.administrator,
        "now": NOW,
    }
    return give_grant(**{**told, **changes})  # type: ignore[arg-type]


def accepting(cast: Cast) -> Grant:
    return Grant.objects.get(office=cast.taizhou, right=Right.ACCEPT.value, region_id="330681")


def test_each_right_is_a_grant_of_its_own_and_told(cast: Cast) -> None:
    given = give(cast, rights=[Right.ACCEPT, Right.DELIVER])
    assert [grant.right for grant in given] == ["accept", "deliver"]
    events = Event.objects.filter(kind="grant.given")
    assert [event.data["reason"] for event in events] == ["诸暨—台州合作协议第三条"] * 2


def test_opening_a_case_names_the_grant_it_rests_on(cast: Cast) -> None:
    case = open_case(cast)
    event = Event.objects.get(kind="case.created", case_number=case.number)
    assert event.data["grants"] == [accepting(cast).pk]


def test_checking_an_original_names_its_grant(cast: Cast) -> None:
    case = open_case(cast)
    take_in_original(
        material=case.materials.get(position=5), name="", verified=True, actor=cast.clerk, now=NOW
    )
    used = Event.objects.get(kind="original.taken_in").data["grant"]
    assert Grant.objects.get(pk=used).right == Right.VERIFY_ORIGINAL


def test_revoking_closes_the_next_act_and_leaves_the_last_one(cast: Cast) -> None:
    case = open_case(cast)
    revoke_grant(grant=accepting(cast), reason="协议终止", actor=cast.administrator, now=NOW)
    with pytest.raises(Unlawful) as refused:
        open_case(cast, now=LATER)
    assert refused.value.code == "no_grant_accept"
    assert "联络员" in refused.value.message
    kept = Case.objects.get(pk=case.pk)
    assert kept.state == "draft"
    told = Event.objects.get(kind="case.created", case_number=kept.number).data["grants"]
    assert Grant.objects.get(pk=told[0]).revoked_reason == "协议终止"


def test_a_draft_is_not_submitted_under_a_right_that_is_gone(cast: Cast) -> None:
    case = open_case(cast)
    for material in case.materials.all():
        material.deferred_until = local_day(LATER)
        material.save()
    look_at_handler(case)
    revoke_grant(grant=accepting(cast), reason="协议终止", actor=cast.administrator, now=NOW)
    with pytest.raises(Unlawful) as refused:
        submit(case=case, actor=cast.clerk, now=LATER)
    assert refused.value.code == "no_grant_accept"


def test_a_right_for_one_item_opens_no_other(cast: Cast) -> None:
    revoke_grant(grant=accepting(cast), reason="改为逐项授权", actor=cast.administrator, now=NOW)
    give(cast)
    case = open_case(cast, now=LATER)
    event = Event.objects.get(kind="case.created", case_number=case.number)
    assert Grant.objects.get(pk=event.data["grants"][0]).item == cast.item
    grant = Grant.objects.get(pk=event.data["grants"][0])
    other = ServiceItem.objects.exclude(code=cast.item.code).first()
    assert other is not None
    Grant.objects.filter(pk=grant.pk).update(item=other)
    with pytest.raises(Unlawful):
        open_case(cast, now=LATER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rights": []}, "grant_rights"),
        ({"window": None}, "grant_to"),
        ({"reason": " "}, "grant_reason"),
        ({"effective_to": local_day(NOW) - timedelta(days=1)}, "grant_dates"),
    ],
)
def test_a_grant_that_says_too_little_is_refused(cast: Cast, changes: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        give(cast, **changes)
    assert refused.value.code == code


def test_the_same_grant_twice_is_said(cast: Cast) -> None:
    give(cast)
    with pytest.raises(Refused) as refused:
        give(cast, rights=[Right.DELIVER, Right.ACCEPT])
    assert refused.value.code == "grant_known"
    assert not Grant.objects.filter(window=cast.zhuji, right="deliver").exists(), "all or nothing"


def test_revoking_needs_a_reason_and_happens_once(cast: Cast) -> None:
    grant = accepting(cast)
    with pytest.raises(Refused):
        revoke_grant(grant=grant, reason="", actor=cast.administrator, now=NOW)
    revoke_grant(grant=grant, reason="协议终止", actor=cast.administrator, now=NOW)
    with pytest.raises(Refused) as refused:
        revoke_grant(grant=grant, reason="协议终止", actor=cast.administrator, now=LATER)
    assert refused.value.code == "grant_revoked"
    assert Event.objects.filter(kind="grant.revoked").count() == 1


def test_what_was_revoked_may_be_given_again_on_the_same_day(cast: Cast) -> None:
    (first,) = give(cast)
    revoke_grant(grant=first, reason="登记有误", actor=cast.administrator, now=NOW)
    (second,) = give(cast, now=LATER)
    assert (
        Grant.objects.in_force(day=local_day(LATER), now=LATER).filter(pk__in=[first.pk, second.pk]).get()
        == second
    )
    with pytest.raises(Refused):
        give(cast, now=LATER)


def test_only_administrators_give_and_take(cast: Cast) -> None:
    for actor in (cast.clerk, cast.officer, cast.finance, cast.auditor):
        with pytest.raises(NotYours):
            give(cast, actor=actor)
        with pytest.raises(NotYours):
            revoke_grant(grant=accepting(cast), reason="x", actor=actor, now=NOW)
