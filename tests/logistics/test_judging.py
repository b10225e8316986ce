"""Pushes are durable before they are judged; forged ones are capped, counted, alarmed, and never acted on."""

import base64
from datetime import timedelta

import pytest

from logistics.couriers.base import Proof, RawRequest
from logistics.couriers.neutral import NeutralCourier
from logistics.models import ForgeryTally, TrackingEvent, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import Push
from logistics.services import judging
from logistics.services.accounts import rotate_credentials
from logistics.services.inbox import note_arrivals
from logistics.services.judging import acknowledge_alarm, open_alarms, tell_forgeries
from logistics.services.taking_in import process_delivery, sweep_inbox
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.couriers import API_KEY
from tests.logistics.play import Play, process_all, send
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
WRONG = "whsec_" + base64.b64encode(b"x" * 24).decode()
State = WebhookDelivery.State


def forged(play: Play, number: int) -> Push:
    """A push of one's own, signed by somebody who does not know the secret."""
    push = play.push(play.move(TrackingKind.DELIVERED), secret=WRONG)
    return Push(push.url, {**push.headers, "webhook-id": f"msg-{number}"}, push.body)


def test_a_push_is_in_the_inbox_before_anybody_judges_it(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def break_down(courier: NeutralCourier, raw: RawRequest, **_: object) -> Proof:
        seen.append(WebhookDelivery.objects.count())
        raise ZeroDivisionError

    push = play.push(play.move(TrackingKind.COLLECTED))
    with monkeypatch.context() as patch:
        patch.setattr(NeutralCourier, "verify", break_down)
        with pytest.raises(ZeroDivisionError):
            send(play.account, push)
    assert seen == [1]
    delivery = WebhookDelivery.objects.get()
    assert base64.b64decode(delivery.raw["body"]) == push.body
    assert delivery.state == State.RECEIVED
    process_all()
    delivery.refresh_from_db()
    assert (delivery.state, TrackingEvent.objects.count()) == (State.PROCESSED, 1)


def test_what_nobody_judged_at_the_door_is_judged_as_of_its_arrival(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # the process died between keeping and judging
        patch.setattr("logistics.services.inbox.judge", lambda *_, **__: Proof.SIGNED)
        send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
        send(play.account, forged(play, 1))
    genuine, other = WebhookDelivery.objects.order_by("pk")
    days = NOW + timedelta(days=2)  # far beyond the tolerance of a signature's clock
    assert process_delivery(delivery_id=genuine.pk, now=days) == State.PROCESSED
    assert process_delivery(delivery_id=other.pk, now=days) == State.FORGED
    other.refresh_from_db()
    assert (other.state, other.fault) == (State.FORGED, "签名不符")
    assert TrackingEvent.objects.count() == 1


def test_forged_pushes_beyond_the_room_are_counted_and_not_kept(
    play: Play, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "MOST_KEPT", 3)
    monkeypatch.setattr(judging, "ALARM_AT", 4)
    for number in range(6):
        assert b"false" in send(play.account, forged(play, number))
    tally = ForgeryTally.objects.get()
    assert (tally.count, tally.kept, tally.last_fault) == (6, 3, "签名不符")
    assert WebhookDelivery.objects.filter(state=State.FORGED).count() == 3
    assert WebhookDelivery.objects.count() == 3
    assert Event.objects.filter(kind="webhook.forged").count() == 3
    assert Event.objects.get(kind="webhook.forgeries_alarmed").data["count"] == 4
    process_all()
    assert not TrackingEvent.objects.exists()

    assert tell_forgeries(now=NOW + timedelta(minutes=30)) == 0, "the hour is not over"
    assert tell_forgeries(now=NOW + timedelta(hours=3)) == 1
    assert tell_forgeries(now=NOW + timedelta(hours=3)) == 0
    told = Event.objects.get(kind="webhook.forgeries_counted").data
    assert (told["count"], told["kept"]) == (6, 3)


def test_large_forgeries_fill_the_room_sooner(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_KEPT_BYTES", 2000)
    for number in range(4):
        push = forged(play, number)
        send(play.account, Push(push.url, push.headers, push.body + b" " * 900))
    tally = ForgeryTally.objects.get()
    assert (tally.count, tally.kept) == (4, 1)
    assert tally.kept_bytes <= 2000


def test_every_hour_and_account_has_its_own_room(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_KEPT", 1)
    for hours in (0, 0, 1, 1):
        send(play.account, forged(play, hours), now=NOW + timedelta(hours=hours))
    assert list(ForgeryTally.objects.order_by("hour").values_list("count", "kept")) == [(2, 1), (2, 1)]


def test_an_alarm_is_shown_until_an_administrator_knows_of_it(
    play: Play, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "ALARM_AT", 2)
    send(play.account, forged(play, 0))
    assert not open_alarms().exists()
    send(play.account, forged(play, 1))
    tally = open_alarms().get()
    with pytest.raises(NotYours):
        acknowledge_alarm(tally=tally, actor=road.cast.clerk, now=NOW)
    acknowledge_alarm(tally=tally, actor=road.cast.administrator, now=NOW)
    assert not open_alarms().exists()
    tally.refresh_from_db()
    assert str(tally.seen_by_id) == road.cast.administrator.id
    with pytest.raises(Refused, match="已有人知悉"):
        acknowledge_alarm(tally=tally, actor=road.cast.administrator, now=NOW)
    assert Event.objects.filter(kind="webhook.forgeries_seen").count() == 1


def test_arrivals_are_noted_in_one_entry_for_each_account_that_names_them_all(play: Play) -> None:
    pushes = [play.push(play.move(TrackingKind.IN_TRANSIT)) for _ in range(5)]
    for push in pushes:
        send(play.account, push)
    send(play.account, forged(play, 1))
    assert not Event.objects.filter(kind="webhook.received").exists(), (
        "the request writes one row and no more"
    )
    assert note_arrivals(now=NOW, limit=3) == 3
    assert note_arrivals(now=NOW) == 2
    assert note_arrivals(now=NOW) == 0
    noted = [
        entry for event in Event.objects.filter(kind="webhook.received") for entry in event.data["pushes"]
    ]
    kept = WebhookDelivery.objects.exclude(state=State.FORGED).order_by("pk").values_list("pk", "digest")
    assert [tuple(entry) for entry in noted] == list(kept)
    assert list(verify_chains()) == []


def test_a_forgery_that_found_no_room_is_no_trouble_for_the_workers(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "MOST_KEPT", 0)
    with monkeypatch.context() as patch:
        patch.setattr("logistics.services.inbox.judge", lambda *_, **__: Proof.SIGNED)
        send(play.account, forged(play, 1))
    delivery = WebhookDelivery.objects.get()
    assert process_delivery(delivery_id=delivery.pk, now=NOW) == State.FORGED
    assert process_delivery(delivery_id=delivery.pk, now=NOW) == State.FORGED
    assert sweep_inbox(now=NOW + timedelta(hours=1)) == 0
    assert ForgeryTally.objects.get().count == 1


def test_a_secret_that_was_changed_a_moment_ago_is_known_at_the_door(play: Play, road: Road) -> None:
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))  # the door remembers the account now
    fresh = "whsec_" + base64.b64encode(b"n" * 24).decode()
    rotate_credentials(
        account=road.account,
        credentials={"api_key": API_KEY, "webhook_secret": fresh},
        actor=road.cast.administrator,
        now=NOW,
    )
    assert b"true" in send(play.account, play.push(play.move(TrackingKind.IN_TRANSIT), secret=fresh))
    assert b"true" in send(play.account, play.push(play.move(TrackingKind.OUT_FOR_DELIVERY)))
    process_all()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.PROCESSED}
