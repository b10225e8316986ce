"""The proof bundle, checked the way its own page tells: with sha256sum, qpdf and openssl, and nothing of ours."""

import html
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from dossier.models import Dossier, DossierDownload
from dossier.services import countersign, proof_bundle
from ingest.models import Handling
from registry.permissions import NotYours
from tests.cast import Cast
from tests.dossier.cases import LATER, body, file_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
BLOCK = re.compile(r"^## \d+\. (.+?)$.*?^```sh\n(.+?)\n```$", re.MULTILINE | re.DOTALL)
CRYPTOGRAPHY = re.compile(r"签名和它覆盖的字节|的签章有效|时间戳证明|文件时间戳有效")


@pytest.fixture
def received(signed: Dossier, cast: Cast) -> Dossier:
    """Sealed by the window and signed for by the office: two seals, two document timestamps."""
    return countersign(dossier=signed, actor=cast.officer, now=LATER)


@pytest.fixture
def unpacked(received: Dossier, cast: Cast, tmp_path: Path) -> Path:
    target = tmp_path / "proof.zip"
    proof_bundle(dossier=received, actor=cast.officer, now=LATER, target=target)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(target) as bundle:
        assert bundle.testzip() is None
        bundle.extractall(folder)
    return folder


def guide(folder: Path) -> list[tuple[str, str]]:
    """Title and commands of every step, as a reader copies them from the page."""
    return BLOCK.findall((folder / "VERIFY.md").read_text())


def follow(folder: Path, commands: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-eu", "-c", commands], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def failures(folder: Path) -> list[str]:
    return [title for title, commands in guide(folder) if follow(folder, commands).returncode != 0]


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_every_step_of_the_page_succeeds(unpacked: Path, received: Dossier, tmp_path: Path) -> None:
    assert (unpacked / "dossier.pdf").read_bytes() == file_of(received, tmp_path).read_bytes()
    told = {title: follow(unpacked, commands) for title, commands in guide(unpacked)}
    assert {title: done.stderr for title, done in told.items() if done.returncode} == {}
    said = "".join(done.stdout + done.stderr for done in told.values())
    assert said.count("CMS Verification successful") == 2
    assert said.count("Verification: OK") == 4  # two attached to the seals, two over the document
    assert "events: OK" in said


def test_both_pages_say_the_same_commands_in_two_languages(unpacked: Path) -> None:
    page = (unpacked / "VERIFY.html").read_text()
    shown = [html.unescape(block) for block in re.findall(r"<pre>(.+?)</pre>", page, re.DOTALL)]
    assert shown == [commands for _, commands in guide(unpacked)]
    assert "如何自行核验这份卷宗" in page
    assert "How to verify this dossier yourself" in page


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_a_flipped_byte_of_the_pdf_fails_the_cryptography_not_only_the_checksum(
    unpacked: Path, share: float
) -> None:
    pdf = unpacked / "dossier.pdf"
    flip(pdf, int(pdf.stat().st_size * share))
    broken = failures(unpacked)
    assert broken[0].startswith("文件齐全")
    assert any(CRYPTOGRAPHY.search(title) for title in broken)
    assert any("办件经过里记着" in title for title in broken)


def test_a_forged_seal_fails(unpacked: Path) -> None:
    """The signature value itself, in the PDF and beside it alike."""
    for name in ("signatures/1.p7s", "timestamps/2.tst"):
        path = unpacked / name
        flip(path, path.stat().st_size - 10)
    broken = failures(unpacked)
    assert any(title.startswith("第 1 处") for title in broken)
    assert any(title.startswith("第 2 处：文件时间戳") for title in broken)


def test_bytes_after_the_end_fail(unpacked: Path) -> None:
    with (unpacked / "dossier.pdf").open("ab") as file:
        file.write(b"\n%%EOF\n")
    assert "最后一处签名之后没有别的内容" in failures(unpacked)


@pytest.mark.parametrize("change", ["edit", "remove", "swap"])
def test_a_touched_log_fails(unpacked: Path, change: str) -> None:
    path = unpacked / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    if change == "edit":
        lines[1] = lines[1].replace("2026", "2025", 1)
    elif change == "remove":
        del lines[1]
    else:
        lines[1], lines[2] = lines[2], lines[1]
    path.write_text("".join(lines))
    assert "办件经过没有被改动" in failures(unpacked)


def test_only_the_pdf_holds_personal_data(unpacked: Path, handling: Handling) -> None:
    case = handling.case
    others = [path for path in unpacked.rglob("*") if path.is_file() and path.name != "dossier.pdf"]
    text = "".join(path.read_bytes().decode("utf-8", "replace") for path in others)
    for secret in (
        case.applicant_name,
        case.applicant_id_number,
        case.applicant_phone,
        case.applicant_address,
        "张三",
    ):
        assert secret not in text
    events = [json.loads(line) for line in (unpacked / "events.jsonl").read_text().splitlines()]
    assert events[-1]["entry"]["kind"] == "dossier.downloaded"  # the log tells of this very bundle


def test_it_is_for_whom_the_file_is_and_on_record(received: Dossier, cast: Cast, tmp_path: Path) -> None:
    for stranger in (cast.clerk, cast.other_officer, cast.finance, cast.administrator, cast.auditor):
        with pytest.raises(NotYours):
            proof_bundle(dossier=received, actor=stranger, now=LATER, target=tmp_path / "x.zip")
    assert not list(tmp_path.glob("x*"))
    proof_bundle(dossier=received, actor=cast.officer, now=LATER, target=tmp_path / "1.zip")
    assert DossierDownload.objects.get().purpose == "证明包"


def test_over_the_wire(signed: Dossier, officer: Client, client: Client, cast: Cast) -> None:
    answer = officer.get(f"/api/v1/dossiers/{signed.pk}/proof")
    content = body(answer)
    assert (answer.status_code, answer["Content-Type"], content[:2]) == (200, "application/zip", b"PK")
    assert answer["Content-Disposition"] == f'attachment; filename="dossier-{signed.pk}-v1-proof.zip"'
    page = officer.get(f"/dossiers/{signed.pk}/proof.zip")
    assert body(page)[:2] == b"PK"


def test_strangers_find_no_bundle(signed: Dossier, client: Client) -> None:
    assert client.get(f"/api/v1/dossiers/{signed.pk}/proof").status_code == 401


def test_the_command(signed: Dossier, tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    call_command("proof_bundle", signed.handling.case.number, "-o", str(target))
    with zipfile.ZipFile(target) as bundle:
        assert "VERIFY.html" in bundle.namelist()
    assert DossierDownload.objects.get().actor_label == "系统"
    with pytest.raises(SystemExit) as ended:
        call_command("proof_bundle", "none", "-o", str(target))
    assert ended.value.code == 2
