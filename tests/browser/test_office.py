"""The deciding office takes the signed dossier; the receiving window does not."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from dossier.models import DossierDownload
from dossier.services import build
from ingest.models import Case
from ingest.services.intake import submit
from registry.actors import SYSTEM
from tests.browser.conftest import Enter
from tests.cast import NOW, Cast, open_case
from tests.ingest.paper import hand_in_everything


def build_dossier(case: Case) -> None:
    """In a thread of its own: signing runs an event loop, and Playwright's already runs in this one."""

    def work() -> None:
        try:
            build(handling=case.handlings.get(), version=1, actor=SYSTEM, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as apart:
        apart.submit(work).result()


@pytest.fixture
def case(cast: Cast) -> Case:
    """Submitted, with a signed dossier."""
    case = open_case(cast)
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    build_dossier(case)
    return case


def test_the_dossier_is_checked_and_downloaded_by_the_deciding_office_only(
    cast: Cast, case: Case, enter: Enter
) -> None:
    officer, clerk = enter(cast.officer), enter(cast.clerk)
    address = reverse("case", args=[case.number])
    officer.goto(address)
    officer.get_by_role("button", name="核验").click()
    expect(officer.get_by_text("有效：印章可信")).to_be_visible()
    with officer.expect_download() as download:
        officer.get_by_role("link", name="下载").click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"%PDF")
    assert DossierDownload.objects.get().actor_label == cast.officer.label

    clerk.goto(address)
    expect(clerk.get_by_text("第 1 版")).to_be_visible()
    expect(clerk.get_by_role("link", name="下载")).to_have_count(0)


def test_progress_appears_without_reloading(cast: Cast, enter: Enter) -> None:
    """The page asks again while a dossier is in the making, and shows it when it is there."""
    case = open_case(cast)
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    page = enter(cast.clerk)
    page.goto(reverse("case", args=[case.number]))
    expect(page.get_by_text("正在制作和签章…")).to_be_visible()
    build_dossier(case)
    expect(page.locator("#dossiers").get_by_text("已签章")).to_be_visible()
