"""What a desk has to answer for stands on a list of its own, the earliest due first; so do papers that lie too long."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ingest.models import Original
from logistics.models import Incident, Parcel
from logistics.rules.overdue import Late
from logistics.rules.parcels import IncidentKind, ParcelState
from logistics.services.custody import receive_parcel
from logistics.services.incidents import report_incident, resolve_incident
from logistics.services.losses import report_missing
from logistics.services.overdue import COURIER, overdue_originals
from logistics.services.parcels import seal_parcel
from registry.models import Event, MaterialRequirement
from registry.paper.kinds import SlipKind
from tests.cast import NOW
from tests.config.conftest import SignIn
from tests.logistics.road import Road
from workers.work.papers import issue_packing_list

pytestmark = pytest.mark.django_db
LONG_AFTER = NOW + timedelta(days=40)


@pytest.fixture
def parcel(road: Road) -> Parcel:
    return road.on_the_road(road.pre_reviewed().registered())


def test_the_owner_reads_what_is_due_and_the_other_side_only_when_asked(
    road: Road, parcel: Parcel, sign_in: SignIn
) -> None:
    report_incident(kind=IncidentKind.DAMAGED, parcel=parcel, actor=road.cast.officer, now=NOW)
    report_incident(kind=IncidentKind.REFUSED, parcel=parcel, actor=road.cast.officer, now=timezone.now())
    clerk, officer, address = sign_in(road.cast.clerk), sign_in(road.cast.officer), reverse("incidents")
    assert address in clerk.get(reverse("originals")).text
    shown = clerk.get(address).text
    assert shown.index("破损") < shown.index("收件人拒收"), "the earliest due first"
    assert (shown.count("已超期"), shown.count(road.cast.zhuji.name) >= 2) == (1, True)
    assert f"{reverse('parcel', args=[parcel.number])}#incidents" in shown
    assert "没有由本处负责的异常" in officer.get(address).text
    assert "破损" in officer.get(address, {"whose": "all"}).text
    assert "破损" not in sign_in(road.cast.other_clerk).get(address, {"whose": "all"}).text
    first = Incident.objects.get(kind=IncidentKind.DAMAGED)
    resolve_incident(incident=first, resolution="已重新封装", actor=road.cast.clerk, now=timezone.now())
    assert "破损" not in clerk.get(address).text
    assert "已重新封装" in clerk.get(address, {"state": "resolved"}).text


def test_what_vanished_from_a_desk_leads_to_its_original(road: Road, sign_in: SignIn) -> None:
    paper = road.originals[0]
    report_missing(original=paper, actor=road.cast.clerk, now=NOW)
    shown = sign_in(road.cast.clerk).get(reverse("incidents")).text
    for words in ("原件在原处查无", paper.name, "不在寄件中", f"{reverse('original', args=[paper.pk])}#act"):
        assert words in shown
    incident = Incident.objects.get()
    closed = sign_in(road.cast.clerk).post(
        reverse("resolve_incident", args=[incident.pk]), {"resolution": "算了"}
    )
    assert closed.status_code == 404


def test_the_packing_list_is_printed_from_the_bag_even_of_two_cases(road: Road, sign_in: SignIn) -> None:
    bag = road.pre_reviewed().packed([*road.originals, *road.another_case()])
    seal_parcel(parcel=bag, weight_g=640, actor=road.cast.clerk, now=NOW)
    issue_packing_list(Event.objects.get(kind="parcel.sealed"), "", NOW)
    clerk = sign_in(road.cast.clerk)
    shown = clerk.get(reverse("parcel", args=[bag.number])).text
    assert SlipKind.PACKING_LIST.label in shown
    address = next(part for part in shown.split('"') if part.startswith("/slips/") and part.endswith(".pdf"))
    assert clerk.get(address).headers["content-type"] == "application/pdf"
    assert (
        SlipKind.PACKING_LIST.label
        not in sign_in(road.cast.officer).get(reverse("parcel", args=[bag.number])).text
    )


def late(road: Road) -> set[tuple[Late, str]]:
    return {(each.late, each.who[0]) for each in overdue_originals(actor=road.cast.clerk, now=LONG_AFTER)}


def test_a_paper_that_nobody_moves_is_told_until_it_moves(road: Road, sign_in: SignIn) -> None:
    assert not overdue_originals(actor=road.cast.clerk, now=NOW)
    assert not late(road), "before the pre-review nothing may leave"
    road.pre_reviewed()
    assert not late(road), "what need not be mailed may stay"
    MaterialRequirement.objects.update(mailed=True)
    assert late(road) == {(Late.UNSENT, "window")}
    parcel = road.on_the_road(road.registered())
    assert late(road) == {(Late.ROAD, COURIER)}
    Parcel.objects.update(state=ParcelState.DELIVERED.value, delivered_at=NOW + timedelta(days=1))
    parcel.refresh_from_db()
    assert late(road) == {(Late.UNTICKED, "office")}
    ticked = [original.pk for original in road.originals]
    receive_parcel(parcel=parcel, ticked=ticked, actor=road.cast.officer, now=NOW + timedelta(days=1))
    assert not late(road), "the office works with it"
    road.decided()
    assert late(road) == {(Late.KEPT, "office"), (Late.RESULT_HELD, "office")}
    for stranger in (road.cast.other_clerk, road.cast.other_officer, road.cast.finance):
        assert not overdue_originals(actor=stranger, now=LONG_AFTER)


def test_the_list_of_what_is_overdue_names_whose_turn_it_is(road: Road, sign_in: SignIn) -> None:
    road.pre_reviewed()
    MaterialRequirement.objects.update(mailed=True)
    clerk, address = sign_in(road.cast.clerk), reverse("originals")
    Original.objects.update(moved_at=NOW)
    shown = clerk.get(address, {"list": "overdue"}).text
    for words in ("应寄未寄", road.cast.zhuji.name, road.originals[0].name):
        assert words in shown
    assert "没有超期的原件" in sign_in(road.cast.other_clerk).get(address, {"list": "overdue"}).text
