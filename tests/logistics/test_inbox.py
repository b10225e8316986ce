"""The inbox: kept raw, answered exactly, one effect per event, in any order, forged or unknown."""

import base64
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from ingest.models import Original
from logistics.couriers.kuaidi100.adapter import push_sign
from logistics.models import CarrierAccount, Incident, Parcel, TrackingEvent, Waybill, WebhookDelivery
from logistics.rules.parcels import ParcelState, due_in
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.pushing import Push, kuaidi100_pushes, neutral_push
from logistics.sandbox.server import SandboxServer
from logistics.services.custody import confirm_delivery, receive_parcel, report_lost
from logistics.services.inbox import TooLarge, accept_webhook
from logistics.services.taking_in import process_delivery, replay, sweep_inbox
from logistics.services.timeline import timeline
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, assemble
from tests.logistics.couriers import WEBHOOK_SECRET
from tests.logistics.play import Play, process_all, send
from tests.logistics.road import Road, kuaidi100_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
GOOD = '{"result":true,"returnCode":"200","message":"成功"}'.encode()
State = WebhookDelivery.State


def state_of(play: Play) -> str:
    return Waybill.objects.select_related("parcel").get(number=play.shipment.number).parcel.state


def test_a_push_is_kept_raw_then_processed_once(play: Play) -> None:
    push = play.push(play.move(TrackingKind.COLLECTED))
    send(play.account, push)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.proof) == (State.RECEIVED, "")
    assert base64.b64decode(delivery.raw["body"]) == push.body
    assert not TrackingEvent.objects.exists()
    process_all()
    delivery.refresh_from_db()
    assert (delivery.proof, delivery.key) == ("signed", push.headers["webhook-id"])
    assert state_of(play) == ParcelState.IN_TRANSIT
    assert process_delivery(delivery_id=delivery.pk, now=NOW) == State.PROCESSED
    assert TrackingEvent.objects.count() == 1


def test_a_second_webhook_has_no_second_effect(play: Play) -> None:
    push = play.push(play.move(TrackingKind.COLLECTED))
    send(play.account, push)
    process_all()
    before = Event.objects.count()
    assert send(play.account, push) == send(play.account, push)
    process_all()
    assert WebhookDelivery.objects.get(state=State.PROCESSED).repeats == 2
    repeated = WebhookDelivery.objects.filter(state=State.REPEATED)
    assert [one.raw for one in repeated] == [{}, {}], "the first one has the content"
    assert Event.objects.count() == before
    assert TrackingEvent.objects.count() == 1


def test_the_same_scan_in_another_push_has_no_second_effect(play: Play) -> None:
    event = play.move(TrackingKind.COLLECTED)
    first = play.push(event)
    second = neutral_push(play.shipment, event, secrets=[WEBHOOK_SECRET], timestamp=int(NOW.timestamp()) + 1)
    renamed = {**second.headers, "webhook-id": "msg_other"}
    send(play.account, first)
    process_all()
    before = Event.objects.filter(kind="parcel.tracked").count()
    send(play.account, Push(second.url, renamed, second.body))
    assert WebhookDelivery.objects.filter(state=State.FORGED).count() == 1  # the id is signed too
    process_all()
    assert TrackingEvent.objects.count() == 1
    assert Event.objects.filter(kind="parcel.tracked").count() == before


def test_delivered_and_undone(play: Play) -> None:
    for kind in (TrackingKind.COLLECTED, TrackingKind.DELIVERED):
        send(play.account, play.push(play.move(kind)))
    process_all()
    assert state_of(play) == ParcelState.DELIVERED
    delivered = Event.objects.get(kind="parcel.delivered")
    assert delivered.data["receiver"] == "office"
    send(play.account, play.push(play.undo()))
    process_all()
    assert state_of(play) == ParcelState.IN_TRANSIT
    assert Incident.objects.get().kind == "delivery_reversed"
    assert Event.objects.filter(kind="parcel.delivery_reversed").count() == 1
    send(play.account, play.push(play.move(TrackingKind.DELIVERED)))
    process_all()
    assert state_of(play) == ParcelState.DELIVERED


