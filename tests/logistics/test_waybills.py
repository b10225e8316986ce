"""One waybill per parcel, whatever the courier or our own process loses on the way."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, connection, transaction

from logistics.couriers.errors import AnswerLost, CourierSaidNo
from logistics.models import CarrierAccount, Waybill
from logistics.rules.parcels import NotNow, WaybillState
from logistics.rules.payers import PaymentTerm
from logistics.sandbox.server import SandboxServer
from logistics.services.accounts import NoAccount, account_of, callback_url, rotate_credentials
from logistics.services.parcels import cancel_parcel, unseal_parcel
from logistics.services.tracking import overdue, poll, watch_silence
from logistics.services.waybills import (
    book_waybill,
    cancel_waybill,
    fetch_carrier_label,
    register_waybill,
    resume_waybills,
)
from registry.models import Event, ServiceCentre
from registry.permissions import NotYours
from storage.services import open_verified
from tests.cast import NOW, Cast, assemble
from tests.logistics.couriers import API_KEY, NEUTRAL
from tests.logistics.road import Road, build_road, kuaidi100_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def road(cast: Cast, sandbox: SandboxServer) -> Road:
    return build_road(cast, sandbox.url).pre_reviewed()


def wish(client: httpx.Client, sandbox: SandboxServer, path: str, **body: Any) -> None:
    client.post(f"{sandbox.url}/sandbox/{path}", json=body).raise_for_status()


def test_booked_subscribed_and_told(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    (shipment,) = sandbox.world.shipments()
    assert waybill.state == WaybillState.BOOKED
    assert (waybill.number, shipment.reference) == (shipment.number, f"{waybill.parcel.number}-1")
    assert shipment.callback_url == callback_url(road.account)
    assert waybill.subscribed_at == NOW
    assert shipment.order is not None
    assert (shipment.order.payment.payer, shipment.order.payment.settling) == ("receiver", "monthly")
    assert shipment.order.payment.account == "T-331000-8868"
    assert Event.objects.filter(kind="waybill.booked", case_number=road.case.number).count() == 1


def test_a_second_click_answers_the_same_waybill(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    assert road.booked(waybill.parcel) == waybill
    assert len(sandbox.world.shipments()) == 1


def test_no_waybill_for_a_parcel_that_was_not_weighed(road: Road, sandbox: SandboxServer) -> None:
    with pytest.raises(NotNow, match="称重"):
        road.booked(road.packed())
    assert not sandbox.world.shipments()


@pytest.mark.parametrize("kind", ["lost_answer", "error"])
def test_a_lost_answer_ends_in_one_waybill(
    kind: str, road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind=kind, on="create")
    assert road.booked().state == WaybillState.BOOKED
    assert len(sandbox.world.shipments()) == 1


def test_a_courier_that_stays_silent_leaves_a_wish_that_is_taken_up_later(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind="lost_answer", on="create", times=2)
    wish(client, sandbox, "faults", kind="error", on="find", times=6)
    parcel = road.sealed()
    with pytest.raises(AnswerLost):
        road.booked(parcel)
    assert Waybill.objects.get().state == WaybillState.REQUESTED
    with pytest.raises(NotNow, match="已有运单"):
        unseal_parcel(parcel=parcel, actor=road.cast.clerk, now=NOW)
    assert resume_waybills(now=NOW) == 0
    client.delete(f"{sandbox.url}/sandbox/faults").raise_for_status()
    assert resume_waybills(now=LATER) == 1
    waybill = Waybill.objects.get()
    assert waybill.state == WaybillState.BOOKED
    assert [one.number for one in sandbox.world.shipments()] == [waybill.number]


def test_a_courier_that_says_no_leaves_room_for_another_try(road: Road, sandbox: SandboxServer) -> None:
    road.account.credentials = {"current": NEUTRAL | {"api_key": "wrong"}, "retired": []}
    parcel = road.sealed()
    with pytest.raises(CourierSaidNo):
        road.booked(parcel)
    assert Waybill.objects.get().state == WaybillState.FAILED
    assert Event.objects.filter(kind="waybill.failed").count() == 1
    road.account.refresh_from_db()
    again = road.booked(parcel)
    assert (again.state, again.reference) == (WaybillState.BOOKED, f"{parcel.number}-2")


def test_failing_to_subscribe_does_not_lose_the_waybill(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind="error", on="subscribe", times=3)
    waybill = road.booked()
    assert (waybill.state, waybill.subscribed_at) == (WaybillState.BOOKED, None)
    assert resume_waybills(now=LATER) == 1
    waybill.refresh_from_db()
    assert waybill.subscribed_at == LATER
    assert resume_waybills(now=LATER) == 0


def test_a_waybill_is_given_back_before_the_hand_over(road: Road, sandbox: SandboxServer) -> None:
    waybill = road.booked()
    cancel_waybill(waybill=waybill, reason="装错", actor=road.cast.clerk, now=NOW)
    assert waybill.state == WaybillState.CANCELLED
    assert sandbox.world.shipments()[0].cancelled
    cancel_parcel(parcel=waybill.parcel, actor=road.cast.clerk, now=NOW)


def test_a_waybill_in_use_is_not_given_back(road: Road) -> None:
    waybill = road.booked()
    road.on_the_road(waybill)
    waybill.refresh_from_db()
    with pytest.raises(NotNow, match="已交寄"):
        cancel_waybill(waybill=waybill, reason="x", actor=road.cast.clerk, now=NOW)


def test_the_courier_may_refuse_to_take_it_back(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    waybill = road.booked()
    shipment = sandbox.world.shipments()[0]
    shipment.callback_url = ""
    wish(client, sandbox, "advance", waybill=shipment.number, to="collected")
    with pytest.raises(CourierSaidNo):
        cancel_waybill(waybill=waybill, reason="x", actor=road.cast.clerk, now=NOW)
    assert waybill.state == WaybillState.BOOKED


def test_only_the_sender_books(road: Road) -> None:
    parcel = road.sealed()
    for stranger in (road.cast.officer, road.cast.other_clerk, road.cast.finance):
        with pytest.raises(NotYours):
            book_waybill(
                parcel=parcel, account=road.account, term=PaymentTerm.COLLECT, actor=stranger, now=NOW
            )


def test_the_couriers_label_is_kept(road: Road) -> None:
    stored = fetch_carrier_label(waybill=road.booked(), now=NOW)
    assert open_verified(stored).startswith(b"%PDF")


def test_a_waybill_written_by_hand_is_followed(road: Road, sandbox: SandboxServer) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    waybill = road.registered(" 1012345678901 ", account=account)
    assert (waybill.state, waybill.number) == (WaybillState.BOOKED, "1012345678901")
    (follower,) = sandbox.world.shipment("1012345678901").followers
    assert (follower.company, follower.salt) == ("ems", "salt-A1")
    again = register_waybill(
        parcel=waybill.parcel,
        account=account,
        number="1012345678901",
        term=PaymentTerm.COLLECT,
        actor=road.cast.clerk,
        now=NOW,
    )
    assert again == waybill
    with pytest.raises(NotNow, match="已有运单"):
        register_waybill(
            parcel=waybill.parcel,
            account=account,
            number="1012345678902",
            term=PaymentTerm.COLLECT,
            actor=road.cast.clerk,
            now=NOW,
        )


@pytest.mark.parametrize(
    "number", ["", "12345", "运单号码一二三", "x" * 33, "1012345678901'", "EX123456789CN"]
)
def test_a_number_that_cannot_be_one_is_refused(number: str, road: Road) -> None:
    with pytest.raises(NotNow, match="运单号"):
        road.registered(number)
    assert not Waybill.objects.exists()


def test_the_database_keeps_a_number_once_per_carrier(road: Road) -> None:
    waybill = road.booked()
    copy = Waybill.objects.get(pk=waybill.pk)
    copy.pk, copy.reference, copy.state = None, "other", WaybillState.CANCELLED.value
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_only_a_scan_breaks_the_silence(road: Road, sandbox: SandboxServer, client: httpx.Client) -> None:
    waybill = road.booked()
    road.on_the_road(waybill)
    wish(client, sandbox, "faults", kind="silence", on="push", times=10)
    days = NOW + timedelta(days=3, hours=1)
    assert watch_silence(now=NOW + timedelta(days=2)) == 0
    assert [one.pk for one in overdue(days)] == [waybill.pk]
    assert poll(waybill=waybill, now=days) == 0  # the courier answers, but has seen nothing
    assert not overdue(days).exists()
    assert watch_silence(now=days) == 1
    assert watch_silence(now=days) == 1
    assert Event.objects.filter(kind="incident.opened").count() == 1
    recently = {"at": (days - timedelta(hours=5)).isoformat()}
    wish(client, sandbox, "advance", waybill=waybill.number, to="in_transit", through=True, **recently)
    assert poll(waybill=waybill, now=days) == 2
    assert poll(waybill=waybill, now=days) == 0
    waybill.refresh_from_db()
    assert waybill.latest_kind == "in_transit"
    assert watch_silence(now=days) == 0


def test_an_account_is_found_rotated_and_guarded(road: Road) -> None:
    assert account_of(centre=road.account.centre, carrier=road.account.carrier) == road.account
    with pytest.raises(NoAccount, match="尚未登记"):
        account_of(
            centre=ServiceCentre.objects.exclude(pk=road.account.centre_id).first(),  # type: ignore[arg-type]
            carrier=road.account.carrier,
        )
    with pytest.raises(NotYours):
        rotate_credentials(account=road.account, credentials=NEUTRAL, actor=road.cast.clerk, now=NOW)
    rotate_credentials(
        account=road.account,
        credentials={"api_key": API_KEY, "webhook_secret": "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="},
        actor=road.cast.administrator,
        now=NOW,
    )
    stored = CarrierAccount.objects.get(pk=road.account.pk)
    honoured = stored.opened().accepted("webhook_secret", now=NOW + timedelta(days=6))
    assert len(honoured) == 2
    assert len(stored.opened().accepted("webhook_secret", now=NOW + timedelta(days=8))) == 1


def test_secrets_are_not_readable_in_the_database(road: Road) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM logistics_carrieraccount")
        row = str(cursor.fetchall())
    for secret in (API_KEY, NEUTRAL["webhook_secret"], road.account.path_token, "T-331000-8868"):
        assert secret not in row
