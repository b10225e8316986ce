"""The list for the collector: gathered by scans, signed once, then left as it is; each custody row points to it."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from PIL import Image
from pytest_django.fixtures import Settings

from logistics.models import CustodyEvent, HandoverEntry, HandoverLine, HandoverList, Parcel
from logistics.rules.handovers import HandoverState, path_of, strokes_of
from logistics.rules.parcels import NotNow, ParcelState
from logistics.services.accounts import add_carrier
from logistics.services.custody import hand_over, hand_over_later
from logistics.services.handover_entries import attach_sheet, correct_list
from logistics.services.handovers import (
    drop_list,
    list_parcel,
    open_list,
    print_list,
    sign_on_paper,
    sign_on_screen,
    slip_of,
    take_off,
)
from logistics.services.parcels import unseal_parcel
from logistics.services.waybills import cancel_waybill
from logistics.services.whereabouts import where_is
from registry.actors import SYSTEM
from registry.events import verify_chains
from registry.models import Event, Slip
from registry.permissions import NotYours
from storage.errors import Refused
from storage.services import open_verified
from tests.cast import NOW
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
LATER = NOW + timedelta(hours=6)
DRAWN = json.dumps([[100, 200, 300, 80, 500, 310], [620, 90, 640, 300]])


@pytest.fixture
def two(road: Road) -> list[Parcel]:
    """Two sealed parcels with waybills of the same carrier."""
    return [road.booked().parcel, road.booked(road.another_sealed()).parcel]


def gathered(road: Road, parcels: list[Parcel]) -> HandoverList:
    handover = open_list(carrier=road.account.carrier, actor=road.cast.clerk, now=NOW)
    for parcel in parcels:
        list_parcel(handover=handover, token=parcel.token_text, actor=road.cast.clerk, now=NOW)
    return handover


def signed(road: Road, handover: HandoverList, *, drawn: str = DRAWN) -> HandoverList:
    sign_on_screen(
        handover=handover,
        collector="  王小明 ",
        drawn=drawn,
        version=handover.version,
        actor=road.cast.clerk,
        now=LATER,
    )
    return handover


def test_one_signature_lets_everything_on_the_list_go_and_nothing_else(road: Road, two: list[Parcel]) -> None:
    listed, left_here = two
    handover = signed(road, gathered(road, [listed]))
    listed.refresh_from_db()
    left_here.refresh_from_db()
    assert (listed.state, listed.handed_over_at) == (ParcelState.HANDED_OVER, LATER)
    assert left_here.state == ParcelState.SEALED
    rows = CustodyEvent.objects.filter(parcel=listed)
    assert {(row.handover_id, row.proof, row.by_label) for row in rows} == {
        (handover.pk, "signature", "clerk")
    }
    assert rows.count() == len(road.originals)
    assert not CustodyEvent.objects.filter(parcel=left_here).exists()
    moved = Event.objects.filter(kind="original.moved").last()
    assert moved is not None
    assert moved.data["handover"] == handover.number
    told = Event.objects.get(kind="handover.signed")
    assert (told.data["parcels"], told.data["signing"]) == ([listed.number], "screen")
    assert "小明" not in json.dumps(told.data, ensure_ascii=False)
    assert not list(verify_chains())


def test_where_it_is_names_the_list_and_who_signed_masked(road: Road, two: list[Parcel]) -> None:
    handover = signed(road, gathered(road, two))
    found = where_is(original_id=road.originals[0].pk, actor=road.cast.officer)
    assert (found.handover_number, found.collector, found.proof) == (handover.number, "王**", "当面签收")
    raw = CustodyEvent._meta.db_table, HandoverList._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT collector FROM {raw[1]}")
        assert "小明" not in cursor.fetchone()[0]


def test_the_drawn_signature_is_kept_as_a_picture_and_on_the_paper(road: Road, two: list[Parcel]) -> None:
    handover = signed(road, gathered(road, two))
    assert handover.signature is not None
    picture = Image.open(io.BytesIO(open_verified(handover.signature)))
    assert picture.size == (1001, 401)
    assert 0 < picture.convert("L").histogram()[0] < 20_000
    slip = slip_of(handover)
    assert slip is not None
    assert slip.data["signature"] == path_of(strokes_of(DRAWN))
    assert slip.data["collector"] == "王**"
    assert [line["parcel_number"] for line in slip.data["lines"]] == [parcel.number for parcel in two]
    assert [(line["originals"], line["weight"]) for line in slip.data["lines"]] == [(2, 320), (2, 95)]
    assert "暨通" not in json.dumps(slip.data, ensure_ascii=False), "no applicant stands on it"


def test_everything_may_be_repeated(road: Road, two: list[Parcel]) -> None:
    handover = gathered(road, two)
    again = gathered(road, two)
    assert again == handover
    assert HandoverLine.objects.count() == len(two)
    signed(road, handover)
    before = (Event.objects.count(), CustodyEvent.objects.count(), Slip.objects.count())
    signed(road, again, drawn=json.dumps([[0, 0, 900, 300]]))
    again.refresh_from_db()
    assert again.signature == handover.signature
    line = list_parcel(handover=handover, token=two[0].token_text, actor=road.cast.clerk, now=LATER)
    assert line.position == 1
    assert (Event.objects.count(), CustodyEvent.objects.count(), Slip.objects.count()) == before


def test_a_parcel_on_two_lists_is_refused(road: Road, two: list[Parcel]) -> None:
    handover = signed(road, gathered(road, two[:1]))
    other = gathered(road, two[1:])
    assert other != handover
    with pytest.raises(NotNow, match=handover.number):
        list_parcel(handover=other, token=two[0].token_text, actor=road.cast.clerk, now=LATER)
    line = HandoverLine.objects.get(parcel=two[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        HandoverLine.objects.create(
            handover=other,
            position=9,
            parcel=two[0],
            waybill_number=line.waybill_number,
            originals=1,
            weight_g=1,
            scanned_at=NOW,
        )


def test_what_stands_on_a_list_does_not_leave_by_a_scan_of_its_own(road: Road, two: list[Parcel]) -> None:
    handover = gathered(road, two)
    with pytest.raises(NotNow, match=handover.number):
        hand_over(token=two[0].token_text, actor=road.cast.clerk, now=LATER)
    with pytest.raises(NotNow, match=handover.number):
        hand_over_later(token=two[0].token_text, scanned_at=LATER, actor=road.cast.clerk, now=LATER)
    take_off(handover=handover, parcel=two[0], actor=road.cast.clerk, now=LATER)
    take_off(handover=handover, parcel=two[0], actor=road.cast.clerk, now=LATER)
    hand_over(token=two[0].token_text, actor=road.cast.clerk, now=LATER)
    assert handover.lines.filter(stands=True).count() == 1
    assert Event.objects.filter(kind="handover.parcel_taken_off").count() == 1


def test_only_sealed_parcels_of_this_carrier_go_on(road: Road, two: list[Parcel]) -> None:
    other = add_carrier(code="sf", name="顺丰速运", adapter="neutral", actor=SYSTEM, now=NOW)
    elsewhere = open_list(carrier=other, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="中性快递"):
        list_parcel(handover=elsewhere, token=two[0].token_text, actor=road.cast.clerk, now=NOW)
    handover = gathered(road, [])
    hand_over(token=two[0].token_text, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="已交寄"):
        list_parcel(handover=handover, token=two[0].token_text, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="还没有寄件"):
        signed(road, handover)


def test_a_list_that_changed_after_it_was_shown_is_not_signed(road: Road, two: list[Parcel]) -> None:
    handover = gathered(road, two[:1])
    seen = handover.version
    list_parcel(handover=handover, token=two[1].token_text, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="重新核对"):
        sign_on_screen(
            handover=handover,
            collector="王小明",
            drawn=DRAWN,
            version=seen,
            actor=road.cast.clerk,
            now=LATER,
        )
    assert not CustodyEvent.objects.exists()


def test_a_parcel_opened_after_its_scan_holds_all_back(road: Road, two: list[Parcel]) -> None:
    handover = gathered(road, two)
    cancel_waybill(waybill=two[1].waybills.get(), reason="", actor=road.cast.clerk, now=NOW)
    two[1].refresh_from_db()
    unseal_parcel(parcel=two[1], actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match=two[1].number):
        signed(road, handover)
    assert not CustodyEvent.objects.exists()
    take_off(handover=handover, parcel=two[1], actor=road.cast.clerk, now=LATER)
    signed(road, handover)
    assert CustodyEvent.objects.count() == len(road.originals)


def test_on_paper_the_printed_list_must_be_the_one_that_is_signed(road: Road, two: list[Parcel]) -> None:
    handover, clerk = gathered(road, two[:1]), road.cast.clerk

    def sign() -> None:
        sign_on_paper(handover=handover, collector="王小明", version=handover.version, actor=clerk, now=LATER)

    with pytest.raises(NotNow, match="还没有打印"):
        sign()
    first = print_list(handover=handover, actor=clerk, now=NOW)
    assert print_list(handover=handover, actor=clerk, now=NOW) == first
    list_parcel(handover=handover, token=two[1].token_text, actor=clerk, now=NOW)
    with pytest.raises(NotNow, match="重新打印"):
        sign()
    second = print_list(handover=handover, actor=clerk, now=NOW)
    assert len(second.data["lines"]) == len(two)
    sign()
    assert (handover.state, handover.signing) == (HandoverState.SIGNED, "paper")
    assert print_list(handover=handover, actor=clerk, now=LATER) == second
    assert {row.handover_id for row in CustodyEvent.objects.all()} == {handover.pk}


def test_the_signed_sheet_is_attached_once_and_only_to_a_signed_list(
    road: Road, two: list[Parcel], tmp_path: Path
) -> None:
    handover, sheet = gathered(road, two), tmp_path / "sheet.jpg"
    Image.new("L", (1240, 1754), 240).save(sheet, dpi=(150, 150))
    with pytest.raises(NotNow, match="还没有签收"):
        attach_sheet(handover=handover, path=sheet, actor=road.cast.clerk, now=LATER)
    signed(road, handover)
    for _ in range(2):
        [entry] = attach_sheet(handover=handover, path=sheet, actor=road.cast.clerk, now=LATER)
    assert handover.entries.count() == 1
    assert entry.stored is not None
    assert Event.objects.get(kind="handover.sheet_attached").data["sha256"] == entry.stored.sha256
    broken = tmp_path / "sheet.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing more")
    with pytest.raises(Refused, match="签字件打不开"):
        attach_sheet(handover=handover, path=broken, actor=road.cast.clerk, now=LATER)


def test_a_signed_sheet_that_cannot_be_checked_for_viruses_is_not_attached(
    road: Road, two: list[Parcel], tmp_path: Path, settings: Settings
) -> None:
    handover, sheet = signed(road, gathered(road, two)), tmp_path / "sheet.jpg"
    Image.new("L", (1240, 1754), 240).save(sheet, dpi=(150, 150))
    settings.CLAMAV = str(tmp_path / "nobody.sock")
    with pytest.raises(Refused, match="暂不能检查病毒"):
        attach_sheet(handover=handover, path=sheet, actor=road.cast.clerk, now=LATER)
    assert not handover.entries.exists()


@pytest.mark.usefixtures("append_only")
def test_a_signed_list_is_frozen_and_corrected_by_an_entry_beside_it(road: Road, two: list[Parcel]) -> None:
    handover = signed(road, gathered(road, two))
    acts: list[Callable[[], object]] = [
        lambda: take_off(handover=handover, parcel=two[0], actor=road.cast.clerk, now=LATER),
        lambda: drop_list(handover=handover, actor=road.cast.clerk, now=LATER),
    ]
    for act in acts:
        with pytest.raises(NotNow, match="登记更正"):
            act()
    changes: list[Callable[[], object]] = [
        lambda: HandoverList.objects.filter(pk=handover.pk).update(signed_before="somebody"),
        lambda: handover.lines.update(weight_g=1),
        lambda: handover.lines.all().delete(),
    ]
    for change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    for _ in range(2):
        entry = correct_list(handover=handover, words="第 2 件当场退回", actor=road.cast.clerk, now=LATER)
    assert HandoverEntry.objects.get() == entry
    with pytest.raises(Refused, match="最多 200 个字，现有 201 个字"):
        correct_list(handover=handover, words="退" * 201, actor=road.cast.clerk, now=LATER)
    assert HandoverEntry.objects.get() == entry, "nothing is cut off and kept"
    with pytest.raises(IntegrityError), transaction.atomic():
        HandoverEntry.objects.update(words="没有这回事")


def test_a_dropped_list_sets_its_parcels_free(road: Road, two: list[Parcel]) -> None:
    handover = gathered(road, two)
    for _ in range(2):
        drop_list(handover=handover, actor=road.cast.clerk, now=LATER)
    assert handover.state == HandoverState.DROPPED
    again = gathered(road, two)
    assert again != handover
    signed(road, again)
    assert Event.objects.filter(kind="handover.dropped").count() == 1


def test_other_windows_and_receivers_find_no_list_here(road: Road, two: list[Parcel]) -> None:
    handover = gathered(road, two)
    for stranger in (road.cast.other_clerk, road.cast.officer, road.cast.finance):
        with pytest.raises(NotYours):
            sign_on_paper(handover=handover, collector="王小明", version=2, actor=stranger, now=LATER)
        with pytest.raises(NotYours):
            list_parcel(handover=handover, token=two[0].token_text, actor=stranger, now=LATER)


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        ("", "签名框内签名"),
        ("[[5, 5, 6, 6]]", "签名框内签名"),
        ("not json", "没有收到可用的签名"),
        ('{"a": 1}', "没有收到可用的签名"),
        ("[[1, 2, 3]]", "没有收到可用的签名"),
        ("[[0, 0, 1001, 0]]", "没有收到可用的签名"),
        ("[[0, 0, 400.5, 0]]", "没有收到可用的签名"),
        ("[[true, 0, 400, 0]]", "没有收到可用的签名"),
        ("[" * 50_000, "没有收到可用的签名"),
        (json.dumps([[0, 0] * 9000]), "没有收到可用的签名"),
    ],
)
def test_what_is_no_signature_moves_nothing(road: Road, two: list[Parcel], drawn: str, reason: str) -> None:
    handover = gathered(road, two)
    with pytest.raises(NotNow, match=reason):
        signed(road, handover, drawn=drawn)
    assert not CustodyEvent.objects.exists()
    with pytest.raises(NotNow, match="揽收员姓名"):
        sign_on_screen(
            handover=handover,
            collector=" ",
            drawn=DRAWN,
            version=handover.version,
            actor=road.cast.clerk,
            now=LATER,
        )
