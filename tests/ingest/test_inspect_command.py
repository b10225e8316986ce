"""`manage.py inspect` as operators and scripts call it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.ingest import hostile
from tests.shared import ROOT


def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "inspect", *arguments],
        cwd=ROOT,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_lists_each_file_and_the_status_tells_of_refusals(tmp_path: Path) -> None:
    poison = hostile.pdf_with_poison(tmp_path / "poison.pdf")
    empty = tmp_path / "empty.pdf"
    empty.touch()
    done = run("--json", str(poison), str(empty))
    good, bad = json.loads(done.stdout)
    assert done.returncode == 1
    assert set(good) == set(bad) == {"file", "verdict", "reason", "pages", "removed"}
    assert (good["file"], good["verdict"], good["pages"]) == (str(poison), "accepted", 1)
    assert "JavaScript 脚本" in good["removed"]
    assert (bad["verdict"], bad["pages"], bad["removed"]) == ("refused", 0, [])


def test_all_good_is_status_zero_and_readable(tmp_path: Path) -> None:
    done = run(str(hostile.jpeg(tmp_path / "scan.jpg")), "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "收下" in done.stdout
    assert (tmp_path / "out" / "001-scan" / "0001.jpg").is_file()


def test_a_password_comes_through_standard_input(tmp_path: Path) -> None:
    locked = hostile.locked_pdf(tmp_path / "locked.pdf", "geheim")
    assert run("--password-stdin", str(locked), typed="geheim\n").returncode == 0


def test_wrong_usage_is_status_two() -> None:
    assert run().returncode == 2
    assert run("--no-such-option", "x").returncode == 2
