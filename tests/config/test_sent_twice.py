"""A form that is sent twice has one effect, and the second sending lands where the first one did."""

import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ingest.models import Case, Message, Original, Problem
from logistics.models import Incident, Parcel
from registry.models import Event, SentForm, User
from registry.repeating import KEPT, send_once, sweep_forms
from storage.errors import Refused
from tests.cast import Cast, open_case
from tests.config.conftest import SignIn
from tests.config.test_case_pages import form
from tests.logistics.road import Road

TOKEN = re.compile(r'name="once" value="([\w-]+)"')


def token_on(client: Client, address: str) -> str:
    """The token that the form on this page carries."""
    found = TOKEN.search(client.get(address).text)
    assert found, f"no form on {address} carries a token"
    return found[1]


def sent_twice(client: Client, address: str, told: Mapping[str, object]) -> tuple[str, str]:
    """Where both sendings of one form lead."""
    first, second = (client.post(address, told) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    return first.headers["location"], second.headers["location"]


def test_a_double_click_opens_one_case(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.clerk)
    once = token_on(client, f"{reverse('new_case')}?item={cast.item.pk}")
    first, second = sent_twice(client, reverse("new_case"), {**form(cast), "once": once})
    case = Case.objects.get()
    assert first == second == reverse("case", args=[case.number])
    assert Event.objects.filter(kind="case.created").count() == 1


def test_who_goes_back_and_writes_another_name_means_another_case(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.clerk)
    once = token_on(client, f"{reverse('new_case')}?item={cast.item.pk}")
    for name in ("王建国", "李卫东"):
        client.post(reverse("new_case"), {**form(cast, name=name), "once": once})
    assert {case.applicant_name for case in Case.objects.all()} == {"王建国", "李卫东"}


def test_the_same_applicant_may_come_again_with_a_new_form(cast: Cast, sign_in: SignIn) -> None:
    client, address = sign_in(cast.clerk), f"{reverse('new_case')}?item={cast.item.pk}"
    for _ in range(2):
        client.post(reverse("new_case"), {**form(cast), "once": token_on(client, address)})
    assert Case.objects.count() == 2


def test_a_refused_form_may_be_sent_again_as_it_is(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.clerk)
    once = token_on(client, f"{reverse('new_case')}?item={cast.item.pk}")
    told = {**form(cast, mode="window_accept"), "once": once}
    assert [client.post(reverse("new_case"), told).status_code for _ in range(2)] == [409, 409]
    assert not SentForm.objects.exists()


def test_a_token_is_its_senders_own(cast: Cast, sign_in: SignIn) -> None:
    for actor in (cast.clerk, cast.other_clerk):
        answer = sign_in(actor).post(reverse("new_case"), {**form(cast), "once": "the-same-token"})
        assert answer.status_code == 302
    assert {case.window for case in Case.objects.all()} == {cast.zhuji, cast.taizhou_window}


def test_a_parcel_is_packed_once(road: Road, sign_in: SignIn) -> None:
    road.pre_reviewed()
    client, address = sign_in(road.cast.clerk), reverse("pack", args=[road.case.number])
    leg = re.findall(r'name="leg" value="([^"]+)"', client.get(address).text)[0]
    told = {"leg": leg, "original": [one.pk for one in road.originals], "once": token_on(client, address)}
    first, second = sent_twice(client, address, told)
    assert first == second == reverse("parcel", args=[Parcel.objects.get().number])


def test_an_original_a_message_a_problem_and_an_incident_are_written_once(
    road: Road, sign_in: SignIn
) -> None:
    draft, client = open_case(road.cast), sign_in(road.cast.clerk)
    sheet = reverse("case", args=[draft.number])
    material = draft.materials.get(name="资质证书")
    sent_twice(client, reverse("take_in", args=[material.pk]), {"once": token_on(client, sheet)})
    assert Original.objects.filter(case=draft).count() == 1
    talk = reverse("talk", args=[draft.number])
    write = {"text": "请问需要原件吗", "once": token_on(client, talk)}
    sent_twice(client, reverse("write_message", args=[draft.number]), write)
    assert Message.objects.count() == 1
    problems = reverse("problems")
    report = {
        "kind": re.findall(r'<option value="(\w+)"', client.get(problems).text)[-1],
        "office": road.cast.taizhou.code,
        "words": "材料标准不一致",
        "once": token_on(client, problems),
    }
    sent_twice(client, reverse("report_problem"), report)
    assert Problem.objects.count() == 1
    parcel = road.pre_reviewed().on_the_road(road.registered())
    page = reverse("parcel", args=[parcel.number])
    told = {"kind": "damaged", "once": token_on(client, page)}
    sent_twice(client, reverse("report_incident", args=[parcel.number]), told)
    assert Incident.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_sendings_at_once_have_one_effect() -> None:
    user, now = User.objects.create(username="clicker"), timezone.now()
    together, done = threading.Barrier(4), []

    def act() -> str:
        done.append(1)
        return f"/made/{len(done)}/"

    def click() -> str:
        together.wait()
        try:
            return send_once(user_id=user.pk, mark="a" * 64, act=act, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        led_to = {future.result() for future in [threads.submit(click) for _ in range(4)]}
    assert (led_to, len(done)) == ({"/made/1/"}, 1)


@pytest.mark.django_db
def test_what_is_refused_leaves_no_mark_and_old_marks_are_swept() -> None:
    user, now = User.objects.create(username="clicker"), timezone.now()

    def refuse() -> str:
        raise Refused("no", "不行。")

    acts: list[Callable[[], str]] = [refuse, lambda: "/made/"]
    with pytest.raises(Refused):
        send_once(user_id=user.pk, mark="b" * 64, act=acts[0], now=now)
    assert send_once(user_id=user.pk, mark="b" * 64, act=acts[1], now=now) == "/made/"
    assert sweep_forms(now=now + KEPT - timedelta(minutes=1)) == 0
    assert sweep_forms(now=now + KEPT) == 1
