"""The shared scan generator and scorer, run as they are given."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
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
    return [_scan(folder, name) for name in json.loads((folder / "manifest.json").read_text())]


def _scan(folder: Path, name: str) -> Scan:
    facts: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return Scan(
        folder / f"{name}.jpg",
        facts["group"],
        (folder / f"{name}.txt").read_text(),
        [(kind, value) for kind, value in facts["fields"]],
        facts["deg"].get("rot", 0),
    )


def scorer() -> Callable[[str, str, Sequence[tuple[str, str]]], dict[str, Any]]:
    """The scorer's `page`; where rapidfuzz is not installed it counts with the plain edit distance below."""
    if importlib.util.find_spec("rapidfuzz") is None:
        stand_in = ModuleType("rapidfuzz.distance")
        stand_in.Levenshtein = PlainDistance  # type: ignore[attr-defined]
        sys.modules["rapidfuzz.distance"] = stand_in
        sys.modules["rapidfuzz"] = ModuleType("rapidfuzz")
    spec = importlib.util.spec_from_file_location("shared_score", shared("scans", "score.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page: Callable[[str, str, Sequence[tuple[str, str]]], dict[str, Any]] = module.page
    return page


class PlainDistance:
    """Levenshtein's distance by rows."""

    @staticmethod
    def distance(one: str, other: str) -> int:
        letters = np.array([ord(letter) for letter in other], np.int64)
        steps = np.arange(len(other) + 1)
        row = steps.copy()
        for number, letter in enumerate(one, start=1):
            changed = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(letter)))
            row = np.minimum.accumulate(np.concatenate(([number], changed)) - steps) + steps
        return int(row[-1])