def test_a_courier_never_says_that_the_office_has_it(play: Play, road: Road) -> None:
    send(play.account, play.push(play.move(TrackingKind.DELIVERED)))
    process_all()
    assert {one.place for one in road.case.originals.all()} == {"parcel"}
    parcel = Waybill.objects.get().parcel
    receive_parcel(parcel=parcel, ticked=[one.pk for one in road.originals], actor=road.cast.officer, now=NOW)
    send(play.account, play.push(play.undo()))
    process_all()
    assert state_of(play) == ParcelState.RECEIVED
    assert {one.place for one in road.case.originals.all()} == {"office"}


def test_collected_without_our_scan_is_an_incident_until_the_scan_comes(road: Road) -> None:
    waybill = road.booked()
    play = Play(waybill, road.account)
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    process_all()
    assert state_of(play) == ParcelState.SEALED
    assert Incident.objects.get().kind == "unscanned_handover"
    parcel = road.on_the_road(waybill)
    assert parcel.state == ParcelState.IN_TRANSIT


@pytest.mark.parametrize(
    ("kind", "incident"),
    [
        (TrackingKind.REFUSED, "refused"),
        (TrackingKind.RETURNING, "returning"),
        (TrackingKind.DAMAGED, "damaged"),
        (TrackingKind.LOST, "lost"),
        (TrackingKind.RETURNED, "returning"),
        (TrackingKind.CANCELLED, "carrier_cancelled"),
        (TrackingKind.EXCEPTION, "exception"),
    ],
)
def test_what_goes_wrong_gets_an_owner(kind: TrackingKind, incident: str, play: Play, road: Road) -> None:
    send(play.account, play.push(play.move(kind)))
    send(play.account, play.push(play.move(kind)))
    process_all()
    found = Incident.objects.get()
    assert (found.kind, found.owner_kind, found.owner_id) == (incident, "window", road.cast.zhuji.pk)
    assert found.due_at == found.opened_at + due_in(incident)
    assert {one.place for one in road.case.originals.all()} == {"parcel"}


def test_a_forged_push_is_counted_and_changes_nothing(play: Play) -> None:
    event = play.move(TrackingKind.DELIVERED)
    forged = play.push(event, secret="whsec_" + base64.b64encode(b"x" * 24).decode())
    assert b"false" in send(play.account, forged)
    process_all()
    assert WebhookDelivery.objects.get().state == State.FORGED
    assert state_of(play) == ParcelState.HANDED_OVER
    assert Event.objects.filter(kind="webhook.forged").count() == 1
    send(play.account, play.push(event))  # the forgery did not take the true push's name
    process_all()
    assert state_of(play) == ParcelState.DELIVERED
    with pytest.raises(Refused):
        replay(
            delivery=WebhookDelivery.objects.get(state=State.FORGED),
            actor=assemble().administrator,
            now=NOW,
        )


def test_a_forgery_that_came_first_is_not_processed_by_hand_either(play: Play) -> None:
    forged = play.push(
        play.move(TrackingKind.DELIVERED), secret="whsec_" + base64.b64encode(b"x" * 24).decode()
    )
    send(play.account, forged)
    delivery = WebhookDelivery.objects.get()
    assert process_delivery(delivery_id=delivery.pk, now=NOW) == State.FORGED


def test_an_unknown_path_is_nobodys(play: Play) -> None:
    with pytest.raises(NotYours):
        accept_webhook(path_token="x", headers={}, body=b"", query="", remote_address="", now=NOW)
    assert not WebhookDelivery.objects.exists()


def test_addresses_outside_the_list_are_refused(play: Play) -> None:
    CarrierAccount.objects.update(allowed_addresses=["203.0.113.0/24"])
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    assert WebhookDelivery.objects.get().fault == "来源地址不在允许范围内"


