"""Pictures from strangers are opened in the limited child and nowhere else, whatever page they come through."""

import ast
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from ingest.models import Page
from logistics.models import Parcel
from logistics.rules.parcels import ParcelState
from storage.models import StoredObject
from tests.config.conftest import SignIn
from tests.ingest import hostile
from tests.logistics.road import Road
from tests.shared import ROOT

PARSERS = {"PIL", "cv2", "zxingcpp", "pypdfium2", "pikepdf", "pillow_heif", "rapidocr", "ingest.codes"}
Refusing = Callable[..., object]


@pytest.fixture
def no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a picture in this process fails the test; children are processes of their own."""

    def refuse(*_: object, **__: object) -> object:
        raise AssertionError("a stranger's picture was opened in the web process")

    monkeypatch.setattr(Image, "open", refuse)


def photo_of(text: str) -> bytes:
    label = hostile.paper((1200, 1600))
    label.paste(hostile.qr(text), (300, 500))
    out = io.BytesIO()
    label.save(out, "JPEG", quality=90, exif=hostile.gps_exif().tobytes())
    return out.getvalue()


def imported_by(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_no_page_imports_a_parser() -> None:
    pages = [*(ROOT / "config" / "pages").rglob("*.py"), *ROOT.glob("*/api.py")]
    guilty = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in pages
        if (found := {name for name in imported_by(path) if {name, name.partition(".")[0]} & PARSERS})
    }
    assert guilty == {}


@pytest.mark.usefixtures("no_parsing")
def test_a_photo_of_the_label_hands_the_parcel_over_and_is_kept_nowhere(road: Road, sign_in: SignIn) -> None:
    waybill = road.pre_reviewed().registered()
    photo = photo_of(waybill.parcel.token_text)
    before = StoredObject.objects.count()
    answer = sign_in(road.cast.clerk).post(
        reverse("hand_over"), {"photo": SimpleUploadedFile("IMG_1.jpg", photo, "image/jpeg")}
    )
    assert answer.status_code == 302
    assert Parcel.objects.get(pk=waybill.parcel_id).state == ParcelState.HANDED_OVER
    assert StoredObject.objects.count() == before


@pytest.mark.usefixtures("no_parsing")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (hostile.png_of(60_000, 60_000), "百万像素"),
        (hostile.png_of(3000, 3000), "照片打不开"),
        (b"GIF89a" + bytes(40), "GIF"),
        (b"%PDF-1.7\n%%EOF", "照片打不开"),
        (b"", "照片打不开"),
    ],
)
def test_a_bomb_at_the_hand_over_is_a_sentence(
    content: bytes, sentence: str, road: Road, sign_in: SignIn
) -> None:
    answer = sign_in(road.cast.clerk).post(
        reverse("hand_over"), {"photo": SimpleUploadedFile("photo.png", content, "image/png")}
    )
    assert answer.status_code == 409
    assert sentence in answer.content.decode()


@pytest.mark.usefixtures("no_parsing")
def test_thumbnails_are_drawn_elsewhere_and_carry_nothing_private(road: Road, sign_in: SignIn) -> None:
    page = Page.objects.filter(case=road.case).order_by("pk")[0]
    client = sign_in(road.cast.clerk)
    for name in ("thumbnail", "page_image"):
        answer = client.get(reverse(name, args=[page.pk]))
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert answer.content.startswith(b"\xff\xd8\xff")
        assert b"Exif" not in answer.content
        again = client.get(reverse(name, args=[page.pk]), headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
