"""`seal_twice UNSIGNED.pdf SEALED.pdf`: the window's seal and the office's receipt."""

from collections.abc import Sequence
from pathlib import Path

from bench.work.seals import seal_ours
from dossier.contents import OFFICE_RECEIPT, WINDOW_SEAL


def main(words: Sequence[str]) -> dict[str, object]:
    source, target = map(Path, words)
    once = target.with_suffix(".once.pdf")
    seal_ours(source, once, WINDOW_SEAL)
    seal_ours(once, target, OFFICE_RECEIPT)
    once.unlink()
    return {"size": target.stat().st_size}
