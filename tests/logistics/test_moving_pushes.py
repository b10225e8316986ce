"""When an account's push path changes, couriers are told the new one for what is still on the road."""

from datetime import timedelta

import httpx
import pytest

from logistics.models import CarrierAccount, Parcel, Waybill
from logistics.rules.parcels import ParcelState
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.server import SandboxServer
from logistics.services import inbox
from logistics.services.accounts import callback_url, courier_of
from logistics.services.doors import (
    account_behind,
    change_path,
    end_old_paths,
    old_paths,
    still_pushed_to_old_paths,
)
from logistics.services.subscribing import (
    MOST_SUBSCRIPTIONS,
    MOVE_AGAIN,
    move_subscriptions,
    subscribe,
    subscription_of,
)
from logistics.services.tracking import overdue
from registry.permissions import NotYours
from tests.cast import NOW
from tests.logistics.play import Play, process_all, send
from tests.logistics.road import Road, kuaidi100_account, wish
from workers.upkeep import DUTIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(hours=1)


def changed(road: Road, account: CarrierAccount) -> CarrierAccount:
    """The account with a fresh path."""
    return change_path(
        account=account, replaces=account.path_digest, actor=road.cast.administrator, now=LATER
    )


def told(sandbox: SandboxServer, waybill: Waybill) -> str:
    """Where the courier pushes what it sees of a waybill."""
    return sandbox.world.shipment(waybill.number).callback_url


