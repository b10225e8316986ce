"""An account's way in for pushes: a new path with an overlap, and the addresses that may use it."""

from datetime import timedelta

import pytest

from logistics.models import CarrierAccount, RetiredPath, WebhookDelivery
from logistics.rules.tracking import TrackingKind
from logistics.services import inbox
from logistics.services.doors import allow_addresses, change_path, end_old_paths, old_paths
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.play import Play, send
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def forgetful_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each push looks its account up, as after the seconds that a process remembers it."""
    monkeypatch.setattr(inbox.doors, "seconds", 0)


def changed(road: Road, account: CarrierAccount, *, overlap: timedelta = WEEK) -> CarrierAccount:
    return change_path(
        account=account,
        replaces=account.path_digest,
        overlap=overlap,
        actor=road.cast.administrator,
        now=NOW,
    )


def comes_in(play: Play, account: CarrierAccount, *, later: timedelta = timedelta(0)) -> bool:
    push = play.push(play.move(TrackingKind.IN_TRANSIT))
    try:
        send(account, push, now=NOW + later)
    except NotYours:
        return False
    return True


def test_both_paths_lead_in_for_the_overlap_and_then_only_the_new_one(play: Play, road: Road) -> None:
    old = play.account
    new = changed(road, old)
    assert new.path_token != old.path_token
    assert [comes_in(play, one) for one in (old, new)] == [True, True]
    assert set(WebhookDelivery.objects.values_list("account", flat=True)) == {old.pk}
    assert [comes_in(play, one, later=WEEK) for one in (old, new)] == [False, True]


def test_that_the_old_path_is_still_used_is_seen(play: Play, road: Road) -> None:
    old = play.account
    new = changed(road, old)
    comes_in(play, new)
    assert old_paths(now=NOW)[old.pk].used_at is None
    comes_in(play, old, later=timedelta(hours=1))
    assert old_paths(now=NOW)[old.pk].used_at == NOW + timedelta(hours=1)


def test_a_path_that_became_known_ends_at_once_with_all_before_it(play: Play, road: Road) -> None:
    first = play.account
    second = changed(road, first)
    third = changed(road, second, overlap=timedelta(0))
    assert [comes_in(play, one) for one in (first, second, third)] == [False, False, True]


def test_the_overlap_ends_early_when_the_courier_changed_over(play: Play, road: Road) -> None:
    old = play.account
    new = changed(road, old)
    end_old_paths(account=new, actor=road.cast.administrator, now=NOW)
    assert [comes_in(play, one) for one in (old, new)] == [False, True]
    with pytest.raises(Refused, match="stale"):
        end_old_paths(account=new, actor=road.cast.administrator, now=NOW)


def test_a_form_that_is_sent_twice_changes_the_path_once(road: Road) -> None:
    new = changed(road, road.account)
    with pytest.raises(Refused, match="stale"):
        changed(road, road.account)
    assert CarrierAccount.objects.get().path_digest == new.path_digest
    assert RetiredPath.objects.count() == 1


def test_no_path_stands_in_the_audit_and_only_administrators_change_it(road: Road) -> None:
    new = changed(road, road.account)
    event = Event.objects.get(kind="carrier_account.path_changed")
    for secret in (new.path_token, road.account.path_token):
        assert secret not in str(event.data)
    with pytest.raises(NotYours):
        change_path(account=new, replaces=new.path_digest, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotYours):
        end_old_paths(account=new, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotYours):
        allow_addresses(account=new, addresses=[], actor=road.cast.clerk, now=NOW)


def test_only_addresses_and_networks_are_taken_as_such(road: Road) -> None:
    administrator = road.cast.administrator
    told = [" 203.0.113.5", "198.51.100.7/24", "2001:db8::/32", "203.0.113.5"]
    allow_addresses(account=road.account, addresses=told, actor=administrator, now=NOW)
    kept = ["198.51.100.0/24", "2001:db8::/32", "203.0.113.5/32"]
    assert CarrierAccount.objects.get().allowed_addresses == kept
    assert Event.objects.get(kind="carrier_account.addresses_set").data == {"addresses": kept}
    for wrong in ("203.0.113", "example.com", "203.0.113.5/40"):
        with pytest.raises(Refused, match="address_unreadable"):
            allow_addresses(account=road.account, addresses=[wrong], actor=administrator, now=NOW)
    allow_addresses(account=road.account, addresses=[], actor=administrator, now=NOW)
    assert CarrierAccount.objects.get().allowed_addresses == []


def test_a_push_from_elsewhere_is_forged_once_addresses_are_set(play: Play, road: Road) -> None:
    allow_addresses(
        account=play.account, addresses=["203.0.113.0/24"], actor=road.cast.administrator, now=NOW
    )
    assert comes_in(play, play.account)
    assert WebhookDelivery.objects.get().state == WebhookDelivery.State.FORGED
