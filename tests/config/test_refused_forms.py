"""Forms sent empty, twice, or with a wrong file: told in a sentence on the page they came from, which leads on from there."""

import re
from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import URLPattern, reverse

from registry.actors import Actor
from tests.cast import Cast, open_case
from tests.config.conftest import SignIn
from tests.config.world import World, pages, populate
from tests.logistics.road import Road

PEOPLE = ("clerk", "officer", "finance", "administrator", "auditor")
OK, MOVED, REFUSED, NO_GET = 200, 302, 409, 405
SENTENCE = re.compile(r'<div class="notice late" data-fault role="alert">.*?<p>([^<]+)</p>', re.DOTALL)
CHINESE_TO_THE_END = re.compile(r"[一-鿿].*[。？！）]$")
BARE = "data-back-row"
"""Stands on the page for refusals that no page took upon itself."""

# A label or list that cannot be made opens in a window of its own; there is no page to say it on.
ALONE = frozenset({"label", "carrier_label", "separators", "print_handover"})
# A code or a token is read; whatever else is sent is the reader's.
SPOKEN_TO_SCRIPTS = frozenset({"hand_over_later", "read_frame"})
SHOWN: set[str] = set()
"""Pages that were opened once: whoever opens them, they take more than forms. Not opened again to find that out."""


@pytest.fixture
def world(road: Road) -> World:
    return populate(road)


def acts(client: Client, world: World) -> list[tuple[str, str]]:
    """Name and address of what only takes forms and that this person may do."""
    found = []
    for pattern in pages():
        name = str(pattern.name)
        address = reverse(name, kwargs=world.address_of(name))
        if _takes_forms_only(client, pattern, address):
            found.append((name, address))
    return found


def _takes_forms_only(client: Client, pattern: URLPattern, address: str) -> bool:
    name = str(pattern.name)
    if name in SPOKEN_TO_SCRIPTS or name in SHOWN:
        return False
    answer = client.get(address)
    if answer.streaming:
        list(answer)  # to the end, as a server sends it: files made for one request go with it
    if answer.status_code == OK:
        SHOWN.add(name)
    return answer.status_code == NO_GET


def lost_ways(html: str, act: str) -> list[str]:
    """What leads back to the address of an act, which shows nothing to who merely opens it."""
    forms = [form for form in re.findall(r"<form[^>]*>", html) if 'method="get"' in form]
    without = [form for form in forms if "action=" not in form]
    relative = re.findall(r'<a [^>]*href="\?[^"]*"', html)
    asked = [found for found in re.findall(r'(?:hx-get|href)="([^"]*)"', html) if found.split("?")[0] == act]
    return without + relative + asked


def text_of(answer: HttpResponseBase) -> str:
    return answer.content.decode() if isinstance(answer, HttpResponse) else ""


@pytest.mark.parametrize("who", PEOPLE)
def test_an_empty_form_is_refused_on_its_page(who: str, world: World, sign_in: SignIn) -> None:
    actor: Actor = getattr(world.road.cast, who)
    client = sign_in(actor)
    faults = []
    for name, address in acts(client, world):
        answer = client.post(address)
        if answer.status_code != REFUSED or name in ALONE:
            continue
        html = text_of(answer)
        said = SENTENCE.search(html)
        if BARE in html or said is None:
            faults.append(f"{name}: no page says why")
        elif not CHINESE_TO_THE_END.search(said.group(1).strip()):
            faults.append(f"{name}: {said.group(1)}")
        faults += [f"{name}: leads back to the act: {way}" for way in lost_ways(html, address)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("who", PEOPLE)
def test_a_form_sent_twice_is_no_fault(who: str, world: World, sign_in: SignIn) -> None:
    actor: Actor = getattr(world.road.cast, who)
    client = sign_in(actor)
    for name, address in acts(client, world):
        client.post(address)
        again = client.post(address)
        assert again.status_code < 500 or again.status_code == 503, f"{name}: {again.status_code}"
        if again.status_code == REFUSED and name not in ALONE:
            assert BARE not in text_of(again), name


@dataclass(frozen=True)
class Upload:
    """A form with a file: who sends it, what for, the name of its field, and what else it takes."""

    who: str
    name: str
    field: str
    told: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.name}.{self.field}"


