"""The content of pushes is emptied after its days, forged ones sooner; lines, counts and the story stay."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from logistics.models import ForgeryTally, ParkedNumber, TrackingEvent, Waybill, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.services.purging import purge_inbox
from logistics.services.taking_in import replay
from registry.models import Event
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.play import Play, process_all, send
from tests.logistics.road import Road
from workers.upkeep import DUTIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
OTHER_SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
State = WebhookDelivery.State


@pytest.fixture(autouse=True)
def days(settings: Settings) -> None:
    settings.INBOX_DAYS, settings.INBOX_FORGED_DAYS = 30, 3


def after(days: int) -> int:
    return purge_inbox(now=NOW + timedelta(days=days))


def contents() -> dict[str, bool]:
    """State → whether the content is there."""
    return {one.state: bool(one.raw) for one in WebhookDelivery.objects.all()}


@pytest.fixture
def inbox(play: Play) -> Play:
    """One push that was processed, one that waits for its waybill, and one that is forged."""
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    known, play.shipment.number = play.shipment.number, "1099999999999"
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    play.shipment.number = known
    send(play.account, play.push(play.move(TrackingKind.IN_TRANSIT), secret=OTHER_SECRET))
    process_all()
    return play


def test_forged_pushes_are_emptied_first_and_the_others_after_their_days(inbox: Play) -> None:
    assert after(3) == 0, "whole days: the third is not over before midnight"
    assert after(4) == 1
    assert contents() == {State.PROCESSED: True, State.PARKED: True, State.FORGED: False}
    assert (after(4), after(30)) == (0, 0)
    assert after(31) == 2
    assert not any(contents().values())


def test_lines_counts_and_the_story_stay(inbox: Play) -> None:
    digests = set(WebhookDelivery.objects.values_list("digest", flat=True))
    after(31)
    assert set(WebhookDelivery.objects.values_list("digest", flat=True)) == digests
    tally = ForgeryTally.objects.get()
    assert (tally.count, tally.kept) == (1, 1)
    assert (
        TrackingEvent.objects.filter(waybill=Waybill.objects.get(number=inbox.shipment.number)).count() == 1
    )
    told = [event.data["emptied"] for event in Event.objects.filter(kind="webhook.purged")]
    assert told == [{"forged": 1, "parked": 1, "processed": 1}]


def test_what_was_emptied_is_not_processed_again_and_says_so(inbox: Play, road: Road) -> None:
    after(31)
    delivery = WebhookDelivery.objects.get(state=State.PROCESSED)
    assert not delivery.can_replay
    with pytest.raises(Refused, match="delivery_purged"):
        replay(delivery=delivery, actor=road.cast.administrator, now=NOW)
    waiting = WebhookDelivery.objects.get(state=State.FAILED)
    assert waiting.fault == "到保存期限仍无人认领"
    assert not ParkedNumber.objects.exists()


def test_what_nobody_has_judged_yet_stays(play: Play) -> None:
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    assert after(400) == 0
    assert contents() == {State.RECEIVED: True}


def test_a_round_empties_so_many_and_the_clock_comes_again(inbox: Play) -> None:
    later = NOW + timedelta(days=31)
    assert purge_inbox(now=later, at_most=2) == 2
    assert DUTIES["purge_inbox"](now=later) == 1
