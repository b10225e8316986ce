"""A process killed between the courier's waybill and our note of it: there is one waybill, and we get to know it."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from logistics.models import Waybill
from logistics.rules.parcels import WaybillState
from logistics.sandbox.http import Answer, Request
from logistics.sandbox.server import SandboxServer
from logistics.services.waybills import resume_waybills
from registry.models import Event
from tests.cast import assemble
from tests.logistics.road import build_road
from tests.shared import ROOT

pytestmark = pytest.mark.usefixtures("objects")


def test_killed_between_the_couriers_answer_and_our_note(
    outside: dict[str, str], sandbox: SandboxServer
) -> None:
    road = build_road(assemble(), sandbox.url).pre_reviewed()
    parcel = road.sealed()
    made, killed = threading.Event(), threading.Event()
    orders: list[str] = []
    answer = sandbox.answer

    def answer_too_late(request: Request) -> Answer | None:
        told = answer(request)
        if (request.method, request.path) == ("POST", "/v1/orders"):
            orders.append(request.headers["idempotency-key"])
            made.set()
            killed.wait(30)
        return told

    sandbox.answer = answer_too_late  # type: ignore[method-assign]
    words = [str(parcel.pk), str(road.account.pk), road.cast.clerk.id]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.logistics.book_once", *words],
        cwd=ROOT,
        env=outside,
        start_new_session=True,
    ) as process:
        try:
            assert made.wait(60), "the courier was never asked"
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(20) == -signal.SIGKILL
        finally:
            killed.set()
            process.kill()
    waybill = Waybill.objects.get()
    assert (waybill.state, waybill.number) == (WaybillState.REQUESTED, "")

    assert resume_waybills(now=timezone.now() + timedelta(minutes=3)) == 1
    waybill.refresh_from_db()
    (shipment,) = sandbox.world.shipments()
    assert (waybill.state, waybill.number) == (WaybillState.BOOKED, shipment.number)
    assert orders == [waybill.reference], "asked before it was ordered again"
    assert Event.objects.filter(kind="waybill.booked").count() == 1
