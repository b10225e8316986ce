"""How dates, money and counts are written on official paper; the filters of the slip templates."""

from datetime import date, datetime

from django import template
from django.utils.safestring import SafeString, mark_safe

from registry.paper.symbols import qr_svg
from registry.time import local

register = template.Library()

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


@register.filter
def day(value: date | None) -> str:
    """“2026年11月22日”"""
    return "" if value is None else f"{value.year}年{value.month}月{value.day}日"


@register.filter
def moment(value: datetime | None) -> str:
    """“2026年11月22日 09:05”, at Asia/Shanghai."""
    if value is None:
        return ""
    here = local(value)
    return f"{day(here.date())} {here:%H:%M}"


@register.filter
def yuan(fen: int) -> str:
    """“1,234.50”"""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


@register.filter
def kilograms(grams: int) -> str:
    """“0.85”"""
    return f"{grams / 1000:.2f}"


@register.filter
def month(value: str) -> str:
    """“2026-11”→“2026年11月”"""
    year, _, number = value.partition("-")
    return f"{year}年{int(number)}月"


@register.filter
def yuan_in_words(fen: int) -> str:
    """Amounts as cheques and settlements write them: “壹仟贰佰叁拾肆元伍角整”."""
    if abs(fen) >= 10**18:
        raise ValueError("no settlement is this large")
    whole, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    words = (_whole_in_words(whole) + "元") if whole else ""
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif cents and whole:
        words += "零"
    words += _DIGITS[cents] + "分" if cents else "整"
    if fen == 0:
        words = "零元整"
    return ("负" if fen < 0 else "") + words


@register.filter
def qr(text: str, side_mm: float) -> SafeString:
    """The QR of a text as inline SVG; nothing for an empty text."""
    return mark_safe(qr_svg(text, side_mm=float(side_mm)) if text else "")  # noqa: S308 - drawn by us from modules


def _whole_in_words(number: int) -> str:
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10000)
        groups.append(group)
    words = ""
    gap = False
    for index in reversed(range(len(groups))):
        group = groups[index]
        if group == 0:
            gap = bool(words)
            continue
        if words and (gap or group < 1000):
            words += "零"
        words += _group_in_words(group) + _GROUPS[index]
        gap = False
    return words


def _group_in_words(group: int) -> str:
    words = ""
    gap = False
    for power in (3, 2, 1, 0):
        digit = group // 10**power % 10
        if digit == 0:
            gap = bool(words)
            continue
        words += ("零" if gap else "") + _DIGITS[digit] + _UNITS[power]
        gap = False
    return words
