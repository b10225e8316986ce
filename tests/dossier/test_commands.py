"""The one-shot commands: what they answer and how they exit."""

import json
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

from dossier.sealing import installation_trust
from dossier.sign import system_clock
from dossier.verify import verify
from tests.dossier.paper import SealOffice, draw_page
from tests.verapdf import assert_pdfa


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        call_command(*(str(item) for item in arguments))
    return int(str(ended.value.code)), capsys.readouterr().out


def test_a_valid_file_answers_zero(
    capsys: pytest.CaptureFixture[str], countersigned: Path, seals: SealOffice
) -> None:
    code, told = run(capsys, "verify_dossier", countersigned, "--trust", seals.authority.roots_file)
    assert code == 0
    assert told.startswith("有效")
    assert "清单与" in told


def test_a_changed_file_answers_one_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, countersigned: Path, seals: SealOffice
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(countersigned.read_bytes() + b"junk")
    code, told = run(capsys, "verify_dossier", bad, "--trust", seals.authority.roots_file, "--json")
    answer = json.loads(told)
    assert code == 1
    assert (answer["status"], answer["valid"]) == ("invalid", False)
    assert answer["reasons"]


def test_the_dossier_of_another_case_answers_one(
    capsys: pytest.CaptureFixture[str], countersigned: Path, seals: SealOffice
) -> None:
    trust = ("--trust", seals.authority.roots_file, "--case-number")
    assert run(capsys, "verify_dossier", countersigned, *trust, "330681-2026-000001")[0] == 0
    code, told = run(capsys, "verify_dossier", countersigned, *trust, "330681-2026-000002")
    assert code == 1
    assert "这不是本办件的卷宗：办件编号不一致。" in told


@pytest.mark.parametrize("level", ["none", "B-LTA"])
def test_a_dossier_replaces_the_one_before_whole_or_not_at_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    page = draw_page(tmp_path / "a.jpg", lines=("第一页",))
    out = tmp_path / "out" / "dossier.pdf"
    out.parent.mkdir()
    out.write_bytes(b"the one before")

    def full(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dossier.management.commands.dossier.shutil.copyfile", full)
        with pytest.raises(OSError, match="No space"):
            call_command("dossier", str(page.path), "-o", str(out), "--sign", level, "--jobs", "1")
    assert [path.name for path in out.parent.iterdir()] == ["dossier.pdf"]
    assert out.read_bytes() == b"the one before"
    assert run(capsys, "dossier", page.path, "-o", out, "--sign", level, "--jobs", "1")[0] == 0
    assert out.read_bytes().startswith(b"%PDF-1.7")


def test_a_missing_file_answers_two(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "verify_dossier", tmp_path / "none.pdf")[0] == 2
    assert run(capsys, "dossier", tmp_path / "none.jpg", "-o", tmp_path / "x.pdf")[0] == 2


def test_scans_become_a_searchable_signed_dossier(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = draw_page(tmp_path / "申请表.jpg", lines=("本人申请办理建筑业企业资质变更登记",))
    broken = tmp_path / "broken.pdf"
    broken.write_text("not a PDF at all")
    out = tmp_path / "out.pdf"
    code, told = run(capsys, "dossier", page.path, broken, "-o", out, "--jobs", "1", "--json")
    report = json.loads(told)
    assert code == 1  # one file was refused, and the report says which
    assert [entry["file"] for entry in report["refused"]] == [str(broken)]
    assert (report["made"], report["verdict"], report["pages"]) == (True, "valid", 4)
    text = subprocess.run(["pdftotext", str(out), "-"], capture_output=True, text=True, check=True).stdout
    assert "本人申请办理建筑业企业资质变更登记" in text
    assert verify(out, trust=installation_trust(), moment=system_clock()).is_valid
    assert_pdfa(out)
