"""One contract for every courier: each adapter against the sandbox that speaks its wire format, over real sockets."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest

from logistics.couriers.base import Booking, Payer, Proof, RawRequest, Settling
from logistics.couriers.errors import (
    AnswerLost,
    BadPush,
    CourierError,
    CourierSaidNo,
    FateUnknown,
    Forged,
    NotOffered,
    Unreachable,
)
from logistics.rules.tracking import Scan, whereabouts
from logistics.rules.tracking import TrackingKind as Kind
from tests.logistics.couriers import order
from tests.logistics.office import Office

MONTH = date(2026, 3, 1)
JOURNEY = [Kind.COLLECTED, Kind.IN_TRANSIT, Kind.ARRIVED_CITY, Kind.OUT_FOR_DELIVERY, Kind.DELIVERED]


def only(office: Office, act: str) -> None:
    if act not in office.terms.offers:
        pytest.skip(f"{office.terms.adapter} offers no {act}")


def test_what_is_not_offered_is_said_so_with_a_way_out(office: Office) -> None:
    calls: dict[str, Callable[[], object]] = {
        "quote": lambda: office.courier.quote(order()),
        "create": lambda: office.courier.create(order()),
        "find": lambda: office.courier.find(order().reference),
        "cancel": lambda: office.courier.cancel("1012345678901", reference="x", reason="x"),
        "label": lambda: office.courier.label("1012345678901"),
        "charges": lambda: office.courier.fetch_charges(MONTH),
    }
    for act, call in calls.items():
        if act in office.terms.offers and (act, office.terms.adapter) != ("charges", "sf"):
            continue
        with pytest.raises(NotOffered, match="登记运单号") as refused:
            call()
        assert not refused.value.can_retry


def test_the_price_is_the_couriers(office: Office) -> None:
    only(office, "quote")
    assert office.courier.quote(order(weight_g=1001)).amount_fen == 1500


def test_an_order_is_found_labelled_and_given_back(office: Office) -> None:
    only(office, "create")
    booking = office.courier.create(order())
    assert booking.reference == order().reference
    if "find" in office.terms.offers:
        found = office.courier.find(order().reference)
        assert found == booking
        assert office.courier.find("P2026031000002-1") is None
    if "label" in office.terms.offers:
        assert office.courier.label(booking.waybill_number).content.startswith(b"%PDF")
    for reason in ("test", "again"):
        office.courier.cancel(booking.waybill_number, reference=booking.reference, reason=reason)
    assert office.sandbox.world.shipment(booking.waybill_number).cancelled


def test_what_was_collected_cannot_be_given_back(office: Office) -> None:
    only(office, "create")
    booking = office.courier.create(order())
    office.wish("advance", waybill=booking.waybill_number, to="collected")
    with pytest.raises(CourierSaidNo) as refused:
        office.courier.cancel(booking.waybill_number, reference=booking.reference, reason="too late")
    assert not refused.value.can_retry


@pytest.mark.parametrize("fault", ["lost_answer", "error"])
def test_a_lost_answer_never_makes_a_second_waybill(fault: str, office: Office) -> None:
    only(office, "create")
    office.wish("faults", kind=fault, on="create")
    made: Booking | CourierError
    try:
        made = office.courier.create(order())
    except (AnswerLost, FateUnknown) as error:
        made = error
    if not office.courier.creates_once:
        # Nobody can be asked, so a person looks it up: nothing is sent a second time by itself.
        assert isinstance(made, FateUnknown)
        assert office.waybills_made() == (fault == "lost_answer")
    elif isinstance(made, Booking):
        assert office.waybills_made() == 1
        assert office.sandbox.world.shipment(made.waybill_number).reference == order().reference
    else:
        assert (made.can_retry, office.waybills_made()) == (True, 0)


def test_the_second_click_gets_the_same_waybill_where_the_courier_can_be_asked(office: Office) -> None:
    only(office, "create")
    if not office.courier.creates_once:
        pytest.skip("services never order twice here")
    assert office.courier.create(order()) == office.courier.create(order())
    assert office.waybills_made() == 1


def test_a_busy_courier_is_asked_again(office: Office) -> None:
    number = office.waybill()
    office.wish("advance", waybill=number, to="collected")
    office.wish("faults", kind="busy", on="query", times=2)
    assert [scan.kind for scan in office.courier.query(office.question(number)).scans] == [Kind.COLLECTED]


def test_a_courier_that_stays_down_may_be_asked_later(office: Office) -> None:
    number = office.waybill()
    office.wish("faults", kind="error", on="query", times=3)
    with pytest.raises(CourierError) as failed:
        office.courier.query(office.question(number))
    assert failed.value.can_retry


def test_nobody_listening_is_said_so(office: Office) -> None:
    with pytest.raises(Unreachable):
        office.terms.courier("http://127.0.0.1:9", office.client).query(office.question("1012345678901"))


def test_a_wrong_right_is_refused_for_good_and_not_repeated_to_anybody(office: Office) -> None:
    name, value = office.terms.right
    stranger = office.terms.courier(office.sandbox.url, office.client, changed={name: value})
    act: Callable[[], object] = lambda: stranger.create(order())  # noqa: E731 - one of two acts
    if office.terms.follows:
        question = office.question(office.waybill(), "http://127.0.0.1:9/")
        act = lambda: stranger.subscribe(question)  # noqa: E731
    with pytest.raises(CourierSaidNo) as refused:
        act()
    assert not refused.value.can_retry
    assert value not in str(refused.value)


def test_a_moving_parcel_is_pushed_believed_understood_and_acknowledged(office: Office) -> None:
    now = datetime.now(UTC)
    with office.followed() as (number, listener):
        answer = office.wish("advance", waybill=number, to="delivered", through=True)
    pushes = answer["pushes"]
    assert isinstance(pushes, list)
    assert [push["acknowledged"] for push in pushes] == [True] * 5
    scans: dict[str, Scan] = {}
    for raw in listener.received:
        assert office.courier.verify(raw, now=now) is office.terms.proof
        (report,) = office.courier.parse_push(raw)
        assert report.waybill_number == number
        scans |= {scan.key: scan for scan in report.scans}
    pulled = office.courier.query(office.question(number)).scans
    assert {scan.key: scan for scan in pulled} == scans
    kinds = [scan.kind for scan in sorted(pulled, key=lambda scan: scan.at)]
    expected = [Kind.IN_TRANSIT if kind is Kind.ARRIVED_CITY else kind for kind in JOURNEY]
    assert kinds == (expected if office.terms.adapter == "sf" else JOURNEY)
    assert {scan.at.utcoffset() is not None for scan in pulled} == {True}


def test_what_is_not_acknowledged_comes_again_and_is_the_same_push(office: Office) -> None:
    office.sandbox.postman.waits = (0.02,)
    with office.followed(accepted=False) as (number, listener):
        answer = office.wish("advance", waybill=number, to="collected")
        office.sandbox.postman.finish()
    pushes = answer["pushes"]
    assert isinstance(pushes, list)
    assert [push["acknowledged"] for push in pushes] == [False]
    first, second = listener.received
    assert office.courier.delivery_key(first) == office.courier.delivery_key(second)


def test_pushes_of_different_scans_have_different_keys(office: Office) -> None:
    with office.followed() as (number, listener):
        office.wish("advance", waybill=number, to="in_transit", through=True)
    first, second = listener.received
    assert office.courier.delivery_key(first) != office.courier.delivery_key(second)


def test_a_forged_push_is_seen_where_the_courier_signs(office: Office) -> None:
    with office.followed() as (number, listener):
        office.wish("faults", kind="wrong_signature", on="push")
        office.wish("advance", waybill=number, to="collected")
    (raw,) = listener.received
    if office.terms.proof is Proof.PATH:
        assert office.courier.verify(raw, now=datetime.now(UTC)) is Proof.PATH
        return
    with pytest.raises(Forged):
        office.courier.verify(raw, now=datetime.now(UTC))


def test_the_old_secret_is_honoured_until_it_ends(office: Office) -> None:
    if office.terms.proof is Proof.PATH:
        pytest.skip("pushes prove themselves by their path")
    name, value = office.terms.secret
    now = datetime.now(UTC)
    with office.followed() as (number, listener):
        office.wish("advance", waybill=number, to="collected")
    (raw,) = listener.received
    rotated = office.terms.courier(office.sandbox.url, office.client, changed={name: value}, overlap=True)
    assert rotated.verify(raw, now=now) is Proof.SIGNED
    assert [scan.kind for scan in rotated.parse_push(raw)[0].scans] == [Kind.COLLECTED]
    with pytest.raises(Forged):
        rotated.verify(raw, now=now + timedelta(days=2))


def test_a_delivery_that_was_taken_back_is_none(office: Office) -> None:
    number = office.waybill()
    office.wish("advance", waybill=number, to="delivered", through=True)
    office.wish("advance", waybill=number, to="reverse")
    report = office.courier.query(office.question(number))
    now_at = whereabouts(report.scans)
    assert now_at is not None
    assert now_at[0] in (Kind.OUT_FOR_DELIVERY, Kind.IN_TRANSIT)
    assert not report.ended
    # What says so differs: a reversal that voids the scan, or a list that has it no longer.
    assert (
        report.snapshot
        or Kind.REVERSAL in {scan.kind for scan in report.scans}
        or not office.terms.takes_back
    )


def test_every_kind_reads_as_what_was_meant_or_as_something_to_look_at(office: Office) -> None:
    vague = {Kind.IN_TRANSIT, Kind.EXCEPTION, Kind.REFUSED, Kind.FAILED_ATTEMPT}
    for kind in (Kind.AT_LOCKER, Kind.FAILED_ATTEMPT, Kind.REFUSED, Kind.RETURNED, Kind.DAMAGED, Kind.LOST):
        office.sandbox.world._shipments.clear()
        number = office.waybill()
        office.wish("advance", waybill=number, to="collected")
        office.wish("advance", waybill=number, to=kind.value)
        read = sorted(office.courier.query(office.question(number)).scans, key=lambda scan: scan.at)
        told = [scan.kind for scan in read][1:]
        # No word for it (EMS: damage; SF: refusal): then nothing is told. Never something good instead.
        assert told in ([], [kind]) or set(told) <= vague, (office.terms.adapter, kind, told)


def test_charges_say_who_pays_how_and_how_much(office: Office) -> None:
    only(office, "charges")
    number = office.waybill()
    before = office.courier.fetch_charges(MONTH, waybills=[number])
    office.wish("advance", waybill=number, to="collected", at="2026-03-10T02:00:00Z")
    (line,) = office.courier.fetch_charges(MONTH, waybills=[number])
    assert before == []
    assert (line.waybill_number, line.kind, line.amount_fen) == (number, "freight", 1200)
    assert (line.payer, line.settling, line.account) == (Payer.RECEIVER, Settling.MONTHLY, "T-331000")
    assert line.billed_weight_g == order().weight_g


def test_rubbish_at_the_door_is_refused_and_nothing_else_happens(office: Office) -> None:
    dice = random.Random(6)
    with office.followed() as (number, listener):
        office.wish("advance", waybill=number, to="collected")
    (real,) = listener.received
    bodies = [b"", b"\xff\xfe", b"{}", b"[]", b"null", b"param=1&sign=2", real.body[: len(real.body) // 2]]
    bodies += [_bitten(real.body, dice) for _ in range(60)]
    for body in bodies:
        raw = RawRequest(headers=real.headers, body=body)
        assert office.courier.delivery_key(raw)
        office.courier.acknowledge(raw, accepted=False, now=datetime.now(UTC))
        with suppress(Forged, BadPush):  # anything else is a fault of ours
            office.courier.verify(raw, now=datetime.now(UTC))
            office.courier.parse_push(raw)


def _bitten(body: bytes, dice: random.Random) -> bytes:
    """One to four bytes changed somewhere."""
    bytes_ = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        bytes_[dice.randrange(len(bytes_))] = dice.randrange(256)
    return bytes(bytes_)
