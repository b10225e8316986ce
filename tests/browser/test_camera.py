"""The camera in the browser finds the label that is held before it, and the parcel moves; and it says why when it cannot.

Chromium plays a film that the test makes of the label as it is printed. It has no code reader of its own on this system,
so pictures go to the server; what a browser with a reader does is shown with a stand-in that answers as the standard says.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from logistics.labels import SIZES, as_png
from logistics.models import CustodyEvent, HandoverLine, Parcel
from logistics.rules.parcels import ParcelState
from logistics.services.labels import label_of
from registry.models import Event
from tests.browser.conftest import CHROMIUM, FLAGS, Enter, look
from tests.browser.wire import wired
from tests.cast import NOW, Cast
from tests.logistics.road import build_road

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/parcels/hand-over/"
NOWHERE = "http://127.0.0.1:9"
FRAMES = 20
SIZE = (1280, 720)
STAND_IN = """window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) { return video.videoWidth ? [{ rawValue: "https://carrier.example/1" }, { rawValue: "%s" }] : []; }
};"""


class Film:
    """What the camera sees."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.show(Image.new("RGB", SIZE, (90, 88, 84)))

    def show(self, picture: Image.Image) -> None:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=80)
        self.path.write_bytes(out.getvalue() * FRAMES)

    def show_label(self, parcel: Parcel) -> None:
        """The printed label, held sidewise and a little askew over a table."""
        label = Image.open(io.BytesIO(as_png(label_of(parcel), SIZES["100x150"], dpi=203))).convert("RGB")
        held = label.rotate(94, expand=True, fillcolor=(90, 88, 84), resample=Image.Resampling.BICUBIC)
        held.thumbnail(SIZE)
        seen = Image.new("RGB", SIZE, (90, 88, 84))
        seen.paste(held, ((SIZE[0] - held.width) // 2, (SIZE[1] - held.height) // 2))
        self.show(seen)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return Film(tmp_path_factory.mktemp("film") / "film.mjpeg")


@pytest.fixture(scope="module")
def browser(film: Film) -> Iterator[Browser]:
    """A browser whose camera is the film."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: chromium)")
    flags = [
        *FLAGS,
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film.path}",
        "--host-resolver-rules=MAP counter.test 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


def opens_camera(page: Page, address: str = PAGE) -> None:
    page.goto(address)
    page.get_by_role("button", name="用摄像头扫码").click()


def test_labels_before_the_camera_are_handed_over_one_after_another(
    cast: Cast, enter: Enter, film: Film
) -> None:
    road = build_road(cast, NOWHERE).pre_reviewed()
    first = road.registered().parcel
    second = road.registered("1012345678902", parcel=road.another_sealed()).parcel
    clerk = enter(cast.clerk)
    clerk.context.grant_permissions(["camera"])
    film.show_label(first)
    opens_camera(clerk)
    expect(clerk.get_by_text(f"{first.number} 已交寄。")).to_be_visible()
    # The page that answers has the camera open again; the label that still lies there is not sent once more.
    expect(clerk.get_by_label("摄像头画面")).to_be_visible()
    look(clerk, "camera")
    clerk.get_by_role("button", name="关闭摄像头").click()
    expect(clerk.get_by_label("摄像头画面")).to_be_hidden()
    film.show_label(second)
    clerk.get_by_role("button", name="用摄像头扫码").click()
    expect(clerk.get_by_text(f"{second.number} 已交寄。")).to_be_visible()
    told = Event.objects.filter(kind="parcel.handed_over").order_by("pk")
    assert [event.data["parcel"] for event in told] == [first.number, second.number]
    assert CustodyEvent.objects.count() == 4


def test_the_camera_lists_a_parcel_for_a_collector_and_opens_it_where_it_arrives(
    cast: Cast, enter: Enter, film: Film
) -> None:
    road = build_road(cast, NOWHERE).pre_reviewed()
    parcel = road.registered().parcel
    film.show_label(parcel)
    clerk = enter(cast.clerk)
    clerk.context.grant_permissions(["camera"])
    clerk.goto("/handovers/")
    clerk.get_by_role("button", name="开始交接").click()
    clerk.get_by_role("button", name="用摄像头扫码").click()
    expect(clerk.get_by_text("已列入。")).to_be_visible()
    assert HandoverLine.objects.get().parcel == parcel

    Parcel.objects.update(state=ParcelState.IN_TRANSIT.value, handed_over_at=NOW)
    officer = enter(cast.officer)
    officer.context.grant_permissions(["camera"])
    opens_camera(officer, "/parcels/arriving/")
    officer.wait_for_url(f"**/parcels/{parcel.number}/receive/")


def test_a_browser_that_reads_codes_itself_sends_no_pictures_and_needs_no_network(
    cast: Cast, enter: Enter, live_server: LiveServer
) -> None:
    road = build_road(cast, NOWHERE).pre_reviewed()
    first = road.registered().parcel
    second = road.registered("1012345678902", parcel=road.another_sealed()).parcel
    sent = []
    clerk = enter(cast.clerk)
    clerk.on(
        "request", lambda request: sent.append(request.url) if "/parcels/camera/" in request.url else None
    )
    clerk.context.grant_permissions(["camera"])
    clerk.add_init_script(STAND_IN % first.token_text)
    with wired(live_server.url) as wire:
        opens_camera(clerk, f"{wire.url}{PAGE}")
        expect(clerk.get_by_text(f"{first.number} 已交寄。")).to_be_visible()
        clerk.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        wire.cut()
        clerk.context.set_offline(True)
        clerk.add_init_script(STAND_IN % second.token_text)
        clerk.reload()
        expect(clerk.get_by_role("heading", name="扫码交寄（离线）")).to_be_visible()
        clerk.get_by_role("button", name="用摄像头扫码").click()
        expect(clerk.locator("[data-kept-count]")).to_have_text("1 件")
        look(clerk, "camera-offline")
        wire.mend()
        clerk.context.set_offline(False)
        expect(clerk.get_by_text(f"{second.number} 已交寄（离线时扫码）。")).to_be_visible()
    assert sent == []
    assert CustodyEvent.objects.count() == 4


def test_without_network_a_browser_that_reads_no_codes_says_so(
    cast: Cast, enter: Enter, live_server: LiveServer
) -> None:
    clerk = enter(cast.clerk)
    clerk.context.grant_permissions(["camera"])
    with wired(live_server.url) as wire:
        clerk.goto(f"{wire.url}{PAGE}")
        clerk.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        wire.cut()
        clerk.context.set_offline(True)
        clerk.reload()
        expect(clerk.get_by_role("heading", name="扫码交寄（离线）")).to_be_visible()
        clerk.get_by_role("button", name="用摄像头扫码").click()
        expect(clerk.get_by_text("要等网络恢复后才能用摄像头")).to_be_visible()


def test_a_code_of_somebody_else_is_not_sent(cast: Cast, enter: Enter) -> None:
    clerk = enter(cast.clerk)
    clerk.context.grant_permissions(["camera"])
    clerk.add_init_script(STAND_IN % "6901234567892")
    opens_camera(clerk)
    expect(clerk.get_by_text("画面里的不是本系统打印的二维码")).to_be_visible()
    expect(clerk.get_by_label("用扫码枪扫面单上的二维码")).to_have_value("")


def test_a_camera_that_is_refused_missing_or_not_allowed_is_said(
    cast: Cast, enter: Enter, live_server: LiveServer, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    clerk = enter(cast.clerk)
    opens_camera(clerk)  # nobody gave permission
    expect(clerk.get_by_text("摄像头没有获得许可")).to_be_visible()
    expect(clerk.get_by_role("button", name="用摄像头扫码")).to_be_visible()
    look(clerk, "camera-refused")

    clerk.add_init_script(
        "navigator.mediaDevices && (navigator.mediaDevices.getUserMedia = "
        "async () => { throw new DOMException('none', 'NotFoundError'); });"
    )
    opens_camera(clerk)
    expect(clerk.get_by_text("本机没有找到摄像头")).to_be_visible()

    # The same server under a name that is neither https nor this machine's own.
    plain = live_server.url.replace("localhost", "counter.test").replace("127.0.0.1", "counter.test")
    cookies = [
        {"name": one["name"], "value": one["value"], "domain": "counter.test", "path": "/"}
        for one in clerk.context.cookies()
    ]
    clerk.context.add_cookies(cookies)  # type: ignore[arg-type]
    opens_camera(clerk, f"{plain}{PAGE}")
    expect(clerk.get_by_text("浏览器只在加密连接（https）下允许使用摄像头")).to_be_visible()
