"""The inbox of pushes: what failed is processed again by hand, once."""

import pytest
from django.urls import reverse

from logistics.models import TrackingEvent, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from registry.models import Event
from tests.config.conftest import SignIn
from tests.logistics.play import Play, State, process_all, send
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db


def test_a_failed_push_is_replayed_from_the_page_with_one_effect(road: Road, sign_in: SignIn) -> None:
    waybill = road.pre_reviewed().registered()
    road.on_the_road(waybill)
    play = Play(waybill, road.account)
    send(play.account, play.push(play.move(TrackingKind.IN_TRANSIT)))
    WebhookDelivery.objects.update(state=State.FAILED, fault="处理出错（Timeout）")
    process_all()
    assert not TrackingEvent.objects.exists()
    administrator, address = sign_in(road.cast.administrator), reverse("webhook_inbox")
    replay = reverse("replay_push", args=[WebhookDelivery.objects.get().pk])
    shown = administrator.get(address).text
    assert ("处理出错（Timeout）" in shown, replay in shown) == (True, True)
    assert sign_in(road.cast.clerk).post(replay).status_code == 404
    for _ in range(2):
        administrator.post(replay)
    assert WebhookDelivery.objects.get().state == State.PROCESSED
    assert TrackingEvent.objects.count() == 1
    assert Event.objects.filter(kind="webhook.replayed", actor_label="administrator").exists()
