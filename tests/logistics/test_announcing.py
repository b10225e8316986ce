"""An applicant's own parcel: told, followed, put right, called off; by whoever may, and once however often it is told."""

from datetime import timedelta

import httpx
import pytest

from ingest.models import Original
from logistics.models import CustodyEvent, Parcel, Waybill
from logistics.rules.parcels import ParcelState, WaybillState
from logistics.rules.payers import PaymentTerm
from logistics.rules.tracking import TrackingKind
from logistics.sandbox.server import SandboxServer
from logistics.services.announcing import CourierWord, announce, call_off, correct_number
from logistics.services.custody import find_missing, receive_parcel
from logistics.services.lateness import watch_late_originals
from logistics.services.papers_owed import papers_owed
from logistics.services.tracking import overdue
from logistics.services.waybills import resume_waybills
from logistics.services.whereabouts import where_is
from registry.actors import Actor
from registry.events import verify_chains
from registry.models import Event, Window
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, Cast
from tests.logistics.online import APPLICANT, NUMBER, Online, build_online
from tests.logistics.play import Play, process_all, send
from tests.logistics.road import wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def online(cast: Cast, sandbox: SandboxServer) -> Online:
    return build_online(cast, sandbox.url)


def test_what_was_told_is_on_the_road_on_the_applicants_word(online: Online) -> None:
    parcel = online.announced(number=" 10123 45678901 ")
    assert (parcel.state, parcel.told_carrier, parcel.told_number) == ("handed_over", "中性快递", NUMBER)
    assert online.places() == [("parcel", parcel.pk)] * 2
    assert not online.keys()
    where = where_is(original_id=online.originals()[0].pk, actor=online.officer)
    assert (where.place_label, where.parcel_number, where.waybill_number) == (
        "寄件途中",
        parcel.number,
        NUMBER,
    )
    assert (where.by, where.proof) == ("申请人（自助查询）", "报告")
    waybill = parcel.waybills.get()
    assert (waybill.state, waybill.term, waybill.number) == ("booked", PaymentTerm.SENDER_CASH, NUMBER)
    assert "waybill.booked" in _kinds(online)
    assert not list(verify_chains())


def test_told_again_it_is_the_same_parcel(online: Online) -> None:
    first = online.announced()
    before = Event.objects.count()
    assert online.announced([1, 2, 3]) == first
    assert (Parcel.objects.count(), Waybill.objects.count(), Event.objects.count()) == (1, 1, before)


def test_what_else_was_in_the_envelope_may_be_told_until_it_is_received(online: Online) -> None:
    one, other = online.keys()
    parcel = online.announced([one])
    assert online.announced([one, other]) == parcel
    assert online.places() == [("parcel", parcel.pk)] * 2
    assert parcel.items.count() == 2
    item = parcel.items.get(original=other)
    receive_parcel(parcel=parcel, ticked=[one], actor=online.officer, now=LATER)
    item.refresh_from_db()
    find_missing(item=item, actor=online.officer, now=LATER, with_applicant=True)
    with pytest.raises(Refused, match="已经签收或退回"):
        online.announced([other])


def test_papers_may_come_in_two_envelopes(online: Online) -> None:
    one, other = online.keys()
    first = online.announced([one])
    second = online.announced([other], number="1012345678902")
    assert first != second
    assert online.places() == [("parcel", first.pk), ("parcel", second.pk)]
    with pytest.raises(Refused, match="没有等待申请人寄送"):
        online.announced([one], number="1012345678903")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (CourierWord("12", company="跑腿"), "6 到 32 位"),
        (CourierWord("EE123456789CN", company="邮政"), "校验位不符"),
        (CourierWord(NUMBER), "请选择快递公司"),
        (CourierWord(NUMBER, company="  "), "请选择快递公司"),
    ],
)
def test_a_number_or_courier_that_cannot_be_is_refused(online: Online, told: CourierWord, words: str) -> None:
    with pytest.raises(Refused, match=words):
        announce(case=online.case, papers=online.keys(), told=told, actor=APPLICANT, now=NOW)
    assert not Parcel.objects.exists()


