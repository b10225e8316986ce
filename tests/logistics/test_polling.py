"""When pushes stop: couriers are asked in turn, and silence is somebody's business."""

from datetime import timedelta

import httpx
import pytest

from logistics.couriers.errors import CourierError
from logistics.models import Incident, Waybill
from logistics.sandbox.server import SandboxServer
from logistics.services.incidents import resolve_incident
from logistics.services.tracking import overdue, poll, watch_silence
from registry.models import Event
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.road import Road, copy_of, wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


def test_only_a_scan_breaks_the_silence(road: Road, sandbox: SandboxServer, client: httpx.Client) -> None:
    waybill = road.booked()
    road.on_the_road(waybill)
    wish(client, sandbox, "faults", kind="silence", on="push", times=10)
    days = NOW + timedelta(days=3, hours=1)
    assert watch_silence(now=NOW + timedelta(days=2)) == 0
    assert [one.pk for one in overdue(days)] == [waybill.pk]
    assert poll(waybill=waybill, now=days) == 0  # the courier answers, but has seen nothing
    assert not overdue(days).exists()
    assert watch_silence(now=days) == 1
    assert watch_silence(now=days) == 1
    assert Event.objects.filter(kind="incident.opened").count() == 1
    recently = {"at": (days - timedelta(hours=5)).isoformat()}
    wish(client, sandbox, "advance", waybill=waybill.number, to="in_transit", through=True, **recently)
    assert poll(waybill=waybill, now=days) == 2
    assert poll(waybill=waybill, now=days) == 0
    waybill.refresh_from_db()
    assert waybill.latest_kind == "in_transit"
    assert watch_silence(now=days) == 0


def test_the_waybill_that_nobody_asked_about_longest_comes_first(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    first = road.booked()
    road.on_the_road(first)
    days = NOW + timedelta(days=1)
    twins = [copy_of(first, number) for number in range(3)]
    for hours, twin in zip((2, 5, 3), twins, strict=True):
        Waybill.objects.filter(pk=twin.pk).update(asked_at=days - timedelta(hours=hours))
    assert [one.pk for one in overdue(days)] == [first.pk, twins[1].pk, twins[2].pk, twins[0].pk]

    wish(client, sandbox, "faults", kind="error", on="query", times=3)
    with pytest.raises(CourierError):
        poll(waybill=first, now=days)
    # The courier owes the answer, but the others have their turn, and this one comes again after a rest.
    assert [one.pk for one in overdue(days)] == [twins[1].pk, twins[2].pk, twins[0].pk]
    assert overdue(days + timedelta(minutes=10)).last() == first


def test_a_silence_that_a_person_looked_into_is_no_news_for_three_days(road: Road) -> None:
    waybill = road.booked()
    road.on_the_road(waybill)
    days = NOW + timedelta(days=3, hours=1)
    assert watch_silence(now=days) == 1
    incident = Incident.objects.get()
    with pytest.raises(Refused, match="处理结果至多 200 个字，现有 201 个字"):
        resolve_incident(incident=incident, resolution="查" * 201, actor=road.cast.clerk, now=days)
    resolve_incident(
        incident=incident, resolution="已致电承运商，件在中转站", actor=road.cast.clerk, now=days
    )
    assert watch_silence(now=days + timedelta(minutes=1)) == 0
    assert watch_silence(now=days + timedelta(days=2, hours=23)) == 0
    assert Incident.objects.filter(state=Incident.State.OPEN).count() == 0
    assert watch_silence(now=days + timedelta(days=3, minutes=1)) == 1
    assert Incident.objects.filter(state=Incident.State.OPEN).count() == 1
