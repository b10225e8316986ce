"""The desk of what runs out, and the counts of red and amber promises office by office."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ingest.models import Case, Handling
from ingest.services.lights import office_lights
from registry.actors import Actor
from registry.models import Agreement, DeadlinePolicy, ExpiryPolicy, Grant, Office, User
from registry.permissions import NotYours
from registry.terms import Right
from registry.time import local_day
from registry.workdays import add_workdays, is_workday, workdays_between
from tests.cast import Cast, open_case
from tests.config.conftest import SignIn


def ending(cast: Cast, *, in_days: int) -> Grant:
    Grant.objects.filter(office=cast.taizhou, right="accept").delete()
    return Grant.objects.create(
        office=cast.taizhou,
        right=Right.ACCEPT.value,
        window=cast.zhuji,
        effective_from=local_day(timezone.now()) - timedelta(days=40),
        effective_to=local_day(timezone.now()) + timedelta(days=in_days),
        reason="合作协议第三条",
    )


def running(cast: Cast, *, left: int, office: Office | None = None, paused: bool = False) -> Handling:
    """An accepted part with so many working days left."""
    case = open_case(cast, offices=[office or cast.taizhou])
    today = local_day(timezone.now())
    Case.objects.filter(pk=case.pk).update(state="accepted", submitted_at=timezone.now())
    case.handlings.update(
        state="accepted",
        accepted_at=timezone.now(),
        deadline=add_workdays(today, left).day,
        paused_on=today if paused else None,
    )
    return case.handlings.get()


@pytest.mark.parametrize(("in_days", "words"), [(9, "还有 9 天"), (0, "今天到期"), (-2, "已到期")])
def test_the_desk_says_what_runs_out_what_holds_and_lets_it_be_renewed(
    in_days: int, words: str, cast: Cast, sign_in: SignIn
) -> None:
    grant, client = ending(cast, in_days=in_days), sign_in(cast.administrator)
    page = client.get(reverse("expiring")).content.decode()
    assert words in page
    assert "到期前已受理的办件继续有效" in page
    refused = client.post(reverse("renew_grant", args=[grant.pk]), {"effective_to": "", "reason": ""})
    assert refused.status_code == 409
    assert client.post(reverse("renew_grant", args=[grant.pk]), {"reason": "续签"}).status_code == 302
    assert "合作协议第三条" not in client.get(reverse("expiring")).content.decode()
    assert Grant.objects.filter(office=cast.taizhou, right="accept", effective_to__isnull=True).count() == 1


def test_how_long_ahead_is_set_on_the_same_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.administrator)
    told = {
        "days_ahead": "60、10",
        "valid_from": local_day(timezone.now()).isoformat(),
        "source": "通办联席会议",
    }
    assert "系统默认" in client.get(reverse("expiring")).content.decode()
    assert client.post(reverse("expiry_rule"), told).status_code == 302
    assert ExpiryPolicy.objects.latest("valid_from").days_ahead == [60, 10]
    assert client.post(reverse("expiry_rule"), told).status_code == 409
    assert sign_in(cast.officer).get(reverse("expiring")).status_code == 404


def test_counts_of_every_office_are_shown_to_those_who_watch_without_a_case(
    cast: Cast, sign_in: SignIn
) -> None:
    red, amber = running(cast, left=-3), running(cast, left=1, office=cast.wenling)
    running(cast, left=30)
    running(cast, left=9, paused=True)
    for watcher in (cast.administrator, cast.auditor):
        page = sign_in(watcher).get(reverse("deadline_counts")).content.decode()
        assert cast.taizhou.name in page
        assert cast.wenling.name in page
        assert red.case.number not in page
        assert f"{reverse('deadlines')}#office-" not in page, "a list that the reader may not open is no link"
        assert "系统默认" in page, "which policy says what is amber"
    rows = office_lights(actor=cast.administrator, now=timezone.now())
    assert [(row.office, row.red, row.amber, row.paused, row.running) for row in rows] == [
        (cast.taizhou, 1, 0, 1, 3),
        (cast.wenling, 0, 1, 0, 1),
    ]
    assert amber.office == cast.wenling


def test_each_counts_what_is_theirs_and_finds_the_list(cast: Cast, sign_in: SignIn) -> None:
    running(cast, left=-3)
    running(cast, left=-3, office=cast.wenling)

    def sums(actor: Actor) -> list[tuple[str, int]]:
        return [(row.office.code, row.red) for row in office_lights(actor=actor, now=timezone.now())]

    assert sums(cast.officer) == [(cast.taizhou.code, 1)]
    assert len(sums(cast.clerk)) == 2
    assert sums(cast.other_clerk) == []
    page = sign_in(cast.officer).get(reverse("deadline_counts")).content.decode()
    assert f"{reverse('deadlines')}#office-{cast.taizhou.pk}" in page
    with pytest.raises(NotYours):
        office_lights(actor=cast.finance, now=timezone.now())
    assert sign_in(cast.finance).get(reverse("deadline_counts")).status_code == 404


@pytest.mark.parametrize("days", [0, 1, 2, 5])
def test_a_count_is_amber_on_the_days_on_which_a_promise_is(days: int, cast: Cast) -> None:
    today = local_day(timezone.now())
    DeadlinePolicy.objects.create(
        region=cast.taizhou.region, valid_from=today, amber_days=days, courier_days=3, receipt_days=1, source="会商"
    )  # fmt: skip
    handling = running(cast, left=1)
    for ahead in range(20):
        deadline = today + timedelta(days=ahead)
        Handling.objects.filter(pk=handling.pk).update(deadline=deadline)
        (row,) = office_lights(actor=cast.officer, now=timezone.now())
        expected = workdays_between(today, deadline) <= days
        assert row.amber == expected, f"{deadline}, a working day: {is_workday(deadline)[0]}"


def test_more_offices_and_promises_take_no_more_queries(cast: Cast) -> None:
    counts = []
    for offices in ([cast.taizhou], [cast.wenling, *Office.objects.filter(region_id="331082")]):
        for office in offices:
            running(cast, left=-1, office=office)
        with CaptureQueriesContext(connection) as queries:
            office_lights(actor=cast.administrator, now=timezone.now())
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_in_the_directory_grants_and_agreements_are_only_looked_at(cast: Cast, sign_in: SignIn) -> None:
    User.objects.filter(pk=cast.administrator.id).update(is_staff=True, is_superuser=True)
    client, grant = sign_in(cast.administrator), Grant.objects.order_by("pk")[0]
    agreement = Agreement.objects.order_by("pk")[0]
    assert client.get(reverse("admin:registry_grant_change", args=[grant.pk])).status_code == 200
    for name, row in (("grant", grant), ("agreement", agreement)):
        for address in (
            reverse(f"admin:registry_{name}_add"),
            reverse(f"admin:registry_{name}_change", args=[row.pk]),
            reverse(f"admin:registry_{name}_delete", args=[row.pk]),
        ):
            assert client.post(address, {"post": "yes"}).status_code == 403, address
