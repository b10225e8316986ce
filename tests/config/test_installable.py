"""What the browser installs of the hand-over page: the same for everybody, with a scope of one page."""

import re

import pytest
from django.test import Client

from registry.models import User
from tests.cast import assemble

pytestmark = pytest.mark.django_db
PAGE = "/parcels/hand-over/"
PIECES = ("manifest.webmanifest", "worker.js", "offline/")


@pytest.fixture
def clerk() -> Client:
    assemble()
    client = Client()
    client.force_login(User.objects.get(username="clerk"))
    return client


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_is_the_same_for_the_signed_in_and_for_strangers(piece: str, clerk: Client) -> None:
    mine, anybodys = clerk.get(PAGE + piece), Client().get(PAGE + piece)
    assert mine.status_code == anybodys.status_code == 200
    assert mine.content == anybodys.content
    assert not mine.cookies


def test_only_the_hand_over_page_is_installed(clerk: Client) -> None:
    told = clerk.get(PAGE + "manifest.webmanifest").json()
    assert (told["scope"], told["start_url"]) == (PAGE, PAGE)
    page = clerk.get(PAGE).content.decode()
    assert f'<link rel="manifest" href="{PAGE}manifest.webmanifest">' in page
    assert f'data-worker="{PAGE}worker.js"' in page
    worker = clerk.get(PAGE + "worker.js")
    assert "Service-Worker-Allowed" not in worker, "its own folder is all that it may have"
    assert worker["Content-Type"].startswith("text/javascript")


def test_the_worker_keeps_files_that_are_there_under_a_name_of_this_version(clerk: Client) -> None:
    text = clerk.get(PAGE + "worker.js").content.decode()
    files = re.findall(r'"(/static/[^"]+)"', text)
    assert len(files) == 5
    for path in [*files, PAGE + "offline/"]:
        answer = Client().get(path)
        assert answer.status_code == 200, path
        if answer.streaming:
            list(answer)
    assert re.search(r"\$\{FAMILY\}[0-9a-f]{16}`", text)


def test_the_policy_comes_with_the_page_that_opens_without_network(clerk: Client) -> None:
    assert "default-src 'self'" in clerk.get(PAGE + "offline/")["Content-Security-Policy"]
