"""The rows behind the rules: agreements across a province border, and the grant that an act rests on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.services.lawful import check_lawful
from registry.models import Agreement, Grant, Region, ServiceItem, Window
from registry.rules import Unlawful
from registry.terms import Mode, Right, Scope
from registry.time import local_day
from tests.cast import NOW, Cast, assemble


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def far(cast: Cast) -> Window:
    """A window in Nanchong, whose city has a shared agreement with one district of Taizhou; the item is cross-province."""
    ServiceItem.objects.filter(pk=cast.item.pk).update(scope=Scope.CROSS_PROVINCE.value)
    cast.item.refresh_from_db()
    region = Region.objects.get(code="511300")
    window = Window.objects.create(
        code="nanchong-01", name="南充窗口", region=region, centre=cast.zhuji.centre
    )
    for office in (cast.taizhou, cast.wenling):
        Grant.objects.create(
            office=office, right=Right.ACCEPT.value, region=region, effective_from=local_day(NOW)
        )
    return window


def ask(cast: Cast, window: Window, office: str = "wenling") -> int:
    return check_lawful(
        item=cast.item,
        window=window,
        office=getattr(cast, office),
        mode=Mode.WINDOW_FORWARD,
        offices=1,
        now=NOW,
    )


def refusal(cast: Cast, window: Window) -> str:
    with pytest.raises(Unlawful) as refused:
        ask(cast, window)
    return refused.value.code


def test_one_shared_signature_serves_every_county_of_the_city(cast: Cast, far: Window) -> None:
    assert not Agreement.objects.filter(region_a="331081", region_b="511300").exists()
    assert Grant.objects.get(pk=ask(cast, far)).region_id == "511300"


def test_without_sharing_only_the_two_sides_are_connected(cast: Cast, far: Window) -> None:
    Agreement.objects.update(shared_citywide=False)
    assert refusal(cast, far) == "no_agreement"


def test_an_agreement_that_ended_connects_nobody(cast: Cast, far: Window) -> None:
    Agreement.objects.update(effective_to=local_day(NOW).replace(year=2025))
    assert refusal(cast, far) == "no_agreement"


def test_an_agreement_for_other_items_does_not_reach_this_one(cast: Cast, far: Window) -> None:
    agreement = Agreement.objects.get(region_a="331002", region_b="511300")
    other = ServiceItem.objects.exclude(code=cast.item.code).order_by("pk")[0]
    agreement.items.set([other])
    assert refusal(cast, far) == "no_agreement"


def test_an_agreement_for_the_item_holds_for_its_next_version(cast: Cast, far: Window) -> None:
    agreement = Agreement.objects.get(region_a="331002", region_b="511300")
    before = ServiceItem.objects.create(
        code=cast.item.code,
        version=9,
        name="旧版",
        region=cast.item.region,
        scope=Scope.CROSS_PROVINCE.value,
        effective_from=local_day(NOW),
        promised_days=1,
    )
    agreement.items.set([before])
    assert ask(cast, far)


def test_the_answer_takes_a_constant_number_of_queries(cast: Cast, far: Window) -> None:
    counts = []
    for more in (0, 30):
        for index in range(more):
            day = local_day(NOW).replace(year=1990 + index)
            Grant.objects.create(office=cast.wenling, right="accept", window=far, effective_from=day)
            Agreement.objects.create(
                region_a_id="331000", region_b_id="511300", signed_on=day, effective_from=day
            )
        with CaptureQueriesContext(connection) as queries:
            ask(cast, far)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 4
