"""How a scanned stack falls apart: which page follows which separator sheet. Plain values, no database.

The one thing that must not happen is that a paper lands in somebody else's case. So whatever stands where a separator
should, and is not a good one, ends the run of the sheet before it: the pages behind wait in the tray.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from registry.tokens import ForeignCode, ForgedCode, Purpose, Token


class Why(StrEnum):
    """Why a page has no home; the words are the clerk's (see `WHY`)."""

    NO_SHEET = "no_sheet"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    FORGED = "forged"
    SEVERAL = "several"
    ELSEWHERE = "elsewhere"
    CLOSED = "closed"
    BLANK = "blank"


WHY: dict[str, str] = {
    Why.NO_SHEET: "前面没有分隔页",
    Why.UNREADABLE: "前面的分隔页读不出二维码",
    Why.FOREIGN: "前面的分隔页不是本系统打印的",
    Why.FORGED: "前面的分隔页二维码校验不通过",
    Why.SEVERAL: "前面的分隔页上有几个不同的二维码",
    Why.ELSEWHERE: "前面的分隔页不属于本窗口的办件",
    Why.CLOSED: "分隔页所属的办件已提交，不再收材料",
    Why.BLANK: "空白页",
}


@dataclass(frozen=True)
class Seen:
    """What was seen on one page: bars of a separator sheet, texts of codes, nothing at all."""

    barred: bool
    texts: tuple[str, ...]
    blank: bool


@dataclass(frozen=True)
class Fate:
    """`home` is a material's identifier; without one and without `separator` the page waits, `why` says why."""

    home: str = ""
    separator: bool = False
    why: str = ""


def sort_pages(
    pages: Iterable[Seen], *, check: Callable[[str], Token], homes: Callable[[str], Why | None]
) -> Iterator[Fate]:
    """The fate of each page, in order.

    `check` reads a code as `registry.tokens.check` does; `homes` says of a material's identifier why it cannot be a
    home, or None.
    """
    home = ""
    why: Why = Why.NO_SHEET
    for page in pages:
        sheet = _sheet(page, check)
        if sheet is not None:
            refused = sheet if isinstance(sheet, Why) else homes(sheet.identifier)
            home = "" if refused or isinstance(sheet, Why) else sheet.identifier
            why = refused or why
            yield Fate(separator=True, why=refused or "")
        elif page.blank and not home:
            yield Fate(why=Why.BLANK)
        else:
            yield Fate(home=home, why="" if home else why)


def _sheet(page: Seen, check: Callable[[str], Token]) -> Token | Why | None:
    """The token of a separator sheet, what is wrong with it, or None for an ordinary page.

    Ordinary papers bear codes, too: licences those of others, slips and labels ours. Only bars make a page with such
    a code a separator; a material's code does so by itself, for it is printed on nothing else.
    """
    tokens: dict[str, Token] = {}
    wrong: set[Why] = set()
    for text in page.texts:
        try:
            token = check(text)
        except ForeignCode:
            wrong.add(Why.FOREIGN)
        except ForgedCode:
            wrong.add(Why.FORGED)
        else:
            if token.purpose is Purpose.MATERIAL:
                tokens[token.identifier] = token
            else:
                wrong.add(Why.FOREIGN)
    if len(tokens) > 1:
        return Why.SEVERAL
    if tokens:
        return next(iter(tokens.values()))
    if not page.barred:
        return None
    return Why.FORGED if Why.FORGED in wrong else Why.FOREIGN if wrong else Why.UNREADABLE
