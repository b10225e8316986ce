"""全程网办 on the pages: an applicant tells without an account what was sent, and the office takes it in."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from ingest.models import Case
from ingest.services.enquiring import TICKET_HOLDS, StaleTicket, look_up_by_ticket, ticket_of
from ingest.services.handlings import refuse
from logistics.models import Incident, Parcel
from registry.braking import TooOften
from registry.models import Event
from tests.cast import APPLICANT, NOW, Cast
from tests.config.conftest import NOWHERE, SignIn
from tests.logistics.online import NUMBER, Online, build_online

TAIL = APPLICANT.phone[-4:]
TICKET = re.compile(r'name="ticket" value="([^"]+)"')


@pytest.fixture
def online(cast: Cast, objects: None) -> Online:
    return build_online(cast, NOWHERE)


def look(case: Case) -> str:
    return Client().post("/progress/", {"number": case.number, "tail": TAIL}).text


def ticket(online: Online) -> str:
    found = TICKET.search(look(online.case))
    assert found
    return found[1]


def tell(online: Online, act: str = "announce_papers", **told: object) -> tuple[int, str]:
    form = {"ticket": ticket(online), "carrier": "neutral", "number": NUMBER, **told}
    answer = Client().post(reverse(act), form)
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.text


def test_the_page_says_what_to_send_where_and_who_pays(online: Online) -> None:
    page = look(online.case)
    for words in (
        "还需要您把纸质材料寄给审批部门",
        "<li>居民身份证</li>",
        "寄到：诸暨市东一路三十一号",
        f"收件人：{online.office.name}",
        "电话：0575-88000000",
        "邮费由您在寄件时付给快递公司",
        "登记已寄出",
    ):
        assert words in page
    for secret in ("已交到您手中", APPLICANT.phone, APPLICANT.address, APPLICANT.id_number):
        assert secret not in page


def test_a_case_without_such_papers_shows_nothing_of_it(cast: Cast, objects: None) -> None:
    page = look(build_online(cast, NOWHERE, mailed=False).case)
    assert "纸质材料" not in page
    assert "ticket" not in page


def test_the_applicant_tells_once_however_often_the_form_is_sent(online: Online) -> None:
    form = {"ticket": ticket(online), "paper": online.keys(), "carrier": "neutral", "number": NUMBER}
    for _ in range(2):
        answer = Client().post(reverse("announce_papers"), form)
        assert (answer.status_code, "已登记寄出" in answer.text) == (200, True)
        assert f'中性快递 <span class="code">{NUMBER}</span>' in answer.text
        assert "登记信封里有哪些原件" not in answer.text
    assert Parcel.objects.count() == 1
    told = Event.objects.filter(kind="parcel.announced").values_list("actor_label", "case_number")
    assert list(told) == [("申请人（自助查询）", online.case.number)]


def test_another_courier_is_named_in_words(online: Online) -> None:
    status, page = tell(
        online, paper=online.keys()[:1], carrier="other", company="跑腿快送", number="PT20260310"
    )
    assert (status, "跑腿快送" in page) == (200, True)
    assert online.keys() == [online.originals()[1].pk]
    assert "登记信封里有哪些原件" in page  # the other paper


def test_what_is_wrong_is_said_beside_the_form_and_what_was_typed_stays(online: Online) -> None:
    status, page = tell(online, paper=online.keys()[:1], number="E<1")
    assert (status, "运单号应为 6 到 32 位" in page, 'value="E&lt;1"' in page) == (409, True, True)
    assert page.count("checked") == 1
    status, page = tell(online, paper=[])
    assert (status, "请勾选信封里有哪些材料" in page) == (409, True)
    assert not Parcel.objects.exists()


def test_a_wrong_number_is_put_right_and_what_was_not_sent_is_called_off(online: Online) -> None:
    tell(online, paper=online.keys(), number="1012345678000")
    parcel = Parcel.objects.get()
    status, page = tell(online, "correct_papers", parcel=parcel.number)
    assert (status, NUMBER in page, "1012345678000" in page) == (200, True, False)
    for _ in range(2):
        answer = Client().post(
            reverse("call_off_papers"), {"ticket": ticket(online), "parcel": parcel.number}
        )
        assert answer.status_code == 200
    assert len(online.keys()) == 2


def test_without_a_fresh_ticket_of_ours_nothing_opens(online: Online) -> None:
    good = ticket(online)
    for bad in ("", "nonsense", good[:-1] + ("A" if good[-1] != "A" else "B")):
        answer = Client().post(reverse("announce_papers"), {"ticket": bad, "paper": online.keys()})
        assert (answer.status_code, "请重新输入办件编号" in answer.text) == (409, True)
        assert online.case.item.name not in answer.text
    old = ticket_of(online.case, now=NOW)
    late = NOW + TICKET_HOLDS + timedelta(seconds=1)
    with pytest.raises(StaleTicket):
        look_up_by_ticket(ticket=old, caller="192.0.2.1", now=late)
    with pytest.raises(StaleTicket):
        look_up_by_ticket(ticket=old, caller="192.0.2.1", now=NOW - timedelta(seconds=1))
    for _ in range(20):
        assert look_up_by_ticket(ticket=old, caller="192.0.2.9", now=NOW) == online.case
    with pytest.raises(TooOften):
        look_up_by_ticket(ticket=old, caller="192.0.2.9", now=NOW)


def test_the_parcel_of_somebody_else_is_not_there(online: Online) -> None:
    tell(online, paper=online.keys())
    theirs = Parcel.objects.get()
    online.account.active = False
    online.account.save()
    mine = build_online(online.cast, NOWHERE)
    form = {"ticket": ticket(mine), "parcel": theirs.number, "carrier": "neutral", "number": "1012345678000"}
    for act in ("correct_papers", "call_off_papers"):
        assert Client().post(reverse(act), form).status_code == 404
    assert tell(mine, paper=[original.pk for original in online.originals()])[0] == 409
    theirs.refresh_from_db()
    assert (theirs.state, theirs.told_number) == ("handed_over", NUMBER)


def test_the_office_sees_it_coming_and_receives_it_by_the_couriers_number(
    online: Online, sign_in: SignIn
) -> None:
    officer = sign_in(online.officer)
    page = officer.get(reverse("case", args=[online.case.number])).text
    assert "等待申请人寄来" in page
    assert reverse("receive_papers", args=[online.case.number]) in page
    tell(online, paper=online.keys())
    parcel = Parcel.objects.get()
    assert parcel.number in officer.get(reverse("parcels")).text
    shown = officer.get(reverse("parcel", args=[parcel.number])).text
    for words in (NUMBER, "网办材料寄送", "不会到件", "寄付现结"):
        assert words in shown
    assert reverse("label", args=[parcel.number]) not in shown
    led = officer.post(reverse("receive_scan"), {"code": NUMBER})
    assert led["location"] == reverse("receive", args=[parcel.number])
    ticked = [original.pk for original in online.originals()][:1]
    officer.post(led["location"], {"original": ticked})
    assert [place for place, _ in online.places()] == ["office", "parcel"]
    missing = online.originals()[1]
    original = reverse("original", args=[missing.pk])
    assert "仍在申请人处" in officer.get(original).text
    said = officer.post(reverse("find_original", args=[missing.pk]), {"with_applicant": "yes"}, follow=True)
    assert "等待寄来" in said.text
    assert online.keys() == [missing.pk]
    assert Incident.objects.get().kind == "missing_item"


def test_the_office_takes_in_what_nobody_told_and_says_what_will_not_come(
    online: Online, sign_in: SignIn
) -> None:
    officer = sign_in(online.officer)
    address = reverse("receive_papers", args=[online.case.number])
    refused = officer.post(address, {})
    assert (refused.status_code, "请勾选信封里有哪些材料" in refused.text) == (409, True)
    first, second = online.keys()
    said = officer.post(address, {"original": [first]}, follow=True)
    assert "已签收核对" in said.text
    assert online.keys() == [second]
    tell(online, paper=[second])
    coming = Parcel.objects.order_by("-pk")[0]
    said = officer.post(reverse("call_off", args=[coming.number]), follow=True)
    assert "已登记不会到件" in said.text
    assert online.keys() == [second]
    assert officer.get(reverse("parcel", args=[coming.number])).status_code == 200


def test_what_comes_after_the_case_ended_is_taken_in_on_the_same_page(
    online: Online, sign_in: SignIn
) -> None:
    officer, first = sign_in(online.officer), online.keys()[0]
    refuse(handling=online.handling, reason="不符合条件", actor=online.officer, now=NOW)
    address = reverse("receive_papers", args=[online.case.number])
    assert address in officer.get(reverse("case", args=[online.case.number])).text
    assert f'value="{first}"' in officer.get(address).text
    said = officer.post(address, {"original": [first]}, follow=True)
    assert "已签收核对" in said.text
    assert online.places() == [("office", online.office.pk), ("applicant", online.case.pk)]


def test_the_weight_is_asked_for_where_the_centre_pays(online: Online, sign_in: SignIn) -> None:
    online.office_pays()
    page = look(online.case)
    assert f"邮费由{online.office.centre.name}承担，请交由中性快递寄送，告诉快递员“到付”" in page
    assert 'value="other"' not in page
    tell(online, paper=online.keys())
    officer, parcel = sign_in(online.officer), Parcel.objects.get()
    address = reverse("receive", args=[parcel.number])
    assert 'name="weight"' in officer.get(address).text
    papers = {"original": [original.pk for original in online.originals()]}
    assert "请只填克数" in officer.post(address, {**papers, "weight": "三两"}).text
    assert officer.post(address, {**papers, "weight": "320"}).status_code == 302
    parcel.refresh_from_db()
    assert (parcel.weight_g, parcel.state) == (320, "received")


def test_strangers_find_no_envelope_to_take_in(online: Online, sign_in: SignIn) -> None:
    tell(online, paper=online.keys()[:1])
    parcel = Parcel.objects.get()
    cast = online.cast
    for who in (cast.officer, cast.other_officer, cast.other_clerk, cast.clerk, cast.finance):
        client = sign_in(who)
        for address in (
            reverse("receive_papers", args=[online.case.number]),
            reverse("call_off", args=[parcel.number]),
            reverse("receive", args=[parcel.number]),
        ):
            assert client.post(address, {"original": online.keys()}).status_code == 404, address
