"""Printing labels through the service: every form reads back, and the carrier's own label gets our code beside it."""

import io

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from ingest.codes import CODE128, QR, read_codes
from logistics.labels import Unfit, as_pdf, beside_carrier
from logistics.labels.label import W100H180
from logistics.models import Waybill
from logistics.rules.parcels import NotNow
from logistics.sandbox.server import SandboxServer
from logistics.sandbox.wires import label_pdf
from logistics.services.labels import FORMS, Printed, print_carrier_label, print_label, print_sheets
from registry.permissions import NotYours
from storage.errors import Refused
from storage.services import open_verified
from tests.cast import NOW, assemble
from tests.logistics.labels import SECRETS, to_applicant, to_office
from tests.logistics.printers import print_tspl, print_zpl
from tests.logistics.road import Road, build_road


@pytest.fixture
def road(db: None, objects: None, sandbox: SandboxServer) -> Road:
    return build_road(assemble(), sandbox.url).pre_reviewed()


def codes_on(image: Image.Image) -> set[tuple[str, str]]:
    return {(code.format, code.text) for code in read_codes(image, expect=(QR, CODE128))}


def codes_on_all(pdf: bytes) -> set[tuple[str, str]]:
    """Without asking for one of each: a sheet has several."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.render(scale=203 / 72).to_pil() for page in document]
    return {(code.format, code.text) for page in pages for code in read_codes(page)}


def page_of(pdf: bytes) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        image: Image.Image = document[0].render(scale=203 / 72).to_pil()
    return image


def on_paper(printed: Printed, form: str) -> Image.Image:
    """What comes out of a printer that is given this."""
    if form == "pdf":
        return page_of(printed.content)
    if form.startswith("png"):
        return Image.open(io.BytesIO(printed.content))
    if form.startswith("zpl"):
        return print_zpl(printed.content.decode("ascii")).image()
    return print_tspl(printed.content, 8.0 if form.endswith("203") else 300 / 25.4).image()


def test_every_form_of_a_label_reads_back_with_both_codes(road: Road) -> None:
    waybill = road.booked()
    wanted = {(QR, waybill.parcel.token_text), (CODE128, waybill.number)}
    for form in FORMS:
        printed = print_label(parcel=waybill.parcel, size="100x150", form=form, actor=road.cast.clerk)
        assert codes_on(on_paper(printed, form)) == wanted, form
        assert printed.suffix == form.partition("-")[0]


def test_several_labels_share_a4_sheets_and_each_reads_back(road: Road) -> None:
    waybills = [road.booked(), road.booked(road.another_sealed())]
    parcels = [waybill.parcel for waybill in waybills]
    wanted = {text for one in waybills for text in (one.parcel.token_text, one.number)}
    for size, sheets in (("100x150", 1), ("76x130", 1), ("100x180", 1)):
        printed = print_sheets(parcels=parcels, size=size, actor=road.cast.clerk)
        with pypdfium2.PdfDocument(printed.content) as document:
            assert len(document) == sheets
            assert document[0].get_size() == pytest.approx((595.28, 841.89), abs=0.1)
        assert {text for _, text in codes_on_all(printed.content)} == wanted, size


def test_sheets_of_nothing_for_strangers_or_without_waybills_are_refused(road: Road) -> None:
    parcel = road.sealed()
    with pytest.raises(NotNow, match="还没有运单号"):
        print_sheets(parcels=[parcel], size="100x150", actor=road.cast.clerk)
    with pytest.raises(NotYours):
        print_sheets(parcels=[parcel], size="100x150", actor=road.cast.other_clerk)
    for parcels, size in (([], "100x150"), ([parcel] * 61, "100x150"), ([parcel], "a4")):
        with pytest.raises(Refused, match="label_s"):
            print_sheets(parcels=parcels, size=size, actor=road.cast.clerk)


def test_what_no_printer_takes_is_refused(road: Road) -> None:
    parcel = road.booked().parcel
    for size, form in (("a4", "zpl-203"), ("100x150", "pcl"), ("80x80", "pdf")):
        with pytest.raises(Refused, match="没有这种"):
            print_label(parcel=parcel, size=size, form=form, actor=road.cast.clerk)


def test_the_carriers_own_label_is_asked_for_once_and_gets_our_code_beside_it(
    road: Road, sandbox: SandboxServer
) -> None:
    waybill = road.booked()
    printed = print_carrier_label(parcel=waybill.parcel, actor=road.cast.clerk, now=NOW)
    wanted = {(QR, waybill.parcel.token_text), (CODE128, waybill.number)}
    assert codes_on(page_of(printed.content)) == wanted
    kept = Waybill.objects.get().label
    assert kept is not None
    assert open_verified(kept) == label_pdf(waybill.number)
    sandbox.shutdown()  # a second print needs no courier
    again = print_carrier_label(parcel=waybill.parcel, actor=road.cast.clerk, now=NOW)
    assert again.content == printed.content


def test_no_carriers_label_without_a_waybill_or_for_strangers(road: Road) -> None:
    parcel = road.sealed()
    with pytest.raises(NotNow, match="还没有运单号"):
        print_carrier_label(parcel=parcel, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotYours):
        print_carrier_label(parcel=parcel, actor=road.cast.other_clerk, now=NOW)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_the_carriers_label_stays_as_large_as_it_was(turned: int) -> None:
    label = to_office(3)
    with pikepdf.open(io.BytesIO(label_pdf(label.waybill))) as theirs:
        theirs.pages[0].Rotate = turned
        out = io.BytesIO()
        theirs.save(out)
    if turned % 180:  # 150 mm wide: no room for the code beside it
        with pytest.raises(Unfit):
            beside_carrier(out.getvalue(), label)
        return
    sheet = beside_carrier(out.getvalue(), label)
    image = page_of(sheet)
    assert codes_on(image) == {(QR, label.code), (CODE128, label.waybill)}
    (bars,) = (code for code in read_codes(image, expect=(CODE128,)) if code.format == CODE128)
    alone = page_of(label_pdf(label.waybill))
    (before,) = (code for code in read_codes(alone, expect=(CODE128,)) if code.format == CODE128)
    assert _wide(bars.position) == pytest.approx(_wide(before.position), rel=0.02)


def test_the_panel_names_nobody() -> None:
    label = to_applicant(4)
    sheet = beside_carrier(label_pdf(label.waybill), label)
    with pypdfium2.PdfDocument(sheet) as document:
        text = document[0].get_textpage().get_text_bounded()
    assert label.parcel_number in text
    assert not [secret for secret in SECRETS if secret in text]
    assert label.receiver.name not in text


def test_what_is_no_pdf_or_too_large_is_said_so() -> None:
    label = to_office(5)
    with pytest.raises(Unfit):
        beside_carrier(b"<html>busy</html>", label)
    with pikepdf.open(io.BytesIO(as_pdf([label], W100H180))) as large:
        large.pages[0].MediaBox = pikepdf.Array([0, 0, 600, 800])
        out = io.BytesIO()
        large.save(out)
    with pytest.raises(Unfit):
        beside_carrier(out.getvalue(), label)


def test_every_page_of_a_carriers_label_is_printed_or_the_whole_is_refused() -> None:
    label = to_office(6)
    long = as_pdf([label] * 12, W100H180)
    with pikepdf.open(io.BytesIO(beside_carrier(long, label))) as sheets:
        assert len(sheets.pages) == 12
    with pytest.raises(Unfit) as unfit:
        beside_carrier(as_pdf([label] * 101, W100H180), label)
    assert "有 101 页，超过一次打印 100 页的上限" in unfit.value.sentence


def _wide(position: tuple[tuple[int, int], ...]) -> int:
    across = [x for x, _ in position]
    return max(across) - min(across)
