"""资费合同 as a workbook: read with every row's fault listed, written in the same form."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

from logistics.rules.money import fen_of
from logistics.rules.tariffs import Basis, Rounding, Surcharge, Tariff, Zone, zones_tie
from registry.sheets.forms import Fault, Faults, Line, day_of, filled, labelled, read_forms
from registry.sheets.limits import Limits
from registry.sheets.workbooks import Money, Sheet, make_workbook
from storage.errors import Refused

LIMITS = Limits(file_bytes=8 << 20, unpacked_bytes=64 << 20, rows=5000, columns=40)
CONTRACT, ZONES, SURCHARGES = "合同", "分区", "附加费"
EVERYWHERE = "全国"
_HEADERS: Mapping[str, tuple[str, ...]] = {
    CONTRACT: ("项目", "内容"),
    ZONES: (
        "代码",
        "名称",
        "寄件地区划前缀",
        "寄达地区划前缀",
        "首重（克）",
        "首重价格（元）",
        "续重（克）",
        "续重价格（元）",
    ),
    SURCHARGES: ("代码", "计费方式", "数额（元或%）", "最低（元）", "适用地区划前缀"),
}
_PREFIX = re.compile(r"\d{1,9}")
_MOST_GRAMS = 10_000_000
V = TypeVar("V")


@dataclass(frozen=True)
class Reading:
    """The contract that the file describes, or everything that is wrong with it."""

    tariff: Tariff | None
    faults: tuple[Fault, ...]


def read_tariff(path: Path, *, carrier: str, centre_id: int) -> Reading:
    """Read a workbook of the sheets 合同, 分区 and 附加费 wholly. Raises UnreadableSheet for what is no workbook."""
    faults = Faults()
    sheets = read_forms(path, _HEADERS, LIMITS)
    for name in (CONTRACT, ZONES):
        if name not in sheets:
            faults.note(name, 0, "", f"没有找到“{name}”表，表头应为：{'、'.join(_HEADERS[name])}。")
    told = {line.cells["项目"]: line for line in sheets.get(CONTRACT, ())}
    zones = [_zone(line, faults) for line in sheets.get(ZONES, ())]
    _check_zones(zones, sheets.get(ZONES, ()), faults)
    extras = [_surcharge(line, faults) for line in sheets.get(SURCHARGES, ())]
    tariff = _contract(told, carrier, centre_id, tuple(zones), tuple(extras), faults)
    return Reading(None if faults.found else tariff, tuple(faults.found))


def tariff_workbook(tariff: Tariff, *, made_at: datetime) -> bytes:
    """The same form that `read_tariff` reads: what is exported can be changed and taken in as the next version."""
    return make_workbook(
        [
            Sheet(CONTRACT, _contract_rows(tariff), widths=(24, 24)),
            Sheet(ZONES, _zone_rows(tariff), widths=(14, 20, 28, 28, 12, 16, 12, 16)),
            Sheet(SURCHARGES, _surcharge_rows(tariff), widths=(18, 14, 16, 12, 28)),
        ],
        made_at=made_at,
    )


def _zone(line: Line, faults: Faults) -> Zone:
    def take(read: Callable[[str], V], column: str, otherwise: V) -> V:
        return faults.value(
            read, line.cells[column], otherwise, sheet=line.sheet, row=line.row, column=column
        )

    return Zone(
        code=take(filled, "代码", ""),
        name=take(filled, "名称", ""),
        origins=take(_prefixes, "寄件地区划前缀", ()),
        destinations=take(_prefixes, "寄达地区划前缀", ()),
        first_weight_g=take(_grams, "首重（克）", 1),
        first_price_fen=take(_price, "首重价格（元）", 0),
        step_weight_g=take(_grams, "续重（克）", 1),
        step_price_fen=take(_price, "续重价格（元）", 0),
    )


def _check_zones(zones: Sequence[Zone], lines: Sequence[Line], faults: Faults) -> None:
    numbered = list(zip(zones, lines, strict=True))
    for (one, first), (two, second) in combinations(numbered, 2):
        if one.code and one.code == two.code:
            faults.note(ZONES, second.row, "代码", f"与第 {first.row} 行的代码“{one.code}”相同。")
        elif zones_tie(one, two):
            faults.note(ZONES, second.row, "寄达地区划前缀", f"与第 {first.row} 行“{one.name}”覆盖同一线路。")


def _surcharge(line: Line, faults: Faults) -> Surcharge:
    def take(read: Callable[[str], V], column: str, otherwise: V) -> V:
        return faults.value(
            read, line.cells[column], otherwise, sheet=line.sheet, row=line.row, column=column
        )

    basis = take(lambda text: labelled(Basis, text), "计费方式", Basis.FLAT)
    return Surcharge(
        code=take(filled, "代码", ""),
        basis=basis,
        amount=take(_price if basis == Basis.FLAT else _permille, "数额（元或%）", 0),
        minimum_fen=take(lambda text: _price(text) if text else 0, "最低（元）", 0),
        regions=take(lambda text: _prefixes(text) if text else (), "适用地区划前缀", ()),
    )


def _contract(
    told: Mapping[str, Line],
    carrier: str,
    centre_id: int,
    zones: tuple[Zone, ...],
    extras: tuple[Surcharge, ...],
    faults: Faults,
) -> Tariff:
    def take(name: str, read: Callable[[str], V], otherwise: V, *, needed: bool = False) -> V:
        line = told.get(name)
        text = line.cells["内容"] if line else ""
        if not text:
            if needed and told:
                faults.note(CONTRACT, line.row if line else 0, name, f"请填写“{name}”。")
            return otherwise
        row = line.row if line else 0
        return faults.value(read, text, otherwise, sheet=CONTRACT, row=row, column=name)

    named = take("承运商代码", str, carrier)
    if named != carrier:
        faults.note(
            CONTRACT, told["承运商代码"].row, "承运商代码", f"文件是“{named}”的合同，不是所选承运商的。"
        )
    return Tariff(
        carrier=carrier,
        centre_id=centre_id,
        product=take("产品", str, "standard"),
        version=take("合同版本", str, "", needed=True),
        valid_from=take("生效日期", day_of, date(2000, 1, 1), needed=True),
        valid_until=take("失效日期", day_of, None),
        zones=zones,
        surcharges=extras,
        rounding=take("重量取整", lambda text: labelled(Rounding, text), Rounding.UP),
        round_to_g=take("取整单位（克）", _grams, 1),
        divisor=take("体积重除数", _whole, 6000),
        minimum_fen=take("最低收费（元）", _price, 0),
        discount_permille=take("折扣（%）", _permille, 1000),
        weight_tolerance_g=take("重量容差（克）", _whole, 0),
        promise_hours=take("承诺时限（小时）", _whole, 0),
        late_refund_permille=take("超时退费（%）", _permille, 0),
    )


def _contract_rows(tariff: Tariff) -> Iterator[tuple[object, ...]]:
    yield _HEADERS[CONTRACT]
    yield ("承运商代码", tariff.carrier)
    yield ("产品", tariff.product)
    yield ("合同版本", tariff.version)
    yield ("生效日期", tariff.valid_from.isoformat())
    yield ("失效日期", tariff.valid_until.isoformat() if tariff.valid_until else "")
    yield ("重量取整", tariff.rounding.label)
    yield ("取整单位（克）", tariff.round_to_g)
    yield ("体积重除数", tariff.divisor)
    yield ("最低收费（元）", Money(tariff.minimum_fen))
    yield ("折扣（%）", _percent(tariff.discount_permille))
    yield ("重量容差（克）", tariff.weight_tolerance_g)
    yield ("承诺时限（小时）", tariff.promise_hours)
    yield ("超时退费（%）", _percent(tariff.late_refund_permille))


def _zone_rows(tariff: Tariff) -> Iterator[tuple[object, ...]]:
    yield _HEADERS[ZONES]
    for zone in tariff.zones:
        yield (
            zone.code,
            zone.name,
            _listed(zone.origins),
            _listed(zone.destinations),
            zone.first_weight_g,
            Money(zone.first_price_fen),
            zone.step_weight_g,
            Money(zone.step_price_fen),
        )


def _surcharge_rows(tariff: Tariff) -> Iterator[tuple[object, ...]]:
    yield _HEADERS[SURCHARGES]
    for extra in tariff.surcharges:
        amount: Any = Money(extra.amount) if extra.basis == Basis.FLAT else _percent(extra.amount)
        yield (
            extra.code,
            extra.basis.label,
            amount,
            Money(extra.minimum_fen),
            _listed(extra.regions) if extra.regions else "",
        )


def _listed(prefixes: Sequence[str]) -> str:
    return "、".join(prefix or EVERYWHERE for prefix in prefixes)


def _percent(permille: int) -> str:
    return f"{Decimal(permille).scaleb(-1):f}"


def _prefixes(text: str) -> tuple[str, ...]:
    names = [part.removesuffix(".0") for part in re.split(r"[、,，;；\s]+", text) if part]
    wrong = next((name for name in names if name != EVERYWHERE and not _PREFIX.fullmatch(name)), "")
    if not names or wrong:
        raise Refused(
            "bad_prefix", f"应为区划代码前缀，以顿号分开，或“{EVERYWHERE}”{f'：{wrong}' if wrong else ''}。"
        )
    return tuple("" if name == EVERYWHERE else name for name in names)


def _price(text: str) -> int:
    fen = fen_of(text)
    if fen < 0:
        raise Refused("negative", "价格不能为负。")
    return fen


def _whole(text: str) -> int:
    plain = text.removesuffix(".0").removesuffix(".00")
    if not (plain.isascii() and plain.isdigit()) or int(plain) > _MOST_GRAMS:
        raise Refused("not_whole", f"“{text[:20]}”不是合适的整数。")
    return int(plain)


def _grams(text: str) -> int:
    number = _whole(text)
    if number == 0:
        raise Refused("zero", "必须大于 0。")
    return number


def _permille(text: str) -> int:
    try:
        permille = Decimal(text.removesuffix("%")).scaleb(1)
    except InvalidOperation as fault:
        raise Refused("not_percent", f"“{text[:20]}”不是百分数。") from fault
    if permille != permille.to_integral_value() or not 0 <= permille <= 1000:
        raise Refused("not_percent", "百分数应在 0 到 100 之间，至多一位小数。")
    return int(permille)
