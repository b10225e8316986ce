"""Uploads that resume, as the tus protocol 1.0.0 wants them; the end of one is a plain upload."""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest.models import Arrival, Case, Page, SourceFile, Stack
from ingest.piecewise import MOST_OPEN, sweep_uploads
from registry.actors import Actor
from registry.models import ApiKey, Event, User
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest import hostile
from tests.ingest.stacks import paper, scan
from workers.upkeep import DUTIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
UPLOADS = "/api/v1/uploads"
PIECE = "application/offset+octet-stream"
NAME = "施某某 身份证.jpg"


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    return open_case(cast)


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return hostile.jpeg(tmp_path / "scan.jpg").read_bytes()


class Sender:
    """Speaks the protocol as one person's browser or one platform's program."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def say(self, method: str, address: str, data: bytes = b"", **headers: str) -> Any:
        spoken = {
            "Tus-Resumable": "1.0.0",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        kind = spoken.pop("Content-Type", PIECE)
        return self.client.generic(method, address, data, content_type=kind, headers=spoken)

    def begin(self, length: int, name: str = NAME) -> str:
        said = f"filename {base64.b64encode(name.encode()).decode()},is_private"
        answer = self.say("POST", UPLOADS, Upload_Length=str(length), Upload_Metadata=said)
        assert answer.status_code == 201
        return str(answer["Location"])

    def piece(self, address: str, at: int, data: bytes, **headers: str) -> Any:
        return self.say("PATCH", address, data, Upload_Offset=str(at), **headers)

    def offset(self, address: str) -> int:
        answer = self.say("HEAD", address)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        return int(answer["Upload-Offset"])

    def whole(self, content: bytes) -> str:
        address = self.begin(len(content))
        assert self.piece(address, 0, content).status_code == 204
        return address


def by_key(scopes: list[str], cast: Cast) -> Sender:
    key = ApiKey.make(name="platform", scopes=scopes, now=NOW, window=cast.zhuji)[1]
    return Sender(Client(headers={"authorization": f"Bearer {key}"}))


def signed_in(actor: Actor) -> Sender:
    client = Client()
    client.force_login(User.objects.get(pk=actor.id))
    return Sender(client)


@pytest.fixture
def sender(cast: Cast) -> Sender:
    return by_key(["platform"], cast)


def key_of(address: str) -> str:
    return address.rsplit("/", 1)[-1]


def take_in(sender: Sender, case: Case, address: str) -> Any:
    body = {"upload": key_of(address), "material": 1}
    return sender.client.post(
        f"/api/v1/cases/{case.number}/files/arrived", body, content_type="application/json"
    )


def test_what_the_server_can_do_is_told(sender: Sender) -> None:
    answer = sender.client.generic("OPTIONS", UPLOADS)
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert set(answer["Tus-Extension"].split(",")) == {"creation", "expiration", "checksum", "termination"}
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert answer["Tus-Max-Size"] == str(settings.UPLOAD_MAX_BYTES)


def test_a_file_in_two_pieces_is_a_plain_upload_in_the_end(
    sender: Sender, case: Case, content: bytes
) -> None:
    address = sender.begin(len(content))
    begun = sender.say("HEAD", address)
    assert (begun["Upload-Offset"], begun["Upload-Length"]) == ("0", str(len(content)))
    assert base64.b64decode(begun["Upload-Metadata"].removeprefix("filename ")).decode() == NAME
    first = sender.piece(address, 0, content[:1000])
    assert (first.status_code, first["Upload-Offset"], first["Tus-Resumable"]) == (204, "1000", "1.0.0")
    assert first["Upload-Expires"].endswith("GMT")
    unfinished = take_in(sender, case, address)
    assert (unfinished.status_code, unfinished.json()["code"]) == (409, "upload_unfinished")
    assert sender.offset(address) == 1000
    assert sender.piece(address, 1000, content[1000:])["Upload-Offset"] == str(len(content))
    taken = take_in(sender, case, address).json()
    assert (taken["verdict"], taken["pages"]) == ("accepted", 1)
    file = SourceFile.objects.get()
    assert (file.sha256, file.original_name) == (hashlib.sha256(content).hexdigest(), NAME)
    assert not (settings.SPOOL_DIR / key_of(address)).exists()


def test_finishing_twice_takes_nothing_in_twice(sender: Sender, case: Case, content: bytes) -> None:
    address = sender.whole(content)
    first, second = take_in(sender, case, address), take_in(sender, case, address)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert Page.objects.count() == 1
    assert Event.objects.filter(kind="file.received").count() == 1
    assert sender.offset(address) == len(content)
    assert sender.piece(address, 0, b"x").status_code == 409


def test_a_finish_that_died_before_it_was_noted_is_made_up_for(
    sender: Sender, case: Case, content: bytes, tmp_path: Path, cast: Cast
) -> None:
    address = sender.whole(content)
    kept = {path.name: path.read_bytes() for path in (settings.SPOOL_DIR / key_of(address)).iterdir()}
    take_in(sender, case, address)
    Arrival.objects.update(sha256="")
    folder = settings.SPOOL_DIR / key_of(address)
    folder.mkdir()
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    assert take_in(sender, case, address).status_code == 200
    assert (SourceFile.objects.count(), Page.objects.count()) == (1, 1)


def test_an_upload_is_for_one_case(sender: Sender, case: Case, cast: Cast, content: bytes) -> None:
    address = sender.whole(content)
    take_in(sender, case, address)
    elsewhere = take_in(sender, open_case(cast), address)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "upload_used")
    assert SourceFile.objects.count() == 1


@pytest.mark.parametrize("at", [0, 999, 1001])
def test_a_piece_from_elsewhere_is_a_conflict_that_tells_where_to_go_on(sender: Sender, at: int) -> None:
    address = sender.begin(3000)
    sender.piece(address, 0, b"x" * 1000)
    answer = sender.piece(address, at, b"y" * 10)
    assert (answer.status_code, answer["Upload-Offset"]) == (409, "1000")
    assert sender.offset(address) == 1000


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_that_changed_on_its_way_is_not_kept(sender: Sender, algorithm: str) -> None:
    address = sender.begin(10)
    right = base64.b64encode(hashlib.new(algorithm, b"hello").digest()).decode()
    wrong = sender.piece(address, 0, b"hellO", Upload_Checksum=f"{algorithm} {right}")
    assert (wrong.status_code, sender.offset(address)) == (460, 0)
    kept = sender.piece(address, 0, b"hello", Upload_Checksum=f"{algorithm} {right}")
    assert (kept.status_code, sender.offset(address)) == (204, 5)


@pytest.mark.parametrize("said", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1", "sha256 no-base64!"])
def test_a_checksum_that_cannot_be_checked_is_refused(sender: Sender, said: str) -> None:
    address = sender.begin(10)
    assert sender.piece(address, 0, b"hello", Upload_Checksum=said).status_code in (400, 460)
    assert sender.offset(address) == 0


def test_another_version_is_not_understood(sender: Sender) -> None:
    for spoken in ("", "0.2.2"):
        answer = sender.say("POST", UPLOADS, Upload_Length="3", Tus_Resumable=spoken)
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
    assert not Arrival.objects.exists()


def test_lengths_have_limits(sender: Sender, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 5 << 20
    assert sender.say("POST", UPLOADS, Upload_Length=str((5 << 20) + 1)).status_code == 413
    for length in ("", "-1", "1e3", "９", "9" * 30):
        assert sender.say("POST", UPLOADS, Upload_Length=length).status_code == 400
    assert sender.say("POST", UPLOADS, Upload_Defer_Length="1").status_code == 400
    address = sender.begin(3)
    assert sender.piece(address, 0, b"four").status_code == 413
    assert sender.piece(address, 0, b"abc", Content_Type="text/plain").status_code == 415
    assert sender.offset(address) == 0


def test_networks_without_patch_are_served(sender: Sender) -> None:
    address = sender.begin(5)
    sent = sender.say("POST", address, b"hello", Upload_Offset="0", X_HTTP_Method_Override="PATCH")
    assert (sent.status_code, sender.offset(address)) == (204, 5)
    assert sender.say("POST", address, X_HTTP_Method_Override="HEAD")["Upload-Offset"] == "5"
    assert sender.say("POST", address, b"hello").status_code == 400
    assert sender.say("POST", address, X_HTTP_Method_Override="DELETE").status_code == 204
    assert sender.say("HEAD", address).status_code == 404


def test_what_is_given_up_is_gone(sender: Sender, case: Case, content: bytes) -> None:
    address = sender.whole(content)
    assert sender.say("DELETE", address).status_code == 204
    assert sender.say("HEAD", address).status_code == 404
    assert take_in(sender, case, address).status_code == 404
    assert list(settings.SPOOL_DIR.glob(key_of(address))) == []


def test_somebody_elses_upload_is_not_there(sender: Sender, cast: Cast, case: Case, content: bytes) -> None:
    address = sender.whole(content)
    for stranger in (signed_in(cast.clerk), signed_in(cast.other_clerk), by_key(["platform"], cast)):
        assert stranger.say("HEAD", address).status_code == 404
        assert stranger.piece(address, 0, b"x").status_code == 404
        assert stranger.say("DELETE", address).status_code == 404
        assert stranger.say("POST", address, X_HTTP_Method_Override="DELETE").status_code == 404
        assert take_in(stranger, case, address).status_code == 404
    assert sender.offset(address) == len(content)


def test_whoever_may_not_upload_may_not_begin(cast: Cast) -> None:
    for actor in (cast.officer, cast.finance, cast.administrator, cast.auditor):
        assert signed_in(actor).say("POST", UPLOADS, Upload_Length="3").status_code == 404
    assert by_key(["archive"], cast).say("POST", UPLOADS, Upload_Length="3").status_code == 404
    assert Sender(Client()).say("POST", UPLOADS, Upload_Length="3").status_code == 401
    assert not Arrival.objects.exists()


def test_a_foreign_page_cannot_upload_in_a_persons_name(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=cast.clerk.id))
    assert Sender(client).say("POST", UPLOADS, Upload_Length="3").status_code == 403
    assert not Arrival.objects.exists()


def test_what_nobody_continues_is_swept(sender: Sender, case: Case, content: bytes) -> None:
    old, young = sender.whole(content), sender.begin(10)
    later = timezone.now() + timedelta(hours=settings.UPLOAD_KEEP_HOURS + 1)
    Arrival.objects.filter(key=key_of(young)).update(expires_at=later + timedelta(hours=1))
    Arrival.objects.filter(key=key_of(old)).update(expires_at=timezone.now())
    assert sender.say("HEAD", old).status_code == 404
    assert sender.piece(old, len(content), b"").status_code == 404
    assert take_in(sender, case, old).status_code == 404
    assert DUTIES["sweep_uploads"] is sweep_uploads
    assert sweep_uploads(now=timezone.now()) == 1
    assert [path.name for path in settings.SPOOL_DIR.iterdir() if path.name == key_of(old)] == []
    assert sender.offset(young) == 0


def test_folders_that_nobody_knows_are_swept(sender: Sender) -> None:
    mine = sender.begin(10)
    Arrival.objects.filter(key=key_of(mine)).delete()  # a database that was restored from a backup
    assert sweep_uploads(now=timezone.now()) == 0
    later = timezone.now() + timedelta(hours=settings.UPLOAD_KEEP_HOURS + 1)
    assert sweep_uploads(now=later) >= 1
    assert not (settings.SPOOL_DIR / key_of(mine)).exists()


def test_the_oldest_gives_way(sender: Sender) -> None:
    first = sender.begin(10)
    others = [sender.begin(10) for _ in range(MOST_OPEN)]
    assert sender.say("HEAD", first).status_code == 404
    assert {sender.offset(address) for address in others} == {0}
    assert not (settings.SPOOL_DIR / key_of(first)).exists()


def test_the_name_is_kept_encrypted_and_without_folders(sender: Sender) -> None:
    address = sender.begin(3, "C/scans/施某某.jpg")
    assert Arrival.objects.get(key=key_of(address)).original_name == "施某某.jpg"
    with connection.cursor() as cursor:
        cursor.execute("SELECT original_name FROM ingest_arrival")
        assert "施某某" not in str(cursor.fetchone()[0])


def test_the_counter_finishes_with_the_answer_of_a_plain_upload(
    cast: Cast, case: Case, content: bytes
) -> None:
    clerk = signed_in(cast.clerk)
    address = clerk.whole(content)
    form = {"material": str(case.materials.get(position=2).pk), "arrived": key_of(address)}
    for words in ("接收", "没有重复收入"):
        answer = clerk.client.post(f"/cases/{case.number}/files/", form, headers={"X-Requested-With": "tray"})
        assert answer.status_code == 200
        assert words in answer.content.decode()
    assert [page.material.position for page in Page.objects.all() if page.material] == [2]
    stranger = signed_in(cast.other_clerk)
    assert stranger.client.post(f"/cases/{case.number}/files/", form).status_code == 404


def test_a_stack_may_come_in_pieces(cast: Cast, tmp_path: Path) -> None:
    content = scan(tmp_path / "SCAN_0001.pdf", [paper("甲"), paper("乙")]).read_bytes()
    clerk = signed_in(cast.clerk)
    form = {"arrived": key_of(clerk.whole(content))}
    for _ in range(2):
        answer = clerk.client.post("/unsorted/files/", form, headers={"X-Requested-With": "tray"})
        assert "2 页未归类" in answer.content.decode()
    assert Stack.objects.get().pages.count() == 2
