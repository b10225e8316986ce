"""A real Chromium in front of a live server with real storage; each role signs in as a person would."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.utils import timezone
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from registry.actors import Actor
from registry.models import User
from tests.cast import Cast, assemble
from tests.shared import ROOT
from workers.draining import drain

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct-horse-battery-9"
PATIENCE_MS = 20_000
"""A machine that does much else is slow, and no test is about that."""
expect.set_options(timeout=PATIENCE_MS)
MOST_STEPS = 150
"""From one end of a page to the other by the tabulator."""
ARTIFACTS = ROOT / "tests" / ".artifacts"
LOOKS = os.environ.get("LOOKS", "")
"""A folder for pictures of the pages on the way, for whoever wants to look; empty: none are taken."""

Enter = Callable[..., Page]
Papers = dict[str, list[Path]]

# The Playwright driver runs an event loop in this thread, which Django would take for an asynchronous caller.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def look(page: Page, name: str) -> None:
    """The page as it stands, wide and narrow, light and dark."""
    if not LOOKS:
        return
    for width, height in ((1366, 768), (390, 844)):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.screenshot(path=f"{LOOKS}/{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1366, "height": 768})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module, not for the run: while the driver lives, its loop runs in this thread, and whatever else
    the process tests could start none of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """A scan or two for every required row of the checklist, in the formats that scanners give."""
    folder = tmp_path_factory.mktemp("papers")
    return {
        "申请表": [_scan(folder / "form.jpg"), _scan(folder / "form-2.png")],
        "居民身份证": [_scan(folder / "front.jpg"), _scan(folder / "back.jpg")],
        "营业执照": [_scan(folder / "licence.jpg")],
        "户口簿": [_scan(folder / "register.tiff", pages=2)],
        "资质证书": [_scan(folder / "certificate.webp"), _scan(folder / "certificate-2.jpg")],
        "授权委托书": [_scan(folder / "letter.jpg")],
        "企业情况说明": [_scan(folder / "statement.pdf")],
    }


def _scan(path: Path, *, pages: int = 1) -> Path:
    """A4 at 150 dpi with a line that names the page, so that no two files are the same."""
    sheets = []
    for number in range(pages):
        sheet = Image.new("L", (1240, 1754), 244)
        ImageDraw.Draw(sheet).text((120, 160), f"{path.name} {number + 1}", fill=20, font_size=48)
        sheets.append(sheet)
    if pages > 1:
        sheets[0].save(path, dpi=(150, 150), save_all=True, append_images=sheets[1:])
    else:
        sheets[0].save(path, dpi=(150, 150))
    return path


@pytest.fixture
def cast(transactional_db: None, objects: None) -> Cast:
    cast = assemble()
    User.objects.update(password=_hashed())
    return cast


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


@pytest.fixture
def enter(live_server: LiveServer, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Enter]:
    """A page signed in as this person. Errors in the browser's console fail the test."""
    contexts, faults = [], []

    def sign_in(actor: Actor, *, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            locale="zh-CN",
            viewport={"width": 1366, "height": 768},
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda line: faults.append(line.text) if _is_fault(line.type, line.text) else None)
        page.goto("/login/")
        page.get_by_label("用户名").fill(actor.label)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/login/" not in url)
        return page

    yield sign_in
    for number, context in enumerate(contexts):
        if getattr(request.node, "failed", False):
            ARTIFACTS.mkdir(exist_ok=True)
            for page in context.pages:
                page.screenshot(path=ARTIFACTS / f"{request.node.name}-{number}.png", full_page=True)
        context.close()
    assert faults == []


@pytest.fixture
def phone(live_server: LiveServer, browser: Browser) -> Iterator[Page]:
    """An applicant's telephone, signed in nowhere."""
    context = browser.new_context(
        base_url=live_server.url, locale="zh-CN", viewport={"width": 390, "height": 844}
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def press_until(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Along the page by keyboard until the focus is there; what the keys do not reach fails."""
    for _ in range(MOST_STEPS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not reach {wanted}")


def work_off() -> None:
    """All waiting work, in a thread of its own: Playwright's event loop runs in this one."""

    def work() -> None:
        try:
            drained = drain(clock=timezone.now)
            assert not drained.failed
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as apart:
        apart.submit(work).result()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":  # type: ignore[attr-defined]
        item.failed = report.failed  # type: ignore[attr-defined]
    return report


def _is_fault(kind: str, text: str) -> bool:
    """Refusals are answers with a status of their own, and a test may cut the network, take a file away or open a page
    without https; the browser calls all that errors."""
    told = (
        "the server responded with a status of 4",
        "Response Status Error Code 4",
        "net::ERR_INTERNET_DISCONNECTED",
        "net::ERR_FILE_NOT_FOUND",
        "Cross-Origin-Opener-Policy header has been ignored",
    )
    return kind == "error" and not any(words in text for words in told)
