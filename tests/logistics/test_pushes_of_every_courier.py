"""EMS, SF and kdniao push to us over HTTP as they really do: raw body → kept → verified → merged → the parcel's story."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from django.test import Client

from logistics.couriers.base import Proof
from logistics.couriers.neutral.wire import EventWire
from logistics.models import CarrierAccount, Incident, Parcel, TrackingEvent, WebhookDelivery
from logistics.rules.parcels import ParcelState
from logistics.rules.tracking import TrackingKind as Kind
from logistics.sandbox.ems import ems_push
from logistics.sandbox.kdniao import kdniao_push
from logistics.sandbox.pushing import Push
from logistics.sandbox.server import SandboxServer
from logistics.sandbox.sf import sf_push
from logistics.sandbox.world import Contract, Shipment, World
from logistics.services.accounts import add_account, add_carrier
from logistics.services.timeline import timeline
from registry.actors import SYSTEM
from tests.cast import NOW
from tests.logistics.contracts import TERMS, wish
from tests.logistics.play import process_all
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
State = WebhookDelivery.State
NUMBERS = {"ems": "1012345678901", "sf": "SF1000000000001", "kdniao": "1012345678901"}
PUSHES: dict[str, Callable[[Shipment, EventWire, Contract], Push | None]] = {
    "ems": ems_push,
    "sf": sf_push,
    "kdniao": kdniao_push,
}


@dataclass
class Line:
    """One courier's end of the line: a parcel on its way, and how its pushes reach us."""

    adapter: str
    contract: Contract
    shipment: Shipment
    account: CarrierAccount
    parcel: Parcel

    def __post_init__(self) -> None:
        self.world = World(clock=lambda: NOW)
        self.hours = 0

    @property
    def proof(self) -> Proof:
        return TERMS[self.adapter].proof

    def happens(self, kind: Kind) -> Push:
        self.hours += 1
        event = self.world.move(self.shipment, kind, at=NOW + timedelta(hours=self.hours))
        return self._push(event)

    def taken_back(self) -> Push:
        event = self.world.reverse(self.shipment)
        assert event is not None
        return self._push(event)

    def send(self, body: bytes, push: Push) -> bytes:
        """What we answer. The status is 200 whatever we say: these couriers read the body."""
        address = f"/api/v1/webhooks/couriers/{self.account.path_token}"
        answer = Client().post(address, body, content_type=push.headers["content-type"])
        assert answer.status_code == 200
        return answer.content

    def story(self, road: Road) -> list[tuple[str, bool]]:
        """What the parcel's page shows of the carrier's scans, and whether it was taken back."""
        entries = timeline(parcel=self.parcel, actor=road.cast.clerk).entries
        return [(entry.label, entry.void) for entry in entries if entry.source == "carrier"]

    def state(self) -> str:
        return Parcel.objects.get(pk=self.parcel.pk).state

    def _push(self, event: EventWire) -> Push:
        push = PUSHES[self.adapter](self.shipment, event, self.contract)
        assert push is not None
        return push


@pytest.fixture(params=["ems", "sf", "kdniao"])
def line(request: pytest.FixtureRequest, road: Road, sandbox: SandboxServer, client: httpx.Client) -> Line:
    adapter = request.param
    terms = TERMS[adapter]
    terms.tell(sandbox, client)
    if terms.follows:
        wish(client, sandbox, "shipments", number=NUMBERS[adapter], company=terms.company)
    carrier = add_carrier(
        code=adapter, name="承运商", adapter=adapter, company=terms.company, actor=SYSTEM, now=NOW
    )
    account = add_account(
        carrier=carrier,
        centre=road.cast.taizhou.centre,
        number=terms.number or "0000",
        credentials=terms.credentials,
        options=terms.options(sandbox.url),
        actor=road.cast.administrator,
        now=NOW,
    )
    waybill = road.registered(NUMBERS[adapter], account=account)
    parcel = road.on_the_road(waybill)
    told = terms.register(terms.credentials, "http://127.0.0.1/")["contract"]
    contract = Contract(told["interface"], told["name"], told["secrets"], told["push_url"])
    shipment = Shipment(number=waybill.number, reference=waybill.reference, company=terms.company)
    shipment.watchers[contract.key] = terms.company
    return Line(adapter, contract, shipment, account, parcel)


def test_a_journey_pushed_scan_by_scan_is_the_parcels_story(line: Line, road: Road) -> None:
    for kind in (Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.DELIVERED):
        push = line.happens(kind)
        assert push.accepts(line.send(push.body, push))
    delivery = WebhookDelivery.objects.first()
    assert delivery is not None
    assert (delivery.state, delivery.proof) == (State.RECEIVED, ""), "kept before anybody reads it"
    assert not TrackingEvent.objects.exists()
    process_all()
    assert [label for label, _ in line.story(road)] == ["已揽收", "运输中", "派送中", "已签收"]
    assert line.state() == ParcelState.DELIVERED
    assert set(WebhookDelivery.objects.values_list("proof", flat=True)) == {line.proof.value}
    assert Parcel.objects.get(pk=line.parcel.pk).delivered_at == NOW + timedelta(hours=4)


def test_a_push_that_comes_again_is_acknowledged_and_has_no_second_effect(line: Line, road: Road) -> None:
    push = line.happens(Kind.COLLECTED)
    for _ in range(3):
        assert push.accepts(line.send(push.body, push))
    process_all()
    assert line.story(road) == [("已揽收", False)]
    assert WebhookDelivery.objects.get(state=State.PROCESSED).repeats == 2


def test_a_push_that_is_not_the_couriers_is_not_acknowledged_and_changes_nothing(
    line: Line, road: Road
) -> None:
    push = line.happens(Kind.DELIVERED)
    if line.proof is Proof.PATH:
        # Nothing is signed: the addresses that the courier pushes from stand in for it.
        CarrierAccount.objects.update(allowed_addresses=["203.0.113.0/24"])
    assert not push.accepts(line.send(push.forged or push.body, push))
    process_all()
    assert (line.story(road), line.state()) == ([], ParcelState.HANDED_OVER)
    assert WebhookDelivery.objects.get().state == State.FORGED


def test_a_delivery_that_is_taken_back_is_none(line: Line, road: Road) -> None:
    if not TERMS[line.adapter].takes_back:
        pytest.skip("SF pushes no word for it")
    for kind in (Kind.COLLECTED, Kind.DELIVERED):
        push = line.happens(kind)
        line.send(push.body, push)
    process_all()
    assert line.state() == ParcelState.DELIVERED
    push = line.taken_back()
    assert push.accepts(line.send(push.body, push))
    process_all()
    assert line.state() == ParcelState.IN_TRANSIT
    assert ("已签收", True) in line.story(road)
    assert Incident.objects.get().kind == "delivery_reversed"


def test_scans_may_arrive_in_any_order(line: Line, road: Road) -> None:
    pushes = [line.happens(kind) for kind in (Kind.COLLECTED, Kind.IN_TRANSIT, Kind.DELIVERED)]
    for push in reversed(pushes):
        line.send(push.body, push)
    process_all()
    assert line.story(road) == [("已揽收", False), ("运输中", False), ("已签收", False)]
    assert line.state() == ParcelState.DELIVERED