def test_what_is_on_the_road_is_pushed_to_the_new_path(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    road.on_the_road(waybill)
    assert move_subscriptions(now=LATER) == 0
    new = changed(road, road.account)
    assert told(sandbox, waybill) == callback_url(road.account) != callback_url(new)
    assert DUTIES["move_subscriptions"](now=LATER) == 1
    assert told(sandbox, waybill) == callback_url(new)
    waybill.refresh_from_db()
    assert (waybill.push_path, waybill.subscribed_at) == (new.path_digest, LATER)
    assert move_subscriptions(now=LATER + MOVE_AGAIN) == 0, "done is done"
    assert Waybill.objects.get().subscriptions == 1, "no subscription of the month is spent on it"


def test_a_path_that_changed_twice_meanwhile_is_told_once(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    newest = changed(road, changed(road, road.account))
    assert move_subscriptions(now=LATER) == 1
    assert told(sandbox, waybill) == callback_url(newest)
    assert move_subscriptions(now=LATER + MOVE_AGAIN) == 0


def test_a_waybill_whose_path_nobody_noted_is_told_once(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    new = changed(road, road.account)
    Waybill.objects.update(push_path="")  # subscribed before paths were noted
    assert move_subscriptions(now=LATER) == 1
    assert told(sandbox, waybill) == callback_url(new)
    assert move_subscriptions(now=LATER + MOVE_AGAIN) == 0


def test_who_has_nothing_left_to_tell_is_left_alone(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    road.on_the_road(waybill)
    old = callback_url(road.account)
    changed(road, road.account)
    Parcel.objects.update(state=ParcelState.LOST.value)
    assert move_subscriptions(now=LATER) == 0
    Parcel.objects.update(state=ParcelState.IN_TRANSIT.value)
    Waybill.objects.update(ended_at=NOW)
    assert move_subscriptions(now=LATER) == 0
    assert told(sandbox, waybill) == old


def test_a_round_asks_for_so_many_and_the_next_goes_on(road: Road, sandbox: SandboxServer) -> None:
    both = [road.booked(), road.booked(road.another_sealed())]
    new = changed(road, road.account)
    assert [move_subscriptions(now=LATER, at_most=1) for _ in range(3)] == [1, 1, 0]
    assert {told(sandbox, waybill) for waybill in both} == {callback_url(new)}


def test_a_courier_that_fails_is_asked_again_after_a_rest(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    waybill = road.booked()
    new = changed(road, road.account)
    wish(client, sandbox, "faults", kind="error", on="subscribe", times=3)  # as often as one call is tried
    assert move_subscriptions(now=LATER) == 0
    assert move_subscriptions(now=LATER + timedelta(minutes=1)) == 0, "left alone for a while"
    assert told(sandbox, waybill) == callback_url(road.account)
    assert move_subscriptions(now=LATER + MOVE_AGAIN) == 1
    assert told(sandbox, waybill) == callback_url(new)


def test_kuaidi100_keeps_its_address_and_is_asked_instead(road: Road, sandbox: SandboxServer) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    waybill = road.registered(account=account)
    road.on_the_road(waybill)
    (follower,) = sandbox.world.shipment(waybill.number).followers
    old = follower.callback_url
    new = changed(road, account)
    assert move_subscriptions(now=LATER) == 0
    waybill = Waybill.objects.select_related("account__carrier").get()
    courier_of(new).subscribe(subscription_of(waybill))  # 501: followed already, the newest wish is ignored
    assert [one.callback_url for one in sandbox.world.shipment(waybill.number).followers] == [old]
    assert [one.pk for one in overdue(LATER + timedelta(days=1))] == [waybill.pk], "while nothing is heard"


def test_the_old_path_stays_open_for_what_kuaidi100_goes_on_pushing_to_it(
    road: Road, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox.doors, "seconds", 0)
    old = kuaidi100_account(road.cast, sandbox.url)
    waybill = road.registered(account=old)
    road.on_the_road(waybill)
    play, long_after = Play(waybill, old), LATER + 3 * timedelta(days=30)

    def comes_in(account: CarrierAccount) -> bool:
        play.move(TrackingKind.IN_TRANSIT)
        try:
            send(account, play.snapshot(), now=long_after)
        except NotYours:
            return False
        return True

    new = changed(road, old)
    assert [comes_in(old), comes_in(new)] == [True, True], "its overlap is over long ago"
    assert old_paths(now=long_after)[old.pk].used_at == long_after
    assert still_pushed_to_old_paths() == {old.pk: 1}
    process_all(long_after)
    assert not overdue(long_after).exists(), "and nobody has to ask"
    Waybill.objects.update(ended_at=long_after)
    assert [comes_in(old), comes_in(new)] == [False, True]
    assert still_pushed_to_old_paths() == {}


@pytest.mark.parametrize("known_to_others", [True, False])
def test_an_old_path_that_is_ended_by_hand_stays_ended(
    road: Road, sandbox: SandboxServer, known_to_others: bool
) -> None:
    old = kuaidi100_account(road.cast, sandbox.url)
    road.on_the_road(road.registered(account=old))
    actor = road.cast.administrator
    if known_to_others:
        new = change_path(account=old, replaces=old.path_digest, actor=actor, now=LATER, overlap=timedelta(0))
    else:
        new = changed(road, old)
        end_old_paths(account=new, actor=actor, now=LATER)
    assert account_behind(old.path_digest, now=LATER) is None
    assert account_behind(new.path_digest, now=LATER) is not None


def test_the_old_path_of_a_courier_that_signs_nothing_ends_with_its_overlap(road: Road) -> None:
    road.on_the_road(road.booked())
    changed(road, road.account)
    assert account_behind(road.account.path_digest, now=LATER + timedelta(days=8)) is None


def test_a_number_is_subscribed_four_times_at_most(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.registered(account=kuaidi100_account(road.cast, sandbox.url))

    def given_up(subscriptions: int) -> Waybill:
        Waybill.objects.filter(pk=waybill.pk).update(subscribed_at=None, subscriptions=subscriptions)
        return Waybill.objects.select_related("parcel", "carrier", "account__carrier").get(pk=waybill.pk)

    assert subscribe(waybill=given_up(MOST_SUBSCRIPTIONS - 1), now=LATER)
    assert not subscribe(waybill=given_up(MOST_SUBSCRIPTIONS), now=LATER)
    assert Waybill.objects.get().subscriptions == MOST_SUBSCRIPTIONS
