"""scripts/setup: what it says, and that it does nothing the second time."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shared import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The script with its locks in another folder; its environment holds nothing but what a test puts there."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup", tmp_path / "scripts")
    (tmp_path / "requirements").mkdir()
    for name in ("dev.txt", "bootstrap.txt"):
        (tmp_path / "requirements" / name).write_text("")
    return tmp_path


def setup(clone: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(clone / "scripts" / "setup"), *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def programs(folder: Path, **scripts: str) -> Path:
    """A folder with the machine's own programs, some of them replaced."""
    folder.mkdir()
    for name in (
        "bash",
        "cat",
        "cut",
        "dirname",
        "env",
        "head",
        "id",
        "printf",
        "sed",
        "sha256sum",
        "tr",
        "python3",
    ):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    for name, script in scripts.items():
        program = folder / name.replace("_", "-")
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return folder


def test_a_machine_that_is_ready_is_left_alone(clone: Path, tmp_path: Path) -> None:
    """Nothing is said, no package manager is called, and the environment is not touched."""
    (clone / ".venv").symlink_to(ROOT / ".venv")
    stamp = ROOT / ".venv" / ".locked"
    before = stamp.read_text()
    for name in ("dev.txt", "bootstrap.txt"):
        shutil.copy(ROOT / "requirements" / name, clone / "requirements")
    called = tmp_path / "called"
    path = programs(
        tmp_path / "front", apt_get=f"echo apt-get >> {called}; exit 1", sudo=f"echo sudo >> {called}; exit 1"
    )
    touched = stamp.stat().st_mtime_ns
    done = setup(clone, "demo", PATH=f"{path}:{os.environ['PATH']}")
    assert not called.exists()
    assert stamp.stat().st_mtime_ns == touched
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stamp.read_text() == before


def test_without_the_right_to_install_it_prints_the_line_to_type(clone: Path, tmp_path: Path) -> None:
    path = programs(
        tmp_path / "bin", dpkg_query="echo 'ii qpdf'", apt_get="exit 1", sudo="exit 1", id="echo 1000"
    )
    done = setup(clone, "demo", PATH=str(path))
    assert done.returncode == 2
    assert (
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server" in done.stderr
    )
    assert "tesseract-ocr-chi-sim" in done.stderr
    assert "qpdf" not in done.stderr
    assert not (clone / ".venv").exists()


def test_as_root_it_updates_and_installs_what_is_missing_and_starts_no_server(
    clone: Path, tmp_path: Path
) -> None:
    path = programs(
        tmp_path / "bin",
        dpkg_query="cat " + str(tmp_path / "installed"),
        apt_get=f'echo "$DEBIAN_FRONTEND $*" >> {tmp_path}/asked; exit 1',
        id="echo 0",
    )
    for name in ("mktemp", "tail", "rm", "chmod"):
        (path / name).symlink_to(str(shutil.which(name)))
    (tmp_path / "installed").write_text("ii poppler-utils\nrc fontconfig\n")
    policy = tmp_path / "policy-rc.d"
    done = setup(clone, "demo", PATH=str(path), POLICY_RC_D=str(policy))
    assert done.returncode != 0, "apt-get failed, so the machine is not ready"
    assert (tmp_path / "asked").read_text() == "noninteractive update -q\n"

    (path / "apt-get").write_text(f'#!/bin/sh\n{policy}; echo "$? $*" >> {tmp_path}/asked\n')
    setup(clone, "demo", PATH=str(path), POLICY_RC_D=str(policy))
    assert not policy.exists()
    asked = (tmp_path / "asked").read_text().splitlines()[-1]
    assert asked.startswith("101 install -q -y --no-install-recommends ")
    assert "fontconfig" in asked.split(), "removed, with only its configuration left"
    assert "poppler-utils" not in asked.split()


def test_an_unknown_word_is_refused(clone: Path) -> None:
    done = setup(clone, "everything")
    assert done.returncode == 2
    assert "demo or test" in done.stderr
