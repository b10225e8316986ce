"""The faults that the sandbox plays on demand, for every courier.

Lost answers, errors, forged pushes and deliveries that are taken back stand with the contract itself.
"""

import httpx
import pytest

from logistics.couriers.errors import CourierError, CourierSaidNo
from logistics.rules.tracking import Scan
from logistics.rules.tracking import TrackingKind as Kind
from tests.logistics.listener import Listener
from tests.logistics.office import Office

TWO = [Kind.COLLECTED, Kind.IN_TRANSIT]


def kinds_told(office: Office, listener: Listener) -> list[Kind]:
    """The story that all pushes together tell, whatever order they came in."""
    scans: dict[str, Scan] = {}
    for raw in listener.received:
        for report in office.courier.parse_push(raw):
            scans |= {scan.key: scan for scan in report.scans}
    return [scan.kind for scan in sorted(scans.values(), key=lambda scan: scan.at)]


def test_who_answers_too_slowly_may_be_asked_later(office: Office) -> None:
    number = office.waybill()
    office.wish("advance", waybill=number, to="collected")
    office.wish("faults", kind="slow", on="query", seconds=2, times=3)
    with httpx.Client(timeout=0.3, trust_env=False) as hurried:
        courier = office.terms.courier(office.sandbox.url, hurried)
        with pytest.raises(CourierError) as late:
            courier.query(office.question(number))
    assert late.value.can_retry
    assert [scan.kind for scan in office.courier.query(office.question(number)).scans] == [Kind.COLLECTED]


def test_a_push_that_comes_twice_is_one(office: Office) -> None:
    with office.followed() as (number, listener):
        office.wish("faults", kind="duplicate", on="push")
        office.wish("advance", waybill=number, to="collected")
    first, second = listener.received
    assert office.courier.delivery_key(first) == office.courier.delivery_key(second)
    assert kinds_told(office, listener) == [Kind.COLLECTED]


def test_pushes_in_the_wrong_order_tell_the_same_story(office: Office) -> None:
    with office.followed() as (number, listener):
        office.wish("faults", kind="reordered", on="push")
        office.wish("advance", waybill=number, to="collected")
        assert listener.received == []
        office.wish("advance", waybill=number, to="in_transit")
    newer, older = (office.courier.parse_push(raw)[0].scans for raw in listener.received)
    assert max(scan.at for scan in newer) > max(scan.at for scan in older)
    assert kinds_told(office, listener) == TWO


def test_silence_is_heard_by_asking(office: Office) -> None:
    with office.followed() as (number, listener):
        office.wish("faults", kind="silence", on="push", times=2)
        office.wish("advance", waybill=number, to="in_transit", through=True)
    assert listener.received == []
    scans = office.courier.query(office.question(number)).scans
    assert [scan.kind for scan in sorted(scans, key=lambda scan: scan.at)] == TWO


def test_a_parcel_of_another_company_is_never_told_as_ours(office: Office) -> None:
    """Only those who follow for others can be told a wrong company: kuaidi100 corrects it, kdniao knows of nothing."""
    with office.followed() as (number, listener):
        office.wish("faults", kind="wrong_company", on="push")
        office.wish("advance", waybill=number, to="collected")
    reports = [report for raw in listener.received for report in office.courier.parse_push(raw)]
    assert {report.waybill_number for report in reports} == {number}
    told = [scan.kind for report in reports for scan in report.scans]
    match office.terms.adapter:
        case "kuaidi100":
            assert (told, {report.company for report in reports}) == ([Kind.COLLECTED], {"yuantong"})
        case "kdniao":
            assert told == []
            with pytest.raises(CourierSaidNo, match="核对运单号与快递公司"):
                office.courier.query(office.question(number))
        case _:
            assert told == [Kind.COLLECTED]


def test_the_expected_arrival_is_taken_over_where_the_courier_names_it(office: Office) -> None:
    with office.followed() as (number, listener):
        office.wish("advance", waybill=number, to="collected", at="2026-03-10T02:00:00Z")
    pushed = office.courier.parse_push(listener.received[-1])[0].expected_at
    asked = office.courier.query(office.question(number)).expected_at
    assert pushed == asked
    said = asked.isoformat() if asked else ""
    assert said.startswith("2026-03-12T") == office.terms.says_when
