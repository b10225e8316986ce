"""A plan in, an unsigned PDF/A-3b dossier out: the same plan gives the same bytes."""

import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from dossier.assemble.assembler import Assembler
from dossier.assemble.slips import SlipFile
from dossier.assemble.writer import StreamingWriter
from dossier.contents import Assembled, DossierPlan
from dossier.fonts import Typefaces, installed_typefaces

__all__ = ["assemble"]


def assemble(
    plan: DossierPlan,
    target: Path,
    *,
    typefaces: Typefaces | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> Assembled:
    """Write the dossier to `target`, whole or not at all.

    `progress` hears how many captured pages are done. Memory does not grow with the pages' bytes.
    Raises PageDamaged, SlipUnreadable, FontMissing (all Refused).
    """
    partial = target.with_name(target.name + ".partial")
    slips = [SlipFile(slip.path) for slip in plan.slips]
    try:
        with partial.open("wb") as file:
            writer = StreamingWriter(file)
            assembler = Assembler(plan, writer, slips, typefaces or installed_typefaces())
            with closing(assembler):
                root = assembler.write(progress)
            digest = writer.finish(root, identity=_identity(plan))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        for slip in slips:
            slip.close()
        partial.unlink(missing_ok=True)
    return Assembled(
        path=target,
        page_count=assembler.page_count,
        sha256=digest,
        size=writer.size,
        leaves=tuple(assembler.leaves),
    )


def _identity(plan: DossierPlan) -> bytes:
    """The file's /ID: fixed by what the dossier is, not by when the machine made it."""
    parts = [
        plan.case_number,
        str(plan.version),
        plan.made_at.isoformat(),
        *(page.sha256 for page in plan.pages()),
    ]
    return hashlib.sha256("\n".join(parts).encode()).digest()[:16]
