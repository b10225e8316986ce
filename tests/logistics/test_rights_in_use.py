"""授权 in use: each of the four rights is named by the act done under it, and once revoked opens nothing more."""

from collections.abc import Callable

import pytest

from ingest.models import Handling, Original
from ingest.services.handlings import notify
from ingest.services.intake import take_in_original
from logistics.services.endings import hand_to_applicant
from registry.granting import revoke_grant
from registry.models import Event, Grant
from registry.rules import Unlawful
from registry.terms import Right
from tests.cast import NOW, open_case
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
each_right = pytest.mark.parametrize("right", list(Right))


def use_of(right: Right, road: Road) -> Callable[[], object]:
    """An act of the Zhuji window for which it needs this right, ready to be done."""
    cast = road.cast
    match right:
        case Right.ACCEPT:
            return lambda: open_case(cast)
        case Right.NOTIFY:
            handling = Handling.objects.select_related("case", "office").get(pk=road.handling.pk)
            return lambda: notify(handling=handling, reason="缺少副本", actor=cast.clerk, now=NOW)
        case Right.VERIFY_ORIGINAL:
            material = open_case(cast).materials.get(position=5)
            return lambda: take_in_original(
                material=material, name="", verified=True, actor=cast.clerk, now=NOW
            )
        case Right.DELIVER:
            result = road.decided()
            # As if it had come to the window in a bag.
            Original.objects.filter(pk=result.pk).update(place=Original.Place.WINDOW, place_id=cast.zhuji.pk)
            result.refresh_from_db()
            return lambda: hand_to_applicant(original=result, actor=cast.clerk, now=NOW)


def grant_of(right: Right, road: Road) -> Grant:
    return Grant.objects.get(office=road.cast.taizhou, right=right.value, region_id="330681")


def take_back(right: Right, road: Road) -> None:
    revoke_grant(grant=grant_of(right, road), reason="协议终止", actor=road.cast.administrator, now=NOW)


@each_right
def test_what_is_done_names_the_grant_and_goes_on_naming_it_after_it_was_revoked(
    right: Right, road: Road
) -> None:
    act = use_of(right, road)
    before = set(Event.objects.values_list("pk", flat=True))
    act()
    told = [event for event in Event.objects.exclude(pk__in=before) if {"grant", "grants"} & set(event.data)]
    assert len(told) == 1
    take_back(right, road)
    kept = Event.objects.get(pk=told[0].pk).data
    assert (kept.get("grant") or kept["grants"][0]) == grant_of(right, road).pk


@each_right
def test_a_revoked_right_is_over_at_once_and_nothing_is_left_behind(right: Right, road: Road) -> None:
    act = use_of(right, road)
    take_back(right, road)
    before = Event.objects.count()
    with pytest.raises(Unlawful) as refused:
        act()
    assert refused.value.code == f"no_grant_{right.value}"
    assert "联络员" in refused.value.message
    assert Event.objects.count() == before
