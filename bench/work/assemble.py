"""`assemble SCANS OUT.pdf [READ.json]`: our assembly of scans whose text is already read, else full of print."""

import time
from collections.abc import Sequence
from pathlib import Path

from bench.work.plan import plan_of
from dossier.assemble import assemble


def main(words: Sequence[str]) -> dict[str, object]:
    plan = plan_of(Path(words[0]), Path(words[2]) if len(words) > 2 else None)
    begun = time.monotonic()
    made = assemble(plan, Path(words[1]))
    return {"seconds": time.monotonic() - begun, "size": made.size}
