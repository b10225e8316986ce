"""`assemble SCANS OUT.pdf`: our assembly of scans whose text is already read."""

import time
from collections.abc import Sequence
from pathlib import Path

from bench.work.plan import plan_of
from dossier.assemble import assemble


def main(words: Sequence[str]) -> dict[str, object]:
    plan = plan_of(Path(words[0]))
    begun = time.monotonic()
    made = assemble(plan, Path(words[1]))
    return {"seconds": time.monotonic() - begun, "size": made.size}