def test_only_what_is_waited_for_can_be_told(online: Online) -> None:
    for papers in ([], [online.keys()[0], 999_999]):
        with pytest.raises(Refused):
            online.announced(papers)
    assert online.places() == [("applicant", online.case.pk)] * 2


def test_one_number_belongs_to_one_parcel(online: Online) -> None:
    one, other = online.keys()
    online.announced([one])
    taken = build_online_again(online)
    with pytest.raises(Refused, match="一个信封只装一个办件"):
        taken.announced()
    assert taken.places() == [("applicant", taken.case.pk)] * 2
    assert online.keys() == [other]


def build_online_again(online: Online) -> Online:
    """A second case of the same kind, with the same courier."""
    online.account.active = False
    online.account.save()
    return build_online(online.cast, online.account.options["base_url"])


def test_a_courier_without_an_account_is_shown_and_not_followed(online: Online) -> None:
    first, second = online.keys()
    known = online.announced([first], carrier=online.elsewhere)
    named = online.announced([second], company=" 跑腿 快送 ", number="PT20260310")
    assert (known.told_carrier, named.told_carrier) == ("邮政特快专递", "跑腿 快送")
    assert not Waybill.objects.exists()
    where = where_is(original_id=second, actor=online.officer)
    assert where.waybill_number == "PT20260310"
    assert "waybill.booked" not in _kinds(online)


def test_upkeep_subscribes_and_the_couriers_word_moves_the_parcel(online: Online) -> None:
    parcel = online.announced()
    waybill = parcel.waybills.get()
    play = Play(waybill, online.account)
    for kind in (TrackingKind.COLLECTED, TrackingKind.DELIVERED):
        send(online.account, play.push(play.move(kind)))
    process_all()
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.DELIVERED
    assert online.places() == [("parcel", parcel.pk)] * 2  # the courier's word hands nothing over


def test_the_number_is_subscribed_by_upkeep_and_polled_when_it_stays_silent(
    online: Online, sandbox: SandboxServer, client: httpx.Client
) -> None:
    waybill = online.announced().waybills.get()
    assert waybill.subscribed_at is None  # the applicant's page waits for no courier
    assert resume_waybills(now=LATER) in (0, 1)
    wish(client, sandbox, "faults", kind="silence", on="push", times=10)
    assert list(overdue(NOW + timedelta(hours=3))) == [waybill]


def test_a_wrong_number_is_put_right_until_the_courier_has_seen_it(online: Online) -> None:
    parcel = online.announced(number="1012345678999")
    told = CourierWord(NUMBER, online.account.carrier)
    for _ in range(2):
        correct_number(parcel=parcel, told=told, actor=APPLICANT, now=LATER)
    parcel.refresh_from_db()
    assert (parcel.told_number, parcel.waybills.get().number) == (NUMBER, NUMBER)
    assert _kinds(online).count("parcel.renumbered") == 1
    play = Play(parcel.waybills.get(), online.account)
    send(online.account, play.push(play.move(TrackingKind.COLLECTED)))
    process_all()
    with pytest.raises(Refused, match="已揽收"):
        correct_number(
            parcel=parcel, told=CourierWord("1012345678000", company="跑腿"), actor=APPLICANT, now=LATER
        )


def test_another_courier_may_be_named_and_the_first_one_again(online: Online) -> None:
    parcel = online.announced()
    correct_number(parcel=parcel, told=CourierWord("PT2026", company="跑腿"), actor=APPLICANT, now=LATER)
    assert not parcel.waybills.filter(state=WaybillState.BOOKED).exists()
    correct_number(
        parcel=parcel, told=CourierWord(NUMBER, online.account.carrier), actor=APPLICANT, now=LATER
    )
    assert parcel.waybills.get(state=WaybillState.BOOKED).number == NUMBER


