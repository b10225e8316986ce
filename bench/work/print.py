"""Print for pages whose text is "already read": the wording of the demonstration's own papers, cut into lines."""

import re
from functools import cache

from bench.processes import ROOT

PAPERS = ROOT / "config" / "demo" / "samples" / "papers"


def lines_of_print(number: int, *, lines: int = 28, width: int = 30) -> list[str]:
    """As much text as stands on a full page; another stretch of it on each page."""
    text = _wording()
    start = number * 211 % len(text)  # a prime, so that pages begin everywhere
    stretch = (text + text)[start : start + lines * width]
    return [stretch[at : at + width] for at in range(0, len(stretch), width)]


@cache
def _wording() -> str:
    pages = [path.read_text(encoding="utf-8") for path in sorted(PAPERS.glob("*.html"))]
    without_style = [
        re.sub(r"<style.*?</style>|<[^>]*>|\{[^}]*\}|\$\w*", "", page, flags=re.DOTALL) for page in pages
    ]
    return re.sub(r"\s+", "", "".join(without_style))
