"""Which column of a courier's statement means what: header names as data, found below whatever stands on top.

Names come from EMS exports (42 columns), SF monthly bills and generic statements; own names can be
added once and are remembered.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.sheets.limits import Row
from registry.terms import Term
from storage.errors import Refused

HEADER_WITHIN_ROWS = 40
_MOST_SEEN = 80


class Column(Term):
    """What a statement column can tell us."""

    WAYBILL = "waybill", "运单号"
    AMOUNT = "amount", "金额"
    POSTED_ON = "posted_on", "收寄日期"
    WEIGHT = "weight", "计费重量"
    FREIGHT = "freight", "运费"
    OTHER = "other", "其他费"
    TERM = "term", "付款方式"
    ACCOUNT = "account", "结算账号"
    KIND = "kind", "费用类型"
    CURRENCY = "currency", "币种"
    VERSION = "version", "费用版本"
    PRODUCT = "product", "产品"
    DESTINATION = "destination", "寄达地"


REQUIRED = (Column.WAYBILL, Column.AMOUNT)

# In order of preference: the first name found wins, so that 应付金额 beats 费用 and 合计费用 beats 邮资.
ALIASES: Mapping[Column, tuple[str, ...]] = {
    Column.WAYBILL: (
        "邮件号",
        "运单号码",
        "运单号",
        "运单编号",
        "快递单号",
        "邮件号码",
        "单号",
        "面单号",
        "mailno",
    ),
    Column.AMOUNT: (
        "应付金额",
        "应收费用",
        "合计费用",
        "应付",
        "结算金额",
        "结算邮资",
        "费用合计",
        "总金额",
        "总费用",
        "费用",
        "结算运费",
        "邮资",
        "运费",
        "金额",
    ),
    Column.POSTED_ON: ("收寄日期", "寄件时间", "寄件日期", "收寄时间", "扫描时间", "业务日期", "日期"),
    Column.WEIGHT: ("计费重量", "结算重量", "重量", "实重", "实际重量"),
    Column.FREIGHT: ("邮资", "结算邮资", "运费", "结算运费"),
    Column.OTHER: ("其他费", "其他费用", "附加费合计", "其他资费"),
    Column.TERM: ("付款方式", "收款情况", "结算方式", "支付方式"),
    Column.ACCOUNT: (
        "大客户",
        "客户号",
        "协议客户号",
        "协议客户",
        "月结卡号",
        "月结账号",
        "客户代码",
        "结算账号",
        "子公司卡号",
    ),
    Column.KIND: ("费用类型", "费用项目", "费用名称"),
    Column.CURRENCY: ("币种", "货币"),
    Column.VERSION: ("版本号", "费用版本"),
    Column.PRODUCT: ("产品类型", "产品", "业务种类", "产品名称"),
    Column.DESTINATION: ("寄达地", "到件地区", "目的地", "对方地区", "计费省份"),
}
_UNIT = re.compile(r"\(([^)]*)\)")
_GRAMS = {"克", "g"}
_KILOGRAMS = {"公斤", "千克", "kg"}


@dataclass(frozen=True)
class Layout:
    """Where the columns stand. `grams` is what one unit of the weight column weighs.

    `first_row` is the first row below the header; `headers` are the names as printed, by position.
    """

    first_row: int
    places: Mapping[Column, int]
    headers: tuple[str, ...]
    grams: int
    unknown: tuple[str, ...] = field(default=())

    def cell(self, row: Row, column: Column) -> str:
        """The text of a column in a row; "" when the statement has no such column or the row is shorter."""
        place = self.places.get(column)
        return row[place] if place is not None and place < len(row) else ""

    def as_data(self) -> dict[str, str]:
        """Column → printed name, to be kept with the statement."""
        return {column.value: self.headers[place] for column, place in self.places.items()}


class MissingColumn(Refused):
    """A statement without a column that nobody can do without; `nearest` is what could be understood of its header."""

    CODE = "missing_column"
    EMPTY = "empty_table"

    def __init__(self, code: str, message: str, nearest: Layout | None = None) -> None:
        super().__init__(code, message)
        self.nearest = nearest


def find_layout(rows: Iterable[tuple[int, Row]], own_names: Mapping[str, str] | None = None) -> Layout:
    """Find the header among the first rows; it may spread over two. `own_names`: printed name → column value.

    Raises MissingColumn with the nearest miss in words.
    """
    best: Layout | None = None
    above: Row = ()
    for position, (number, row) in enumerate(rows):
        if position >= HEADER_WITHIN_ROWS:
            break
        for names in (tuple(row), _joined(above, row)):
            layout = _layout(number + 1, names, own_names or {})
            if best is None or _worth(layout) > _worth(best):
                best = layout
        above = row
    if best is None:
        raise MissingColumn(MissingColumn.EMPTY, "对账单里没有数据，请重新下载后再导入。")
    missing = [column for column in REQUIRED if column not in best.places]
    if missing:
        raise _missing(missing, best)
    return best


def _layout(first_row: int, names: Sequence[str], own_names: Mapping[str, str]) -> Layout:
    plain = [_plain(name) for name in names]
    own = {_plain(name): value for name, value in own_names.items()}
    places: dict[Column, int] = {}
    for column in Column:
        mine = [name for name, value in own.items() if value == column.value]
        wanted = next((name for name in (*mine, *ALIASES[column]) if name in plain), None)
        if wanted is not None:
            places[column] = plain.index(wanted)
    # Freight that is the billed amount itself says nothing about the sum of parts.
    if places.get(Column.FREIGHT) == places.get(Column.AMOUNT):
        places.pop(Column.FREIGHT, None)
    known = {name for column in Column for name in ALIASES[column]} | set(own)
    return Layout(
        first_row=first_row,
        places=places,
        headers=tuple(name.strip() for name in names),
        grams=_grams(names, places, plain),
        unknown=tuple(
            name.strip() for name, bare in zip(names, plain, strict=True) if bare and bare not in known
        ),
    )


def _worth(layout: Layout) -> tuple[int, int]:
    return sum(column in layout.places for column in REQUIRED), len(layout.places)


def _joined(above: Row, below: Row) -> tuple[str, ...]:
    """A header of two rows: the lower name where there is one, else the upper one it was merged from."""
    width = max(len(above), len(below))
    upper = [*above, *[""] * (width - len(above))]
    lower = [*below, *[""] * (width - len(below))]
    return tuple(low or high for high, low in zip(upper, lower, strict=True))


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).strip().lower()
    return re.sub(r"[\s*:]", "", _UNIT.sub("", text))


def _grams(names: Sequence[str], places: Mapping[Column, int], plain: Sequence[str]) -> int:
    """The unit in the header; without one, EMS tables (邮件号) weigh in grams and all others in kilograms."""
    place = places.get(Column.WEIGHT)
    if place is None:
        return 1
    header = unicodedata.normalize("NFKC", names[place]).lower()
    units = {unit.strip() for unit in _UNIT.findall(header)}
    if units & _GRAMS:
        return 1
    if units & _KILOGRAMS:
        return 1000
    return 1 if "邮件号" in plain else 1000


def _missing(missing: Sequence[Column], best: Layout) -> MissingColumn:
    names = "、".join(f"“{column.label}”" for column in missing)
    known = "、".join(ALIASES[missing[0]][:4])
    seen = "、".join(name for name in best.headers if name)
    seen = seen if len(seen) <= _MOST_SEEN else f"{seen[:_MOST_SEEN]}…"
    if not best.places:
        return MissingColumn(
            MissingColumn.CODE,
            f"没有找到表头，缺少{names}列；请让承运商提供带表头的明细（如：{known}）。",
            best,
        )
    return MissingColumn(
        MissingColumn.CODE,
        f"对账单缺少{names}列（可识别的名称如：{known}）；现有列：{seen}。请补上该列或先设置列名对应关系后重新导入。",
        best,
    )
