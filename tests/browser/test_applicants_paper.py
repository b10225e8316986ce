"""全程网办 before two screens: an applicant tells by telephone what is in the envelope, the office counts it by keyboard."""

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import reverse
from playwright.sync_api import Page, expect

from ingest.models import Original
from logistics.models import Incident, Parcel
from registry.models import Event, User
from tests.browser.conftest import PASSWORD, Enter, look, press_until
from tests.browser.test_every_page import NOWHERE
from tests.browser.test_progress import faults_of
from tests.cast import APPLICANT, Cast
from tests.logistics.online import NUMBER, Online, build_online


@pytest.fixture
def online(cast: Cast) -> Online:
    online = build_online(cast, NOWHERE)
    User.objects.update(password=make_password(PASSWORD))  # its officer came after the others
    return online


def ask(phone: Page, online: Online) -> None:
    phone.goto(reverse("progress"))
    phone.get_by_label("办件编号").fill(online.case.number)
    phone.get_by_label("手机号后四位").fill(APPLICANT.phone[-4:])
    phone.get_by_role("button", name="查询").click()


def tell_of_the_envelope(phone: Page, online: Online) -> None:
    """With a thumb that taps twice."""
    ask(phone, online)
    expect(phone.get_by_text("请您寄送的纸质材料")).to_be_visible()
    assert faults_of(phone) == []
    look(phone, "papers-owed")
    phone.get_by_label("快递公司", exact=True).select_option("neutral")
    phone.get_by_label("运单号").fill(NUMBER)
    phone.get_by_role("button", name="登记已寄出").dblclick()
    expect(phone.get_by_role("heading", name="您寄出的纸质材料")).to_be_visible()
    expect(phone.get_by_text("请您寄送的纸质材料")).to_have_count(0)
    expect(phone.get_by_text(NUMBER).first).to_be_visible()
    assert faults_of(phone) == []
    look(phone, "papers-sent")


def test_the_applicant_tells_the_office_counts_and_what_is_missing_becomes_an_incident(
    online: Online, phone: Page, enter: Enter
) -> None:
    tell_of_the_envelope(phone, online)
    parcel = Parcel.objects.get()
    assert Event.objects.filter(kind="parcel.announced").count() == 1
    came, gone = online.originals()

    officer = enter(online.officer)
    officer.goto(reverse("worklist", args=["review"]))
    officer.goto(reverse("receive_scan"))
    expect(officer.locator("#code")).to_be_focused()
    officer.keyboard.type(NUMBER, delay=1)
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("heading", name="签收核对")).to_be_visible()
    look(officer, "count-envelope")
    count_by_keyboard(officer, came, "确认签收")
    expect(officer.get_by_text("已签收核对，原件已登记在此处。")).to_be_visible()
    look(officer, "envelope-counted")
    came.refresh_from_db()
    gone.refresh_from_db()
    assert (came.place, gone.place) == (Original.Place.OFFICE, Original.Place.PARCEL)
    assert Incident.objects.get().kind == "missing_item"

    # Back to the list that was ticked, and once more: it is over, and says so.
    officer.goto(reverse("receive", args=[parcel.number]))
    expect(officer.get_by_text("这个寄件已经签收核对过")).to_be_visible()
    assert Event.objects.filter(kind="parcel.received").count() == 1

    # The incident leads to the paper, and the paper back to whoever has it still.
    officer.get_by_role("link", name="异常", exact=True).click()
    expect(officer.locator("main")).to_contain_text(gone.name)
    officer.goto(reverse("original", args=[gone.pk]))
    look(officer, "missing-from-envelope")
    officer.get_by_role("button", name="仍在申请人处").dblclick()
    expect(officer.get_by_text("已登记，原件仍在申请人处，等待寄来。")).to_be_visible()
    assert online.keys() == [gone.pk]
    ask(phone, online)
    owed = phone.locator("section").filter(has_text="请您寄送的纸质材料").locator(".bullets")
    expect(owed).to_contain_text(gone.name)
    expect(owed).not_to_contain_text(came.name)


def count_by_keyboard(officer: Page, there: Original, name: str) -> None:
    """Tab to the box of the paper that is there, space, and on to the button: no hand leaves the keys."""
    press_until(officer, officer.get_by_label(there.name, exact=True))
    officer.keyboard.press("Space")
    expect(officer.get_by_label(there.name, exact=True)).to_be_checked()
    press_until(officer, officer.get_by_role("button", name=name))
    officer.keyboard.press("Enter")
