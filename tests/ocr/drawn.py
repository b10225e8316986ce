"""The pages of a seed, for several tests: drawn once in a run."""

import json

from tests.conftest import SERVERS
from tests.ocr.scans import Scan, generate, scan_of

UNTUNED = 90210
"""A seed that nothing was tuned to."""


def generated(seed: int) -> list[Scan]:
    """The 35 pages of a seed; skips where the generator's fonts are not installed."""
    folder = SERVERS.folder / f"scans-{seed}"
    with SERVERS.alone(folder.name):
        # The list of pages is written last.
        if not (folder / "manifest.json").exists():
            generate(folder, seed)
    return [scan_of(folder, name) for name in json.loads((folder / "manifest.json").read_text())]
