"""The alternatives, installed as locked into an environment of their own, so that they share nothing with us."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.benchmarks import Missing
from bench.processes import ROOT

FOLDER = ROOT / ".venv-bench"
LOCK = ROOT / "requirements" / "bench.txt"
TAIL = 800


def python(say: Callable[[str], None]) -> Path:
    """The peers' interpreter; made on first use. Raises Missing."""
    interpreter = FOLDER / "bin" / "python"
    stamp = FOLDER / ".locked"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if interpreter.exists() and stamp.exists() and stamp.read_text() == wanted:
        return interpreter
    say("installing the peers into .venv-bench")
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise Missing("uv is not installed; run scripts/setup")
    stamp.unlink(missing_ok=True)
    _do([uv, "venv", "-q", "--clear", "--python", sys.executable, FOLDER])
    # --no-deps: the lock lists everything; nothing else may come in.
    _do([uv, "pip", "install", "-q", "--python", interpreter, "--require-hashes", "--no-deps", "-r", LOCK])
    stamp.write_text(wanted)
    return interpreter


def command(name: str, say: Callable[[str], None]) -> Path:
    """One of the peers' commands. Raises Missing."""
    found = python(say).with_name(name)
    if not found.exists():
        raise Missing(f"{name} is not in .venv-bench; delete that folder and run again")
    return found


def needs(program: str, package: str) -> str:
    """A program of the operating system. Raises Missing naming its Debian package."""
    found = shutil.which(program)
    if found is None:
        raise Missing(f"{program} is not installed (Debian package: {package})")
    return found


def _do(words: list[str | Path]) -> None:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise Missing(f"the peers could not be installed: {done.stderr.strip()[-TAIL:]}")
