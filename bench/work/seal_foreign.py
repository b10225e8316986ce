"""`seal_foreign IN.pdf OUT.pdf`: the last step of the glued alternative, pyHanko on a file without fields."""

from collections.abc import Sequence
from pathlib import Path

from bench.work.seals import seal_by_pyhanko


def main(words: Sequence[str]) -> dict[str, object]:
    source, target = map(Path, words)
    seal_by_pyhanko(source, target, "Seal", new=True)
    return {"size": target.stat().st_size}