UPLOADS = (
    Upload("administrator", "catalogue", "file", (("act", "import"),)),
    Upload("finance", "tariffs", "file", (("act", "import"),)),
    Upload("finance", "statements", "file", (("month", "2026-03"),)),
    Upload("clerk", "hand_over", "photo"),
    Upload("officer", "receive_scan", "photo"),
    Upload("clerk", "attach_handover", "sheet"),
    Upload("officer", "arrival", "rescan"),
    Upload("officer", "check_in_hand", "file"),
    Upload("clerk", "upload_stack", "files"),
)
WRONG = {
    "a program": b"MZ\x90\x00\x03" + bytes(400),
    "a note": "这不是扫描件".encode(),
    "half a PDF": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog",
    "an archive": b"PK\x03\x04" + bytes(300),
}
SAID = re.compile(r'<div class="notice (?:late|attention|ok)"[^>]*>.*?</div>', re.DOTALL)


@pytest.mark.parametrize("upload", UPLOADS, ids=str)
def test_a_wrong_file_is_told_in_a_sentence(upload: Upload, world: World, sign_in: SignIn) -> None:
    client = sign_in(getattr(world.road.cast, upload.who))
    address = reverse(upload.name, kwargs=world.address_of(upload.name))
    told = {**dict(upload.told), "carrier": world.road.account.carrier.code}
    for kind, content in WRONG.items():
        answer = client.post(
            address, {**told, upload.field: SimpleUploadedFile("某文件.bin", content)}, follow=True
        )
        assert answer.status_code in (OK, REFUSED), f"{kind}: {answer.status_code}"
        html = text_of(answer)
        assert BARE not in html, kind
        notices = [re.sub(r"<[^>]+>", "", notice).strip() for notice in SAID.findall(html)]
        assert notices, f"{kind}: nothing was said"
        for words in notices:
            assert "Error" not in words, words
            assert "Traceback" not in words, words


@pytest.mark.parametrize("kind", list(WRONG))
def test_a_wrong_file_at_the_counter_is_named_with_its_reason(
    kind: str, cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    material = case.materials.get(position=1)
    told = {"material": str(material.pk), "files": SimpleUploadedFile("某文件.bin", WRONG[kind])}
    answer = sign_in(cast.clerk).post(reverse("upload", args=[case.number]), told, follow=True)
    assert "被拒收：" in text_of(answer)


def test_nothing_chosen_is_a_refusal_and_not_a_success(cast: Cast, objects: None, sign_in: SignIn) -> None:
    case, client = open_case(cast), sign_in(cast.clerk)
    for address in (reverse("upload", args=[case.number]), reverse("upload_stack")):
        answer = client.post(address)
        assert answer.status_code == REFUSED
        assert "请先选择要上传的文件。" in text_of(answer)


def test_who_opens_the_address_of_an_act_is_told_what_happened(
    cast: Cast, objects: None, sign_in: SignIn
) -> None:
    case = open_case(cast)
    answer = sign_in(cast.clerk).get(
        reverse("submit_case", args=[case.number]), headers={"accept": "text/html"}
    )
    assert answer.status_code == NO_GET
    assert "请回到原来的页面再做一次" in text_of(answer)


def test_what_was_ticked_and_typed_stays_when_a_decision_is_refused(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.road.cast.clerk)
    told = {"page": str(world.stack_page.pk), "home": "没有这样的办件 · 1"}
    html = text_of(client.post(reverse("bring_home"), told))
    assert 'value="没有这样的办件 · 1"' in html
