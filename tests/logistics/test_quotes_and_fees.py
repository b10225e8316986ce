"""The contract's price beside the carrier's own before the order, and what the carrier says it charged beside what we expect."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.test import Client

from logistics.models import CarrierFee, Charge, Discrepancy, Parcel, Waybill
from logistics.postage.fees import ask_fees, hint_of
from logistics.postage.services import add_tariff, charge_parcel, offers
from logistics.sandbox.server import SandboxServer
from logistics.services.accounts import add_carrier
from registry.actors import SYSTEM
from registry.models import Event, User
from registry.permissions import NotYours
from tests.cast import NOW
from tests.logistics.postage_world import tariff_of
from tests.logistics.road import Road, wish
from workers.upkeep import DUTIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
BY_CONTRACT, BY_WORD = 1100, 1200
"""Fen for 320 g, to be paid by the receiver: ten yuan and one for 到付; the sandbox knows one price of twelve."""


@pytest.fixture
def contract(road: Road) -> None:
    add_tariff(tariff=tariff_of(road.cast.taizhou.centre, carrier="neutral"), actor=SYSTEM, now=NOW)


@pytest.fixture
def clerk(road: Road) -> Client:
    client = Client()
    client.force_login(User.objects.get(username="clerk"))
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("contract")
def test_the_contracts_price_is_shown_step_by_step_and_the_carriers_beside_it_when_asked(road: Road) -> None:
    parcel = road.sealed()
    (offer,) = offers(parcel=parcel, actor=road.cast.clerk, now=NOW)
    assert offer.priced is not None
    assert (offer.priced.total_fen, offer.told) == (BY_CONTRACT, None)
    assert [part.amount_fen for part in offer.priced.parts] == [1000, 100]
    (offer,) = offers(parcel=parcel, actor=road.cast.clerk, now=NOW, ask="neutral")
    assert offer.told is not None
    assert (offer.told.amount_fen, offer.difference_fen) == (BY_WORD, BY_WORD - BY_CONTRACT)
    with pytest.raises(NotYours):
        offers(parcel=parcel, actor=road.cast.officer, now=NOW)


def test_where_there_is_no_price_the_reason_stands_in_its_place(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    add_carrier(code="other", name="另一家", adapter="neutral", actor=SYSTEM, now=NOW)
    wish(client, sandbox, "faults", kind="error", on="quote", times=9)
    found = {
        one.carrier.code: one
        for one in offers(parcel=road.sealed(), actor=road.cast.clerk, now=NOW, ask="neutral")
    }
    assert "没有生效的资费合同" in found["neutral"].unpriced
    assert "承运商" in found["neutral"].untold
    assert "尚未登记" in found["other"].unpriced


@pytest.mark.usefixtures("contract")
def test_the_clerk_sees_both_prices_at_the_weighed_parcel(road: Road, clerk: Client) -> None:
    number = road.sealed().number
    before = page(clerk, f"/parcels/{number}/")
    assert "11.00 元" in before
    assert "到付手续费" in before
    assert f"/parcels/{number}/quote/?carrier=neutral" in before
    asked = page(clerk, f"/parcels/{number}/quote/?carrier=neutral")
    assert "12.00 元" in asked
    assert "与合同相差 1.00 元" in asked


@pytest.fixture
def travelling(road: Road, sandbox: SandboxServer, client: httpx.Client, contract: None) -> Waybill:
    """A parcel that was charged here, handed over, and collected and weighed by the courier."""
    waybill = road.booked()
    road.on_the_road(waybill)
    charge_parcel(parcel=waybill.parcel, actor=SYSTEM, now=NOW)
    wish(client, sandbox, "advance", waybill=waybill.number, to="collected", at=NOW.isoformat())
    return waybill


def test_what_the_courier_says_stands_beside_what_is_expected_and_is_no_bill(travelling: Waybill) -> None:
    assert ask_fees(now=NOW + timedelta(hours=2)) == 0, "it is asked a day after the hand-over"
    assert DUTIES["ask_fees"](now=NOW + timedelta(days=2)) == 1
    hint = hint_of(Parcel.objects.get())
    assert hint is not None
    assert (hint.expected_fen, hint.told_fen, hint.difference_fen) == (BY_CONTRACT, BY_WORD, 100)
    assert Event.objects.get(kind="waybill.fees_told").data["told_fen"] == BY_WORD
    assert Charge.objects.get().amount_fen == BY_CONTRACT, "the expected charge stays"
    assert not Discrepancy.objects.exists()
    assert ask_fees(now=NOW + timedelta(days=4)) == 0, "what was told is not asked for again"


def test_the_latest_word_of_a_kind_holds(travelling: Waybill) -> None:
    ask_fees(now=NOW + timedelta(days=2))
    first = CarrierFee.objects.get()
    CarrierFee.objects.create(
        waybill=travelling,
        kind=first.kind,
        version=first.version + 1,
        amount_fen=900,
        billed_weight_g=300,
        payer=first.payer,
        settling=first.settling,
        charged_on=first.charged_on,
        told_at=datetime.now(UTC),
    )
    hint = hint_of(Parcel.objects.get())
    assert hint is not None
    assert (hint.told_fen, hint.told_weight_g) == (900, 300)


def test_a_courier_that_does_not_answer_is_left_alone_for_a_day(
    travelling: Waybill, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind="error", on="charges", times=9)
    day = NOW + timedelta(days=2)
    assert ask_fees(now=day) == 0
    client.delete(f"{sandbox.url}/sandbox/faults").raise_for_status()
    assert ask_fees(now=day + timedelta(hours=1)) == 0
    assert ask_fees(now=day + timedelta(days=1, minutes=1)) == 1


def test_clerk_and_finance_see_the_difference_as_a_hint(travelling: Waybill, clerk: Client) -> None:
    ask_fees(now=NOW + timedelta(days=2))
    shown = page(clerk, f"/parcels/{travelling.parcel.number}/")
    assert "与预计不同" in shown
    assert "仅供提示，以对账单为准" in shown
    clerk.force_login(User.objects.get(username="finance"))
    lines = page(clerk, "/spending/lines/?first=2026-03&last=2026-03")
    assert "12.00 元" in lines
    assert "与预计 11.00 元 不同" in lines
