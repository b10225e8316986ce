"""Money as integer fen: reading it from text, writing it as yuan, and dividing it without losing a fen."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from registry.sheets.limits import SPREADSHEET
from storage.errors import Refused

LARGEST_FEN = 10**15

# Almost every amount there is: no way round needed.
_SIMPLE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


class NotMoney(Refused):
    """Text that is not an exact amount in yuan and fen."""


def fen_of(text: str) -> int:
    """The fen of a text in yuan: "12.30", "￥1,234.5", "(0.80)", "-3 元". Raises NotMoney."""
    simple = _SIMPLE.fullmatch(text)
    if simple:
        return int(simple[1]) * 100 + int((simple[2] or "").ljust(2, "0"))
    plain, negative = _bare(text)
    try:
        amount = SPREADSHEET.create_decimal(plain)
    except InvalidOperation as fault:
        raise _not_money(text) from fault
    fen = amount.scaleb(2)
    if not fen.is_finite() or fen != fen.to_integral_value():
        raise NotMoney("sub_fen", f"金额“{_short(text)}”不能精确到分，请让承运商更正后重新导入。")
    if abs(fen) > LARGEST_FEN:
        raise NotMoney("amount_too_large", f"金额“{_short(text)}”超出范围，请核对该列是否真是金额。")
    return -int(fen) if negative else int(fen)


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals: 1230 → "12.30", -5 → "-0.05"."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def yuan_decimal(fen: int) -> Decimal:
    """Fen as an exact decimal number of yuan, for spreadsheet cells."""
    return Decimal(fen).scaleb(-2)


def split_evenly(total: int, parts: int) -> tuple[int, ...]:
    """`total` fen in `parts` equal shares; what cannot be divided goes to the first (the lead office)."""
    if parts < 1:
        raise ValueError("a share needs somebody to bear it")
    sign = -1 if total < 0 else 1
    each, rest = divmod(abs(total), parts)
    return (sign * (each + rest), *(sign * each for _ in range(parts - 1)))


def split_by(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total` fen in proportion to `weights`, the rest to the first; equal shares when all weights are 0."""
    whole = sum(weights)
    if whole == 0:
        return split_evenly(total, len(weights))
    sign = -1 if total < 0 else 1
    shares = [sign * (abs(total) * weight // whole) for weight in weights]
    shares[0] += total - sum(shares)
    return tuple(shares)


def permille_of(fen: int, permille: int) -> int:
    """`permille` thousandths of an amount, half a fen rounded away from zero (contract rounding)."""
    sign = -1 if fen < 0 else 1
    return sign * ((abs(fen) * permille + 500) // 1000)


def _bare(text: str) -> tuple[str, bool]:
    plain = unicodedata.normalize("NFKC", text).strip().replace("\N{MINUS SIGN}", "-")
    plain = re.sub(r"^(CNY|RMB|¥|人民币)\s*|\s*(元|CNY|RMB)$", "", plain, flags=re.IGNORECASE)
    negative = plain.startswith("(") and plain.endswith(")")
    if negative:
        plain = plain[1:-1].strip()
    plain = re.sub(r"^([+-]?)\s*¥\s*", r"\1", plain)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _PLAIN.fullmatch(plain) or (negative and plain[0] in "+-"):
        raise _not_money(text)
    return plain, negative


def _not_money(text: str) -> NotMoney:
    return NotMoney("not_money", f"“{_short(text)}”不是金额，请核对该列后重新导入。")


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"
