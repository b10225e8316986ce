"""One waybill per parcel, whatever the courier or our own process loses on the way."""

from datetime import timedelta

import httpx
import pytest
from django.db import IntegrityError, connection, transaction

from logistics.couriers.base import Booking, Order
from logistics.couriers.errors import AnswerLost, CourierSaidNo, Unreachable
from logistics.couriers.neutral import NeutralCourier
from logistics.models import CarrierAccount, Waybill
from logistics.rules.parcels import NotNow, WaybillState
from logistics.rules.payers import PaymentTerm
from logistics.sandbox.http import Answer, Request
from logistics.sandbox.server import SandboxServer
from logistics.services import waybills
from logistics.services.accounts import NoAccount, account_of, callback_url, courier_of, rotate_credentials
from logistics.services.parcels import cancel_parcel, unseal_parcel
from logistics.services.waybills import (
    book_waybill,
    cancel_waybill,
    register_waybill,
    resume_waybills,
)
from registry.models import Event, ServiceCentre
from registry.permissions import NotYours
from tests.cast import NOW
from tests.logistics.couriers import API_KEY, NEUTRAL
from tests.logistics.road import Road, copy_of, kuaidi100_account, wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(minutes=10)


def listen_in(sandbox: SandboxServer, acts: list[str]) -> None:
    """Keeps what the courier is asked for, in order."""
    answer = sandbox.answer

    def listening(request: Request) -> Answer | None:
        acts.append(f"{request.method} {request.path}")
        return answer(request)

    sandbox.answer = listening  # type: ignore[method-assign]


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


def test_a_number_of_another_courier_waits_for_the_order_that_is_under_way(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    other = kuaidi100_account(road.cast, sandbox.url)
    wish(client, sandbox, "faults", kind="lost_answer", on="create", times=2)
    wish(client, sandbox, "faults", kind="error", on="find", times=6)
    parcel = road.sealed()
    with pytest.raises(AnswerLost):
        road.booked(parcel)
    with pytest.raises(NotNow, match="另一承运商"):
        register_waybill(
            parcel=parcel,
            account=other,
            number="1112345678901",
            term=PaymentTerm.COLLECT,
            actor=road.cast.clerk,
            now=NOW,
        )
    client.delete(f"{sandbox.url}/sandbox/faults").raise_for_status()
    assert resume_waybills(now=LATER) == 1
    waybill = Waybill.objects.get()
    assert (waybill.account, [one.number for one in sandbox.world.shipments()]) == (
        road.account,
        [waybill.number],
    )


def test_an_order_that_is_still_with_the_courier_is_not_sent_twice(
    road: Road, sandbox: SandboxServer
) -> None:
    parcel = road.sealed()
    second: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        create = NeutralCourier.create

        def click_again(courier: NeutralCourier, order: Order) -> Booking:
            with pytest.raises(NotNow) as refusal:
                road.booked(parcel)
            second.append(refusal.value.code)
            return create(courier, order)

        patch.setattr(NeutralCourier, "create", click_again)
        waybill = road.booked(parcel)
    assert second == ["waybill_under_way"]
    assert waybill.state == WaybillState.BOOKED
    assert len(sandbox.world.shipments()) == 1


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


def test_a_courier_is_asked_before_an_order_is_sent_again(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    acts: list[str] = []
    listen_in(sandbox, acts)
    wish(client, sandbox, "faults", kind="lost_answer", on="create", times=1)
    wish(client, sandbox, "faults", kind="error", on="find", times=3)
    with pytest.raises(AnswerLost):
        road.booked()
    acts.clear()
    assert resume_waybills(now=LATER) == 1
    assert acts[0] == "GET /v1/orders"
    assert "POST /v1/orders" not in acts
    assert Waybill.objects.get().state == WaybillState.BOOKED


def test_a_clerk_may_try_again_at_once_when_the_courier_was_away(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    wish(client, sandbox, "faults", kind="busy", on="create", times=3)
    parcel = road.sealed()
    with pytest.raises(Unreachable):
        road.booked(parcel)
    assert road.booked(parcel).state == WaybillState.BOOKED
    assert len(sandbox.world.shipments()) == 1


def test_an_order_whose_fate_nobody_can_ask_is_given_up_late_and_a_late_answer_counts(road: Road) -> None:
    waybill = road.booked()
    Waybill.objects.update(state=WaybillState.REQUESTED, number="", booked_at=None, subscribed_at=None)
    with pytest.MonkeyPatch.context() as patch:
        courier = courier_of(road.account)
        courier.creates_once = False  # as EMS is
        patch.setattr(waybills, "courier_of", lambda account: courier)
        assert resume_waybills(now=NOW + timedelta(minutes=5)) == 0
        assert resume_waybills(now=NOW + timedelta(minutes=11)) == 1
    waybill.refresh_from_db()
    assert waybill.state == WaybillState.FAILED
    booking = Booking(waybill_number="1099999999999", reference=waybill.reference)
    with transaction.atomic():
        waybills._settle(waybill, booking, actor=road.cast.clerk, now=LATER)
    assert (waybill.state, waybill.number, waybill.ended_at) == (WaybillState.BOOKED, "1099999999999", None)
    other = Booking(waybill_number="1099999999998", reference=waybill.reference)
    with transaction.atomic():
        waybills._settle(waybill, other, actor=road.cast.clerk, now=LATER)
    assert Event.objects.get(kind="waybill.left_over").data["waybill"] == "1099999999998"


def test_taking_up_is_bounded_and_begins_with_what_was_left_longest(
    road: Road, sandbox: SandboxServer, client: httpx.Client
) -> None:
    first = road.booked()
    Waybill.objects.filter(pk=first.pk).update(subscribed_at=None, heard_at=None)
    twins = [copy_of(first, number) for number in range(3)]
    Waybill.objects.filter(pk=first.pk).update(tried_at=NOW + timedelta(minutes=1))
    for minutes, twin in enumerate(twins):
        Waybill.objects.filter(pk=twin.pk).update(tried_at=NOW - timedelta(minutes=10 + minutes))
    resume_waybills(now=LATER, at_most=2)
    tried = set(Waybill.objects.filter(tried_at=LATER).values_list("pk", flat=True))
    assert tried == {twins[2].pk, twins[1].pk}


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


def test_a_number_that_was_written_wrong_is_given_up_and_written_anew(
    road: Road, sandbox: SandboxServer
) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    wrong = road.registered("1012345678901", account=account)
    cancel_waybill(waybill=wrong, reason="单号填错", actor=road.cast.clerk, now=NOW)
    assert Waybill.objects.get().state == WaybillState.CANCELLED
    right = register_waybill(
        parcel=wrong.parcel,
        account=account,
        number="1012345678902",
        term=PaymentTerm.COLLECT,
        actor=road.cast.clerk,
        now=NOW,
    )
    assert (right.state, right.reference) == (WaybillState.BOOKED, f"{wrong.parcel.number}-2")


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
