"""到期: said ahead and on the day, once each, with what is under way; what was done before stays valid."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.models import Case
from ingest.rules import CaseState
from ingest.services.expiring import ending_soon, tell_endings
from ingest.services.intake import take_in_original
from registry.agreeing import Connection, end_agreement, sign_agreement
from registry.expiring import expiry_rules, set_expiry_policy
from registry.granting import give_grant, renew_grant, revoke_grant
from registry.models import Agreement, Event, ExpiryPolicy, Grant, Region, ServiceItem, Window
from registry.permissions import NotYours
from registry.rules import Unlawful
from registry.rules.expiry import GRANT_HOLDS, OVER, UNLESS_TOLD, area_prefix, side_prefix, step_due
from registry.rules.lawful import lies_within
from registry.terms import Right
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, further_on, open_case
from workers.upkeep import DUTIES

TODAY = local_day(NOW)
KINDS = ("grant.ending", "grant.expired", "agreement.ending", "agreement.expired")


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def lent(cast: Cast, last: date | None, *, right: Right = Right.ACCEPT) -> Grant:
    """The only grant of the right, to the window at Zhuji, until a day."""
    Grant.objects.filter(office=cast.taizhou, right=right.value).delete()
    (grant,) = give_grant(
        office=cast.taizhou, rights=[right], window=cast.zhuji, region=None, item=None, effective_from=TODAY,
        effective_to=last, reason="合作协议第三条", actor=cast.administrator, now=NOW,
    )  # fmt: skip
    return grant


def said(*kinds: str) -> list[Event]:
    return list(Event.objects.filter(kind__in=kinds or KINDS).order_by("pk"))


def days(count: int) -> timedelta:
    return timedelta(days=count)


@pytest.mark.parametrize(
    ("left", "step"), [(31, None), (30, 30), (8, 30), (7, 7), (1, 7), (0, 0), (-1, OVER), (-20, OVER)]
)
def test_the_nearest_distance_that_was_reached_is_due(left: int, step: int | None) -> None:
    assert step_due(TODAY + days(left), TODAY, UNLESS_TOLD.days_ahead) == step


def test_a_grant_is_told_of_at_each_distance_on_its_last_day_and_when_it_is_over_once_each(
    cast: Cast,
) -> None:
    grant = lent(cast, TODAY + days(40))
    told = {}
    for day in range(60):
        for _ in range(2):
            DUTIES["tell_endings"](now=NOW + days(day))
        told[day] = [event.kind for event in said()]
    assert [day for day in told if told[day] != told.get(day - 1, [])] == [10, 33, 40, 41]
    assert told[59] == ["grant.ending"] * 3 + ["grant.expired"]
    last = said()[-1]
    assert (last.subject_id, last.actor_kind) == (str(grant.pk), "system")
    assert last.data["last_day"] == str(TODAY + days(40))
    assert (last.data["office"], last.data["right"], last.data["window"]) == (
        cast.taizhou.code, "accept", cast.zhuji.code,
    )  # fmt: skip


def test_a_short_grant_is_told_of_once_at_its_nearest_distance(cast: Cast) -> None:
    lent(cast, TODAY + days(5))
    assert tell_endings(now=NOW) == 1
    assert tell_endings(now=NOW + days(1)) == 0
    assert tell_endings(now=NOW + days(5)) == 1, "the last day"


def test_what_lasts_was_revoked_or_goes_on_is_not_told_of(cast: Cast) -> None:
    lent(cast, None)
    revoke_grant(
        grant=lent(cast, TODAY, right=Right.NOTIFY), reason="协议终止", actor=cast.administrator, now=NOW
    )
    going_on = lent(cast, TODAY, right=Right.DELIVER)
    renew_grant(
        grant=going_on, effective_to=TODAY + days(365), reason="续签", actor=cast.administrator, now=NOW
    )
    around = lent(cast, TODAY, right=Right.VERIFY_ORIGINAL)
    give_grant(
        office=around.office, rights=[Right.VERIFY_ORIGINAL], window=None, region=Region.objects.get(code="330600"),
        item=None, effective_from=TODAY + days(1), effective_to=None, reason="全市", actor=cast.administrator, now=NOW,
    )  # fmt: skip
    assert tell_endings(now=NOW) == 0


@pytest.mark.parametrize("change", ["gap", "item", "elsewhere"])
def test_a_later_grant_that_leaves_something_out_does_not_carry_on(cast: Cast, change: str) -> None:
    one = lent(cast, TODAY)
    give_grant(
        office=one.office,
        rights=[Right.ACCEPT],
        window=cast.taizhou_window if change == "elsewhere" else cast.zhuji,
        region=None,
        item=cast.item if change == "item" else None,
        effective_from=TODAY + days(2 if change == "gap" else 1),
        effective_to=None,
        reason="另议",
        actor=cast.administrator,
        now=NOW,
    )
    assert tell_endings(now=NOW) == 1


def test_what_is_under_way_is_counted_and_what_was_done_stays_valid(cast: Cast) -> None:
    grant = lent(cast, TODAY)
    accepted, draft = open_case(cast), open_case(cast)
    further_on(accepted, CaseState.ACCEPTED)
    further_on(open_case(cast), CaseState.CLOSED)
    tell_endings(now=NOW)
    (event,) = said()
    assert (event.data["cases"], event.data["drafts"]) == (1, 1)
    after = NOW + days(1)
    tell_endings(now=after)
    assert said()[-1].kind == "grant.expired"
    accepted.refresh_from_db()
    assert accepted.state == CaseState.ACCEPTED
    used = Event.objects.get(kind="case.created", case_number=draft.number).data["grants"]
    assert used == [grant.pk], "the act names the grant it rested on, which is still there"
    with pytest.raises(Unlawful):
        open_case(cast, now=after)


def test_an_original_checked_under_a_right_stays_checked_and_the_next_is_not(cast: Cast) -> None:
    lent(cast, TODAY, right=Right.VERIFY_ORIGINAL)
    case = open_case(cast)
    first, second = case.materials.filter(position__in=(5, 6))
    take_in_original(material=first, name="", verified=True, actor=cast.clerk, now=NOW)
    with pytest.raises(Unlawful):
        take_in_original(material=second, name="", verified=True, actor=cast.clerk, now=NOW + days(1))
    assert Event.objects.filter(kind="original.taken_in").count() == 1


def test_every_right_says_what_holds() -> None:
    assert set(GRANT_HOLDS) == set(Right)


def test_an_agreement_is_told_of_with_the_cases_it_covers_and_again_when_its_end_is_moved(cast: Cast) -> None:
    putian = Region.objects.get(code="350300")
    signed = Agreement.objects.create(
        region_a=Region.objects.get(code="331081"), region_b=putian, signed_on=TODAY, effective_from=TODAY,
        effective_to=TODAY + days(7), shared_citywide=True,
    )  # fmt: skip
    case = open_case(cast)
    Case.objects.filter(pk=case.pk).update(
        window=Window.objects.get(code="350300-01"), state="accepted", submitted_at=NOW
    )
    tell_endings(now=NOW)
    (event,) = [each for each in said() if each.subject_id == str(signed.pk)]
    assert (event.kind, event.data["cases"]) == ("agreement.ending", 1)
    end_agreement(agreement=signed, on=TODAY + days(1), actor=cast.administrator, now=NOW)
    assert tell_endings(now=NOW) == 1, "another last day is another ending"
    tell_endings(now=NOW + days(2))
    assert said()[-1].kind == "agreement.expired"


def test_an_agreement_that_was_renewed_is_not_told_of(cast: Cast) -> None:
    one, other = Region.objects.get(code="331081"), Region.objects.get(code="350300")
    Agreement.objects.create(
        region_a=one, region_b=other, signed_on=TODAY, effective_from=TODAY, effective_to=TODAY
    )
    assert tell_endings(now=NOW) == 1
    sign_agreement(
        region_a=other, region_b=one, signed_on=TODAY, effective_from=TODAY + days(1), effective_to=None,
        shared_citywide=True, items=[], connection=Connection(), actor=cast.administrator, now=NOW,
    )  # fmt: skip
    assert tell_endings(now=NOW + days(1)) == 0


def test_an_item_without_a_next_version_is_told_of_with_its_cases(cast: Cast) -> None:
    ServiceItem.objects.filter(pk=cast.item.pk).update(effective_to=TODAY + days(7))
    further_on(open_case(cast), CaseState.ACCEPTED)
    open_case(cast)
    tell_endings(now=NOW)
    (event,) = said("item.ending")
    assert (event.data["item"], event.data["cases"], event.data["drafts"]) == (cast.item.code, 1, 1)
    tell_endings(now=NOW + days(8))
    assert len(said("item.expired")) == 1


def test_an_item_whose_next_version_follows_or_that_is_negative_is_not_told_of(cast: Cast) -> None:
    ServiceItem.objects.filter(pk=cast.item.pk).update(effective_to=TODAY + days(7))
    follows = ServiceItem.objects.get(pk=cast.item.pk)
    follows.pk, follows.version = None, 2
    follows.effective_from, follows.effective_to = TODAY + days(8), None
    follows.save(force_insert=True)
    other = ServiceItem.objects.exclude(code=cast.item.code)[0]
    ServiceItem.objects.filter(pk=other.pk).update(effective_to=TODAY, negative=True)
    assert said("item.ending") == []
    tell_endings(now=NOW)
    assert said("item.ending") == []


@pytest.mark.parametrize("area", ["350000", "350300", "350302", "350302001"])
@pytest.mark.parametrize("region", ["350302001", "350302", "350300", "350304", "331000"])
def test_the_beginning_of_a_code_says_what_the_rule_says(area: str, region: str) -> None:
    assert region.startswith(area_prefix(area)) == lies_within(region, area)


def test_with_one_signature_for_the_whole_city_the_side_is_the_city() -> None:
    assert side_prefix("331081", shared_citywide=True) == "3310"
    assert side_prefix("331081", shared_citywide=False) == "331081"
    assert side_prefix("330000", shared_citywide=True) == "33"


def test_how_long_ahead_is_policy_with_a_source_and_never_dated_back(cast: Cast) -> None:
    assert expiry_rules(TODAY).days_ahead == (30, 7, 0)
    assert expiry_rules(TODAY).source, "the reference data says where the default comes from"

    def put(day: date, ahead: list[int], source: str = "联席会议") -> None:
        set_expiry_policy(days_ahead=ahead, valid_from=day, source=source, actor=cast.administrator, now=NOW)

    put(TODAY, [3, 60, 3])
    assert expiry_rules(TODAY).days_ahead == (60, 3)
    lent(cast, TODAY + days(50))
    assert tell_endings(now=NOW) == 1
    for day, ahead, source in (
        (TODAY, [5], "x"),
        (TODAY - days(1), [5], "x"),
        (TODAY + days(1), [], "x"),
        (TODAY + days(1), [-1], "x"),
        (TODAY + days(1), [366], "x"),
        (TODAY + days(1), [5], " "),
    ):
        with pytest.raises(Refused):
            put(day, ahead, source)
    with pytest.raises(NotYours):
        set_expiry_policy(days_ahead=[5], valid_from=TODAY, source="x", actor=cast.officer, now=NOW)
    ExpiryPolicy.objects.all().delete()
    assert expiry_rules(TODAY) == UNLESS_TOLD


def test_the_desk_takes_as_many_queries_for_many_endings_as_for_one(cast: Cast) -> None:
    counts = []
    for rights in ([Right.ACCEPT], [Right.NOTIFY, Right.DELIVER, Right.VERIFY_ORIGINAL]):
        for right in rights:
            lent(cast, TODAY + days(9), right=right)
        with CaptureQueriesContext(connection) as queries:
            found, in_all = ending_soon(TODAY, most=40)
        counts.append(len(queries))
        assert in_all == len(found)
    assert counts[0] == counts[1]


def test_only_what_can_still_be_renewed_is_renewed(cast: Cast) -> None:
    lasting = lent(cast, None)
    with pytest.raises(Refused, match="不能续授"):
        renew_grant(grant=lasting, effective_to=None, reason="x", actor=cast.administrator, now=NOW)
    gone = lent(cast, TODAY)
    again = renew_grant(
        grant=gone, effective_to=None, reason="续签", actor=cast.administrator, now=NOW + days(9)
    )
    assert again.effective_from == TODAY + days(9), "not for days on which nobody had the right"
    with pytest.raises(NotYours):
        renew_grant(grant=gone, effective_to=None, reason="x", actor=cast.officer, now=NOW)
