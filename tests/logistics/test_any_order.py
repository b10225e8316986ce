"""Pushes in any order and number: the same rows, the same state of the parcel."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from logistics.models import Parcel, TrackingEvent, Waybill
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.rules.tracking import TrackingKind
from registry.models import Event
from tests.cast import NOW, assemble
from tests.logistics.play import Play, process_all, send
from tests.logistics.road import build_road

pytestmark = pytest.mark.usefixtures("objects")

STEPS = ["collected", "in_transit", "arrived_city", "delivered", "undo", "out_for_delivery", "delivered"]


class AnyOrder(TestCase):
    """Whatever the order and however often: the same rows, the same state."""

    def setUp(self) -> None:
        cast = assemble()
        self.road = build_road(cast, "http://127.0.0.1:9").pre_reviewed()
        self.waybill = self._waybill()

    def _waybill(self) -> Waybill:
        parcel = self.road.sealed()
        waybill = Waybill.objects.create(
            parcel=parcel,
            carrier=self.road.account.carrier,
            account=self.road.account,
            reference=f"{parcel.number}-1",
            number="1012345678901",
            state=WaybillState.BOOKED.value,
            term="collect",
            payer="receiver",
            settling="monthly",
            requested_at=NOW,
            booked_at=NOW,
        )
        self.road.on_the_road(waybill)
        assert Parcel.objects.get(pk=parcel.pk).state == ParcelState.HANDED_OVER
        return waybill

    @given(
        order=st.permutations(range(len(STEPS))),
        repeated=st.lists(st.integers(0, len(STEPS) - 1), max_size=5),
        at_once=st.booleans(),
    )
    @hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def test_pushes_in_any_order(self, order: list[int], repeated: list[int], at_once: bool) -> None:
        play = Play(self.waybill, self.road.account)
        pushes = [
            play.push(play.undo() if step == "undo" else play.move(TrackingKind(step))) for step in STEPS
        ]
        for index in [*order, *repeated]:
            send(play.account, pushes[index])
            if not at_once:
                process_all()
        process_all()
        assert TrackingEvent.objects.filter(waybill=self.waybill).count() == len(STEPS)
        waybill = Waybill.objects.get(pk=self.waybill.pk)
        assert (waybill.latest_kind, waybill.latest_at) == ("delivered", NOW + timedelta(hours=7))
        assert waybill.parcel.state == ParcelState.DELIVERED
        assert waybill.parcel.delivered_at == NOW + timedelta(hours=7)
        delivered = Event.objects.filter(kind="parcel.delivered").count()
        undone = Event.objects.filter(kind="parcel.delivery_reversed").count()
        assert delivered == undone + 1