@pytest.mark.parametrize(("told", "state"), [("203.0.113.9", "received"), ("198.51.100.1", "forged")])
def test_behind_a_proxy_the_address_is_the_one_that_it_tells(
    told: str, state: str, road: Road, sandbox: SandboxServer, settings: Settings
) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    CarrierAccount.objects.update(allowed_addresses=["203.0.113.0/24"])
    settings.CLIENT_ADDRESS_HEADER = "X-Real-IP"
    play = Play(road.registered(account=account), account)
    play.move(TrackingKind.COLLECTED)
    Client(REMOTE_ADDR="127.0.0.1").post(
        f"/api/v1/webhooks/couriers/{account.path_token}",
        play.snapshot().body,
        content_type="application/x-www-form-urlencoded",
        headers={"x-real-ip": told},
    )
    assert WebhookDelivery.objects.get().state == state


def test_a_body_without_end_is_refused(play: Play) -> None:
    with pytest.raises(TooLarge):
        accept_webhook(
            path_token=play.account.path_token,
            headers={},
            body=b"x" * (1 << 20) + b"x",
            query="",
            remote_address="",
            now=NOW,
        )


def test_a_signed_push_that_nobody_can_read_waits_for_a_person(road: Road, sandbox: SandboxServer) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    play = Play(road.registered(account=account), account)
    play.move(TrackingKind.COLLECTED)
    good = play.snapshot()
    param = '{"status":"polling"}'
    bad = urlencode({"param": param, "sign": push_sign(param, "salt-A1")}).encode()
    assert send(account, Push(good.url, good.headers, bad)) == GOOD
    process_all()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, TrackingEvent.objects.count()) == (State.FAILED, 0)
    assert replay(delivery=delivery, actor=road.cast.administrator, now=NOW) == State.FAILED
    with pytest.raises(NotYours):
        replay(delivery=delivery, actor=road.cast.clerk, now=NOW)


def test_a_push_about_an_unknown_waybill_is_parked_and_adopted(road: Road, sandbox: SandboxServer) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    stranger = Waybill(number="1012345678901", reference="")
    play = Play(stranger, account)
    play.move(TrackingKind.COLLECTED)
    assert send(account, play.snapshot()) == GOOD
    process_all()
    assert WebhookDelivery.objects.get().state == State.PARKED
    waybill = road.registered("1012345678901", account=account)
    assert WebhookDelivery.objects.get().state == State.PROCESSED
    assert waybill.latest_kind == "collected"
    assert not waybill.account.deliveries.filter(parked__isnull=False).exists()


def test_lost_messages_are_swept_up(road: Road, sandbox: SandboxServer, play: Play) -> None:
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    assert sweep_inbox(now=NOW) == 0
    assert sweep_inbox(now=NOW + timedelta(minutes=2)) == 1
    assert state_of(play) == ParcelState.IN_TRANSIT
    assert sweep_inbox(now=NOW + timedelta(minutes=4)) == 0


def test_replaying_a_processed_push_has_no_second_effect(play: Play, road: Road) -> None:
    send(play.account, play.push(play.move(TrackingKind.COLLECTED)))
    process_all()
    before = TrackingEvent.objects.count()
    assert (
        replay(delivery=WebhookDelivery.objects.get(), actor=road.cast.administrator, now=NOW)
        == State.PROCESSED
    )
    assert TrackingEvent.objects.count() == before


def test_the_company_is_corrected(road: Road, sandbox: SandboxServer) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    play = Play(road.registered(account=account), account)
    play.follower.company = "shunfeng"
    play.move(TrackingKind.COLLECTED)
    for push in kuaidi100_pushes(play.shipment, play.follower):
        send(account, push)
    process_all()
    assert Waybill.objects.get(number=play.shipment.number).company == "ems"


