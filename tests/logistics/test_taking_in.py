"""One bad push keeps nobody waiting, repetitions say nothing new, and nothing is tried for ever."""

from datetime import timedelta

import pytest

from logistics.couriers.base import RawRequest, Report
from logistics.couriers.neutral import NeutralCourier
from logistics.models import TrackingEvent, Waybill, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import Push, neutral_push
from logistics.services.inbox import note_arrivals
from logistics.services.taking_in import MOST_ATTEMPTS, process_delivery, replay, sweep_inbox
from registry.models import Event
from tests.cast import NOW
from tests.logistics.couriers import WEBHOOK_SECRET
from tests.logistics.play import Play, process_all, send, signed_as
from tests.logistics.road import Road
from workers.work.parcels import take_in_push

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(minutes=5)
State = WebhookDelivery.State


@pytest.fixture
def poisoned(play: Play, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pushes whose id is in the list break whoever reads them."""
    poison: list[str] = []
    parse = NeutralCourier.parse_push

    def parse_or_break(courier: NeutralCourier, raw: RawRequest) -> list[Report]:
        if raw.headers["webhook-id"] in poison:
            raise ZeroDivisionError("words of a stranger")
        return parse(courier, raw)

    monkeypatch.setattr(NeutralCourier, "parse_push", parse_or_break)
    return poison


def three(play: Play) -> list[Push]:
    """Three scans, each pushed by itself."""
    kinds = (TrackingKind.COLLECTED, TrackingKind.IN_TRANSIT, TrackingKind.DELIVERED)
    pushes = [play.push(play.move(kind)) for kind in kinds]
    for push in pushes:
        send(play.account, push)
    return pushes


def test_a_push_that_breaks_its_reader_keeps_nobody_waiting(play: Play, poisoned: list[str]) -> None:
    pushes = three(play)
    poisoned.append(pushes[0].headers["webhook-id"])
    note_arrivals(now=NOW)
    take_in_push(Event.objects.get(kind="webhook.received"), "", NOW)
    assert Waybill.objects.get().latest_kind == "delivered"
    states = list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))
    assert states == [State.RECEIVED, State.PROCESSED, State.PROCESSED]


def test_the_sweep_goes_on_past_a_bad_push_and_gives_it_to_a_person_in_the_end(
    play: Play, road: Road, poisoned: list[str]
) -> None:
    pushes = three(play)
    poisoned.append(pushes[0].headers["webhook-id"])
    assert sweep_inbox(now=LATER) == 2
    bad = WebhookDelivery.objects.order_by("pk")[0]
    for _ in range(MOST_ATTEMPTS):
        assert sweep_inbox(now=LATER) == 0
    bad.refresh_from_db()
    assert (bad.state, bad.fault) == (State.FAILED, "处理出错（ZeroDivisionError）")
    assert Event.objects.filter(kind="webhook.failed").count() == 1
    assert sweep_inbox(now=LATER) == 0

    poisoned.clear()  # somebody mended the reader
    assert replay(delivery=bad, actor=road.cast.administrator, now=LATER) == State.PROCESSED
    assert TrackingEvent.objects.count() == 3


def test_a_push_that_takes_the_process_down_is_given_up_too(play: Play) -> None:
    three(play)
    WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.order_by("pk")[0].pk).update(
        attempts=MOST_ATTEMPTS  # counted before each try that never came back
    )
    assert sweep_inbox(now=LATER) == 2
    bad = WebhookDelivery.objects.order_by("pk")[0]
    assert (bad.state, bad.fault) == (State.FAILED, "处理时多次中断")


def test_a_sweep_takes_so_many_and_begins_with_those_that_never_went_wrong(
    play: Play, poisoned: list[str]
) -> None:
    pushes = three(play)
    poisoned.append(pushes[0].headers["webhook-id"])
    assert sweep_inbox(now=LATER, at_most=1) == 0
    assert sweep_inbox(now=LATER, at_most=1) == 1
    assert sweep_inbox(now=LATER, at_most=1) == 1
    assert sweep_inbox(now=LATER, at_most=1) == 0


def test_a_name_that_comes_with_other_content_is_another_push(play: Play) -> None:
    first = play.move(TrackingKind.COLLECTED)
    push = play.push(first)
    send(play.account, push)
    process_all()
    second = neutral_push(
        play.shipment,
        play.move(TrackingKind.IN_TRANSIT).model_copy(update={"id": first.id + "-b"}),
        secrets=[WEBHOOK_SECRET],
        timestamp=int(NOW.timestamp()),
    )
    renamed = signed_as(push.headers["webhook-id"], second)
    send(play.account, renamed)
    send(play.account, renamed)
    process_all()
    assert list(WebhookDelivery.objects.order_by("pk").values_list("state", "repeats")) == [
        (State.PROCESSED, 0),
        (State.PROCESSED, 1),
        (State.REPEATED, 0),
    ]
    assert TrackingEvent.objects.count() == 2


def test_a_repetition_may_be_processed_first_or_twice(play: Play) -> None:
    push = play.push(play.move(TrackingKind.COLLECTED))
    send(play.account, push)
    send(play.account, push)
    first, second = WebhookDelivery.objects.order_by("pk")
    assert process_delivery(delivery_id=second.pk, now=NOW) == State.PROCESSED
    assert process_delivery(delivery_id=first.pk, now=NOW) == State.REPEATED
    assert process_delivery(delivery_id=first.pk, now=NOW) == State.REPEATED
    second.refresh_from_db()
    assert second.repeats == 1
    assert TrackingEvent.objects.count() == 1
