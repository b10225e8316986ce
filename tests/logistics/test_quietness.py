"""What a person has looked into is no news until the courier says something new: hand-overs without our scan, deliveries
taken back."""

from datetime import timedelta

import pytest

from logistics.models import Incident, Parcel, Waybill
from logistics.rules.parcels import ParcelState
from logistics.rules.tracking import TrackingKind as Kind
from logistics.sandbox.pushing import Push
from logistics.services.custody import confirm_delivery
from logistics.services.incidents import resolve_incident
from registry.actors import Actor
from tests.cast import NOW
from tests.logistics.play import Play, process_all, send, signed_as
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


def says(play: Play, kind: Kind) -> Push:
    """The courier scans, and we hear of it."""
    return heard(play, play.push(play.move(kind)))


def takes_back(play: Play) -> Push:
    return heard(play, play.push(play.undo()))


def heard(play: Play, push: Push) -> Push:
    send(play.account, push)
    process_all()
    return push


def told_again(play: Play, push: Push, name: str) -> None:
    """The same scan in a push of its own, as couriers repeat their stories."""
    heard(play, signed_as(name, push))


def close(incident: Incident, by: Actor, play: Play) -> None:
    """A person looks into it half an hour after the courier's last word."""
    after = NOW + timedelta(hours=play.hours, minutes=30)
    resolve_incident(incident=incident, resolution="已核实", actor=by, now=after)


def incidents() -> list[tuple[str, str]]:
    return list(Incident.objects.order_by("pk").values_list("kind", "state"))


@pytest.fixture
def unscanned(road: Road) -> Play:
    """The courier has a parcel that nobody scanned at the hand-over."""
    play = Play(road.booked(), road.account)
    says(play, Kind.COLLECTED)
    assert incidents() == [("unscanned_handover", "open")]
    return play


def test_an_unscanned_hand_over_is_one_incident_however_often_the_courier_scans(unscanned: Play) -> None:
    says(unscanned, Kind.IN_TRANSIT)
    says(unscanned, Kind.OUT_FOR_DELIVERY)
    assert incidents() == [("unscanned_handover", "open")]


def test_after_it_was_closed_an_old_story_told_again_is_no_news(unscanned: Play, road: Road) -> None:
    push = says(unscanned, Kind.IN_TRANSIT)
    close(Incident.objects.get(), road.cast.clerk, unscanned)
    told_again(unscanned, push, "msg_again")
    assert incidents() == [("unscanned_handover", "resolved")]


def test_after_it_was_closed_a_new_scan_is_news(unscanned: Play, road: Road) -> None:
    close(Incident.objects.get(), road.cast.clerk, unscanned)
    says(unscanned, Kind.IN_TRANSIT)
    assert incidents() == [("unscanned_handover", "resolved"), ("unscanned_handover", "open")]


def test_our_scan_late_lets_the_parcel_follow_and_ends_the_news(unscanned: Play, road: Road) -> None:
    close(Incident.objects.get(), road.cast.clerk, unscanned)
    parcel = road.on_the_road(Waybill.objects.get())
    assert parcel.state == ParcelState.IN_TRANSIT
    says(unscanned, Kind.OUT_FOR_DELIVERY)
    assert incidents() == [("unscanned_handover", "resolved")]


def test_a_delivery_taken_back_and_made_again_is_delivered_once_each_time(play: Play, road: Road) -> None:
    says(play, Kind.COLLECTED)
    says(play, Kind.DELIVERED)
    first = Parcel.objects.get().delivered_at
    push = takes_back(play)
    parcel = Parcel.objects.get()
    assert (parcel.state, parcel.delivered_at) == (ParcelState.IN_TRANSIT, None)
    close(Incident.objects.get(), road.cast.clerk, play)
    told_again(play, push, "msg_again")
    says(play, Kind.DELIVERED)
    parcel = Parcel.objects.get()
    assert parcel.state == ParcelState.DELIVERED
    assert parcel.delivered_at != first
    assert incidents() == [("delivery_reversed", "resolved")]
    takes_back(play)
    assert incidents() == [("delivery_reversed", "resolved"), ("delivery_reversed", "open")]


def test_an_applicants_delivery_taken_back_is_asked_about_once_and_again_when_it_happens_again(
    road: Road,
) -> None:
    play = _confirmed_by_word(road)
    push = takes_back(play)
    assert incidents() == [("delivery_reversed", "open")]
    close(Incident.objects.get(), road.cast.officer, play)
    told_again(play, push, "msg_again")
    assert incidents() == [("delivery_reversed", "resolved")], "the same word is no news"
    says(play, Kind.DELIVERED)
    assert incidents() == [("delivery_reversed", "resolved")]
    takes_back(play)
    assert incidents() == [("delivery_reversed", "resolved"), ("delivery_reversed", "open")]
    assert Parcel.objects.get().state == ParcelState.RECEIVED, "what a person confirmed stays"


def _confirmed_by_word(road: Road) -> Play:
    """A result that the applicant is said to have, on the courier's word alone."""
    play = Play(road.result_on_the_road(), road.account)
    says(play, Kind.DELIVERED)
    confirm_delivery(parcel=Parcel.objects.get(), actor=road.cast.officer, now=NOW)
    return play