def test_nothing_of_a_push_is_readable_in_the_database(play: Play) -> None:
    event = play.world.move(play.shipment, TrackingKind.DELIVERED, words="已签收，签收人张三13800138000")
    send(play.account, play.push(event))
    process_all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT raw FROM logistics_webhookdelivery")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT words FROM logistics_trackingevent")
        rows += str(cursor.fetchall())
    assert "张三" not in rows
    assert "13800138000" not in rows
    assert TrackingEvent.objects.get().words.endswith("张三13800138000")
    assert not Event.objects.filter(data__icontains="张三").exists()


def test_the_timeline_keeps_what_was_taken_back(play: Play, road: Road) -> None:
    for kind in (TrackingKind.COLLECTED, TrackingKind.DELIVERED):
        send(play.account, play.push(play.move(kind)))
    send(play.account, play.push(play.undo()))
    process_all()
    story = timeline(parcel=Waybill.objects.get().parcel, actor=road.cast.clerk)
    lines = [(entry.kind, entry.void) for entry in story.entries]
    assert lines == [
        ("packed", False),
        ("sealed", False),
        ("handed_over", False),
        ("collected", False),
        ("delivered", True),
        ("reversal", False),
    ]
    assert story.latest == "collected"
    with pytest.raises(NotYours):
        timeline(parcel=Waybill.objects.get().parcel, actor=road.cast.other_clerk)


def test_over_http_the_acknowledgement_is_exact(road: Road, sandbox: SandboxServer, client: object) -> None:
    account = kuaidi100_account(road.cast, sandbox.url)
    play = Play(road.registered(account=account), account)
    play.move(TrackingKind.COLLECTED)
    push = play.snapshot()
    browser = Client()
    url = f"/api/v1/webhooks/couriers/{account.path_token}"
    kind = "application/x-www-form-urlencoded"
    answer = browser.post(url, push.body, content_type=kind)
    assert (answer.status_code, answer.content) == (200, GOOD)
    assert answer["content-type"].startswith("application/json")
    assert answer["content-length"] == str(len(GOOD))
    assert browser.get(url).status_code == 405
    assert browser.post(url, b"x" * (2 << 20), content_type=kind).status_code == 413
    forged = browser.post(url, push.body.replace(b"sign=", b"sign=0"), content_type=kind)
    assert b'"result":false' in forged.content
    assert browser.post("/api/v1/webhooks/couriers/x", push.body, content_type=kind).status_code == 404


def to_the_applicant(road: Road) -> tuple[Parcel, Play]:
    """A result on its road to the applicant."""
    waybill = road.result_on_the_road()
    return Parcel.objects.get(pk=waybill.parcel_id), Play(waybill, road.account)


def place_of_result(road: Road) -> tuple[str, int]:
    return Original.objects.values_list("place", "place_id").get(case=road.case, kind=Original.Kind.RESULT)


def test_an_applicants_parcel_counts_as_received_on_the_couriers_word(road: Road) -> None:
    (parcel, play), officer = to_the_applicant(road), road.cast.officer
    with pytest.raises(Refused, match="尚未报告送达"):
        confirm_delivery(parcel=parcel, actor=officer, now=NOW)
    send(play.account, play.push(play.move(TrackingKind.DELIVERED)))
    process_all()
    parcel.refresh_from_db()
    confirm_delivery(parcel=parcel, actor=officer, now=NOW)
    assert place_of_result(road) == ("applicant", road.case.pk)
    send(play.account, play.push(play.undo()))
    process_all()
    assert Incident.objects.get().kind == "delivery_reversed"
    assert state_of(play) == ParcelState.RECEIVED


def test_an_applicants_parcel_that_was_taken_for_lost_may_arrive_all_the_same(road: Road) -> None:
    (parcel, play), officer = to_the_applicant(road), road.cast.officer
    report_lost(parcel=parcel, actor=officer, now=NOW)
    with pytest.raises(Refused, match="尚未报告送达"):
        confirm_delivery(parcel=parcel, actor=officer, now=NOW)
    send(play.account, play.push(play.move(TrackingKind.DELIVERED)))
    process_all()
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.LOST
    confirm_delivery(parcel=parcel, actor=officer, now=NOW)
    assert place_of_result(road) == ("applicant", road.case.pk)
