"""Anybody may have a file checked: an answer in plain words, nothing kept, and a brake."""

import subprocess
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

import dossier.services.public_checking as checking
from dossier.models import Dossier, DossierDownload
from dossier.services import countersign
from dossier.services.public_checking import Busy, TooLarge, check_for_anyone
from dossier.verify import Finding, Status, Verdict
from dossier.verify.words import Standing, in_plain_words
from registry.braking import TooOften
from registry.models import CallCount, Event
from storage.models import StoredObject
from tests.cast import NOW, Cast
from tests.dossier.cases import LATER, file_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
NONSENSE = b"%PDF-1.7 not really"


def upload(client: Client, content: bytes, **more: Any) -> Any:
    file = SimpleUploadedFile("张三的卷宗.pdf", content, content_type="application/pdf")
    return client.post("/check/", {"file": file}, **more)


def test_a_citizen_reads_who_sealed_it_and_that_it_was_not_changed(
    signed: Dossier, client: Client, tmp_path: Path
) -> None:
    page = client.get("/check/")
    assert page.status_code == 200
    assert "不需要登录" in page.text
    before = (
        Event.objects.count(),
        StoredObject.objects.count(),
        set(Path(tempfile.gettempdir()).glob("tongban-act-check-*")),
    )
    answer = upload(client, file_of(signed, tmp_path).read_bytes())
    assert answer.status_code == 200
    for words in (
        "可以相信这份文件。",
        "收件并盖章",
        "没有被改动",
        "与本系统存档的文件逐字节相同",
        signed.handling.case.number,
    ):
        assert words in answer.text
    assert signed.handling.case.applicant_name not in answer.text
    assert answer["Cache-Control"] == "no-store"
    after = (
        Event.objects.count(),
        StoredObject.objects.count(),
        set(Path(tempfile.gettempdir()).glob("tongban-act-check-*")),
    )
    assert after == before
    assert not DossierDownload.objects.exists()


def test_a_changed_file_is_refused_in_words(signed: Dossier, client: Client, tmp_path: Path) -> None:
    content = bytearray(file_of(signed, tmp_path).read_bytes())
    content[len(content) // 3] ^= 1
    answer = upload(client, bytes(content))
    assert "不要使用这份文件" in answer.text
    assert "重新索取原文件" in answer.text
    assert "可以相信" not in answer.text


def test_an_earlier_state_is_told_apart_from_the_newest(
    signed: Dossier, cast: Cast, client: Client, tmp_path: Path
) -> None:
    """A file cut back to its first signature is valid by itself: what is on record tells more."""
    first = file_of(signed, tmp_path).read_bytes()
    received = countersign(dossier=signed, actor=cast.officer, now=LATER)
    assert "不是最新的一份" in upload(client, first).text
    newest = upload(client, file_of(received, tmp_path).read_bytes()).text
    assert "可以相信这份文件" in newest
    assert "签收" in newest


@pytest.mark.parametrize("content", [NONSENSE, b"GIF89a" * 10, bytes(5000)])
def test_nonsense_gets_an_answer(client: Client, content: bytes) -> None:
    answer = upload(client, content)
    assert answer.status_code == 200
    assert "不要使用这份文件" in answer.text


def test_no_file_is_said_beside_the_field(client: Client) -> None:
    answer = client.post("/check/", {})
    assert (answer.status_code, "请选择要核验的 PDF 文件" in answer.text) == (409, True)


def test_who_asks_too_often_waits_and_others_do_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BRAKE", replace(checking.BRAKE, from_one=2))
    assert [upload(client, NONSENSE).status_code for _ in range(3)] == [200, 200, 429]
    assert "10 分钟后再试" in upload(client, NONSENSE).text
    assert upload(client, NONSENSE, REMOTE_ADDR="192.0.2.7").status_code == 200
    refused = client.post("/api/v1/verify", {"file": SimpleUploadedFile("x.pdf", NONSENSE)})
    assert (refused.status_code, refused.json()["code"]) == (503, "too-many-checks")


def test_behind_a_proxy_the_caller_is_whom_the_proxy_names(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(checking, "BRAKE", replace(checking.BRAKE, from_one=1))
    settings.CLIENT_ADDRESS_HEADER = "X-Real-IP"
    codes = [upload(client, NONSENSE, headers={"X-Real-IP": f"192.0.2.{n}"}).status_code for n in (1, 2, 1)]
    assert codes == [200, 200, 429]


def ask(now: datetime = NOW, size: int = 19) -> Verdict:
    return check_for_anyone(content=[NONSENSE], size=size, caller="192.0.2.1", now=now).verdict


def test_the_brake_is_released_and_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BRAKE", replace(checking.BRAKE, from_one=1))
    ask()
    with pytest.raises(TooOften):
        ask(NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=11)
    assert ask(later).status is Status.INVALID
    kept = list(CallCount.objects.order_by("caller"))
    assert [item.window > NOW for item in kept] == [True, True]
    assert not any("192.0.2.1" in item.caller for item in kept)


def test_everybody_together_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BRAKE", replace(checking.BRAKE, from_all=1))
    ask()
    with pytest.raises(TooOften):
        check_for_anyone(content=[NONSENSE], size=19, caller="192.0.2.2", now=NOW)


def test_only_so_many_are_parsed_at_once() -> None:
    with checking.parsing_place(), checking.parsing_place(), pytest.raises(Busy):
        ask()
    assert ask().status is Status.INVALID


def test_a_giant_is_refused_before_it_is_written_down() -> None:
    with pytest.raises(TooLarge):
        ask(size=(200 << 20) + 1)
    assert not CallCount.objects.exists()


def test_it_is_parsed_in_the_limited_child(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    real = subprocess.run

    def watch(command: list[str], **options: Any) -> Any:
        asked.append(command[1:])
        return real(command, **options)

    monkeypatch.setattr("dossier.verify.child.subprocess.run", watch)
    ask()
    assert asked == [["-m", "dossier.verify.child"]]


@pytest.mark.parametrize(
    ("status", "standing", "relies", "words"),
    [
        (Status.VALID, Standing.CURRENT, True, "可以相信"),
        (Status.VALID, Standing.EARLIER, True, "不是最新"),
        (Status.VALID, Standing.UNKNOWN, True, "印章有效"),
        (Status.UNTRUSTED, Standing.UNKNOWN, False, "不能确认"),
        (Status.UNSIGNED, Standing.UNKNOWN, False, "没有电子印章"),
        (Status.INVALID, Standing.CURRENT, False, "不要使用"),
    ],
)
def test_every_verdict_has_its_words(status: Status, standing: Standing, relies: bool, words: str) -> None:
    finding = Finding(
        "Other", "seal", "某局", None, time_proven=False, level="B-B", intact=True, trusted=True
    )
    answer = in_plain_words(Verdict(status, ("内容被改动。",), (finding,)), standing)
    assert (answer.may_rely, words in answer.title) == (relies, True)
    assert answer.sentences
