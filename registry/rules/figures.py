"""指标: what each rate counts, in words and as a pair of counts, and how it is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.terms import Term

FEWEST = 5
"""Below this many the counts are shown and no rate: one case more or less would turn it over."""
NONE = "—"


class Figure(Term):
    """The rates of the page."""

    ONLINE = "online", "全程网办率"
    SAME_DAY = "same_day", "当日即办率"
    PUNCTUAL = "punctual", "按期办结率"
    SATISFIED = "satisfied", "满意率"


@dataclass(frozen=True)
class Definition:
    """A rate in words: what is above the line, what is below, to which month it belongs, and where it comes from."""

    above: str
    below: str
    month: str
    source: str


DEFINITIONS: Mapping[Figure, Definition] = {
    Figure.ONLINE: Definition(
        "其中以“全程网办”方式收件的办件数",
        "提交审批部门的办件数（多地联办算一件，归牵头部门）",
        "提交的月份",
        "莆田 §一“网上可办率99%”；通知按事项计（见网上可办率），这里按实际办件计",
    ),
    Figure.SAME_DAY: Definition(
        "其中受理当天就作出决定的环节数",
        "作出决定的办理环节数（多地联办每个部门各算一个）",
        "作出决定的月份",
        "莆田 §一“当日即办率95%”",
    ),
    Figure.PUNCTUAL: Definition(
        "其中不晚于承诺办结日期（补正时暂停计时）作出决定的环节数",
        "作出决定的办理环节数",
        "作出决定的月份",
        "莆田 §四(二)“在承诺时限内做出审批决定”",
    ),
    Figure.SATISFIED: Definition(
        "其中非常满意、满意、基本满意的评价数",
        "申请人作出的评价数（每件至多一次）",
        "评价的月份",
        "诸暨 §五(三)、枣庄 §三(三)“好差评”",
    ),
}


class Dimension(Term):
    """By what the rates are told apart."""

    MONTH = "month", "月份"
    REGION = "region", "审批地区"
    OFFICE = "office", "审批部门"
    ITEM = "item", "事项"


@dataclass(frozen=True)
class Share:
    """`above` of `below`."""

    above: int = 0
    below: int = 0

    @property
    def permille(self) -> int | None:
        """In tenths of a percent, rounded down so that 100% means all; None where there are too few to say."""
        return self.above * 1000 // self.below if self.below >= FEWEST else None

    @property
    def percent(self) -> str:
        """“98.5%”, or “—” where nothing or too little is below the line."""
        rate = self.permille
        return NONE if rate is None else shown(rate)

    @property
    def counts(self) -> str:
        return f"{self.above}/{self.below}" if self.below else ""

    def __add__(self, other: "Share") -> "Share":
        return Share(self.above + other.above, self.below + other.below)


def shown(permille: int) -> str:
    """“98.5%”"""
    return f"{permille // 10}.{permille % 10}%"


@dataclass(frozen=True)
class Row:
    """One month, region, office or item with its four rates."""

    key: str
    label: str
    shares: Mapping[Figure, Share]

    def share(self, figure: Figure) -> Share:
        return self.shares.get(figure, Share())


def total_of(rows: list[Row]) -> Row:
    """All rows together. Every case, decision and grade stands in exactly one of them."""
    shares = {figure: sum((row.share(figure) for row in rows), Share()) for figure in Figure}
    return Row("", "合计", shares)
