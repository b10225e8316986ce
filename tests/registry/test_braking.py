"""The brake on pages that anybody may open."""

from datetime import timedelta

import pytest

from registry.braking import WINDOW, Brake, TooOften
from registry.models import CallCount
from tests.cast import NOW

BRAKE = Brake("probe", from_one=3, from_all=5)
pytestmark = pytest.mark.django_db


def test_one_caller_is_braked_and_others_are_not() -> None:
    for _ in range(3):
        BRAKE.count(caller="192.0.2.1", now=NOW)
    with pytest.raises(TooOften, match="请 10 分钟后再试"):
        BRAKE.count(caller="192.0.2.1", now=NOW)
    BRAKE.count(caller="192.0.2.2", now=NOW)
    Brake("other", from_one=1, from_all=1).count(caller="192.0.2.1", now=NOW)


def test_everybody_together_is_braked() -> None:
    for number in range(5):
        BRAKE.count(caller=f"192.0.2.{number}", now=NOW)
    with pytest.raises(TooOften):
        BRAKE.count(caller="192.0.2.99", now=NOW)


def test_a_window_that_is_over_is_forgotten_with_its_addresses() -> None:
    for _ in range(3):
        BRAKE.count(caller="192.0.2.1", now=NOW)
    assert "192.0.2.1" not in str(list(CallCount.objects.values()))
    BRAKE.count(caller="192.0.2.1", now=NOW + WINDOW + timedelta(seconds=1))
    assert CallCount.objects.count() == 2


def test_a_whole_network_of_ipv6_is_one_caller() -> None:
    brake = Brake("probe", from_one=1, from_all=5)
    brake.count(caller="2001:db8::1", now=NOW)
    with pytest.raises(TooOften):
        brake.count(caller="2001:db8::2", now=NOW)
    brake.count(caller="2001:db8:0:1::1", now=NOW)
    brake.count(caller="no address", now=NOW)


def test_callers_of_ipv4_are_told_apart_behind_a_socket_for_both() -> None:
    brake = Brake("probe", from_one=1, from_all=5)
    brake.count(caller="::ffff:192.0.2.1", now=NOW)
    brake.count(caller="::ffff:192.0.2.2", now=NOW)
    with pytest.raises(TooOften):
        brake.count(caller="192.0.2.1", now=NOW)


def test_who_is_braked_reads_the_pages_own_words() -> None:
    brake = Brake("probe", from_one=0, from_all=1, code="slow-down", words="请 {minutes} 分钟后再来。")
    with pytest.raises(TooOften, match="请 10 分钟后再来") as braked:
        brake.count(caller="192.0.2.1", now=NOW)
    assert (braked.value.code, braked.value.can_retry) == ("slow-down", True)
