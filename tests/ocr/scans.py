"""The shared scan generator and scorer, run as they are given."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.shared import shared


@dataclass(frozen=True)
class Scan:
    """One generated page with what stands on it."""

    path: Path
    group: str
    truth: str
    fields: list[tuple[str, str]]
    lies: int


def generate(folder: Path, seed: int) -> list[Scan]:
    """Make the 35 pages of a seed; skips where the generator's fonts are not installed."""
    script = shared("scans", "generate.py")
    made = subprocess.run(
        [sys.executable, str(script), str(folder), str(seed)], capture_output=True, text=True, check=False
    )
    if "cannot open resource" in made.stderr:
        pytest.skip("the fonts of the scan generator are not installed")
    assert made.returncode == 0, made.stderr
    return [scan_of(folder, name) for name in json.loads((folder / "manifest.json").read_text())]


def scan_of(folder: Path, name: str) -> Scan:
    facts: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return Scan(
        folder / f"{name}.jpg",
        facts["group"],
        (folder / f"{name}.txt").read_text(),
        [(kind, value) for kind, value in facts["fields"]],
        facts["deg"].get("rot", 0),
    )


@cache
def scoring() -> Any:
    """The shared scorer as it is given: `norm`, `core` and `page`."""
    spec = importlib.util.spec_from_file_location("shared_score", shared("scans", "score.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scorer() -> Callable[[str, str, Sequence[tuple[str, str]]], dict[str, Any]]:
    """The scorer's `page`."""
    page: Callable[[str, str, Sequence[tuple[str, str]]], dict[str, Any]] = scoring().page
    return page