def test_what_was_not_sent_after_all_is_with_the_applicant_and_may_be_told_again(online: Online) -> None:
    parcel = online.announced()
    for _ in range(2):
        call_off(parcel=parcel, actor=APPLICANT, now=LATER)
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.CANCELLED
    assert online.places() == [("applicant", online.case.pk)] * 2
    assert len(online.keys()) == 2
    again = online.announced()
    assert again != parcel
    assert again.waybills.get().number == NUMBER
    steps = CustodyEvent.objects.filter(original=online.originals()[0]).order_by("sequence")
    assert [step.to_place for step in steps] == ["parcel", "applicant", "parcel"]


def test_what_comes_back_to_the_applicant_is_called_off_by_the_office(online: Online) -> None:
    parcel = online.announced()
    play = Play(parcel.waybills.get(), online.account)
    for kind in (TrackingKind.COLLECTED, TrackingKind.RETURNED):
        send(online.account, play.push(play.move(kind)))
    process_all()
    with pytest.raises(Refused, match="请联系审批部门"):
        call_off(parcel=parcel, actor=APPLICANT, now=LATER)
    call_off(parcel=parcel, actor=online.officer, now=LATER)
    parcel.refresh_from_db()
    assert parcel.state == ParcelState.RETURNED
    assert len(online.keys()) == 2


def test_strangers_tell_nothing_and_call_nothing_off(online: Online) -> None:
    parcel = online.announced([online.keys()[0]])
    elsewhere = Window.objects.get(code="370402-01")
    other = Actor(
        "integration", "x", "别的平台", "integration", window_id=elsewhere.pk, scopes=frozenset({"platform"})
    )
    archive = Actor(
        "integration", "y", "档案", "integration", window_id=online.window.pk, scopes=frozenset({"archive"})
    )
    told = CourierWord("1012345678902", online.account.carrier)
    cast = online.cast
    for who in (other, archive, cast.clerk, cast.other_clerk, cast.officer, cast.finance, cast.administrator):
        with pytest.raises(NotYours):
            announce(case=online.case, papers=online.keys(), told=told, actor=who, now=NOW)
        with pytest.raises(NotYours):
            correct_number(parcel=parcel, told=told, actor=who, now=NOW)
        with pytest.raises(NotYours):
            call_off(parcel=parcel, actor=who, now=NOW)
    announce(case=online.case, papers=online.keys(), told=told, actor=online.platform, now=NOW)
    assert Original.objects.filter(place="parcel").count() == 2


def test_the_applicants_sheet_says_where_to_what_and_who_pays(online: Online) -> None:
    sheet = papers_owed(case=online.case, now=NOW)
    assert sheet is not None
    assert sheet.point is not None
    assert (sheet.office, sheet.point.address, sheet.payer, sheet.named_only) == (
        online.office.name,
        "诸暨市东一路三十一号",
        "",
        False,
    )
    assert [carrier.code for carrier in sheet.carriers] == ["neutral", "ems"]
    online.office_pays()
    online.announced([online.keys()[0]])
    sheet = papers_owed(case=online.case, now=NOW)
    assert sheet is not None
    assert (sheet.payer, sheet.term, sheet.named_only) == (online.office.centre.name, "到付", True)
    assert [carrier.code for carrier in sheet.carriers] == ["neutral"]
    assert [(sent.says, sent.open, sent.positions) for sent in sheet.sent] == [("已登记寄出", True, (1,))]


def test_a_courier_that_is_late_with_it_stops_no_clock_unless_policy_says_so(online: Online) -> None:
    online.accepted()
    online.announced()
    watch_late_originals(now=NOW + timedelta(days=8))
    delay = online.handling.delays.get()
    assert (delay.who, delay.stopped, online.handling.paused_on) == ("courier", False, None)


def _kinds(online: Online) -> list[str]:
    return list(Event.objects.filter(stream=online.case.number).values_list("kind", flat=True))
