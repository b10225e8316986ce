"""What a parcel costs under a courier contract: zones, weights, surcharges, discount, each step shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from logistics.rules.money import permille_of, yuan
from registry.terms import Term
from storage.errors import Refused


class Rounding(Term):
    """How a carrier rounds the weight it charges for."""

    UP = "up", "进位"
    HALF_UP = "half_up", "四舍五入"
    DOWN = "down", "舍去"


class Basis(Term):
    """What a surcharge is reckoned from."""

    FLAT = "flat", "每件定额"
    FREIGHT = "freight", "按运费"
    DECLARED = "declared", "按声明价值"


SURCHARGE_WORDS = {
    "collect": "到付手续费",
    "insured": "保价费",
    "return_receipt": "返单费",
    "remote": "偏远附加费",
}


class TariffFault(Refused):
    """A contract that contradicts itself or another one, or does not answer."""


@dataclass(frozen=True)
class Zone:
    """Routes of one price: GB/T 2260 prefixes ("" is everywhere), weights in grams, prices in fen."""

    code: str
    name: str
    origins: tuple[str, ...]
    destinations: tuple[str, ...]
    first_weight_g: int
    first_price_fen: int
    step_weight_g: int
    step_price_fen: int


@dataclass(frozen=True)
class Surcharge:
    """An extra: `amount` is fen when flat, else thousandths of its basis; `regions` limits it to destinations."""

    code: str
    basis: Basis
    amount: int
    minimum_fen: int = 0
    regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tariff:
    """A contract version. `divisor`: cm³ for one volumetric kilogram, 0 for none; discount 1000 is the full price."""

    carrier: str
    centre_id: int
    product: str
    version: str
    valid_from: date
    valid_until: date | None
    zones: tuple[Zone, ...]
    surcharges: tuple[Surcharge, ...] = ()
    rounding: Rounding = Rounding.UP
    round_to_g: int = 1
    divisor: int = 6000
    minimum_fen: int = 0
    discount_permille: int = 1000
    weight_tolerance_g: int = 0
    promise_hours: int = 0
    late_refund_permille: int = 0

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)


@dataclass(frozen=True)
class Consignment:
    """What is sent. Regions are GB/T 2260 codes, weight in grams, sides in millimetres (0 when not measured)."""

    origin: str
    destination: str
    weight_g: int
    sides_mm: tuple[int, int, int] = (0, 0, 0)
    extras: frozenset[str] = frozenset()
    declared_fen: int = 0


@dataclass(frozen=True)
class Part:
    """One step of a quote."""

    code: str
    words: str
    amount_fen: int


@dataclass(frozen=True)
class Quote:
    """An exact price; the parts add up to the total."""

    total_fen: int
    charged_weight_g: int
    zone: str
    parts: tuple[Part, ...]

    def part(self, code: str) -> int:
        """What the parts of this code cost together, in fen; "freight" includes discount and minimum."""
        return sum(part.amount_fen for part in self.parts if part.code == code)


def quote(tariff: Tariff, parcel: Consignment) -> Quote:
    """Price a parcel as it was handed over. Raises TariffFault when no zone covers the route."""
    return quote_at(tariff, parcel, chargeable_weight(tariff, parcel))


def quote_at(tariff: Tariff, parcel: Consignment, charged_weight_g: int) -> Quote:
    """Price a parcel at a weight that is already the charged one (what a statement line says)."""
    zone = zone_for(tariff, parcel.origin, parcel.destination)
    freight = _freight_parts(tariff, zone, charged_weight_g)
    freight_fen = sum(part.amount_fen for part in freight)
    extras = tuple(
        Part(extra.code, SURCHARGE_WORDS.get(extra.code, extra.code), _surcharge(extra, freight_fen, parcel))
        for extra in tariff.surcharges
        if _applies(extra, parcel)
    )
    parts = freight + extras
    return Quote(sum(part.amount_fen for part in parts), charged_weight_g, zone.code, parts)


def chargeable_weight(tariff: Tariff, parcel: Consignment) -> int:
    """The larger of actual and volumetric weight, rounded as the contract says; grams."""
    return _rounded(max(parcel.weight_g, volumetric_weight(tariff, parcel)), tariff)


def volumetric_weight(tariff: Tariff, parcel: Consignment) -> int:
    """Length × width × height in cm³ over the divisor, in grams, rounded up. Zero without a divisor or sides."""
    if not tariff.divisor:
        return 0
    length, width, height = parcel.sides_mm
    # mm³ / 1000 are cm³, cm³ / divisor are kg, × 1000 are g: the thousands cancel out.
    return -(-length * width * height // tariff.divisor)


def zone_for(tariff: Tariff, origin: str, destination: str) -> Zone:
    """The zone with the longest prefixes that cover the route; never a guess."""
    fits = [(_reach(zone, origin, destination), zone) for zone in tariff.zones]
    best, zone = max(fits, key=lambda fit: fit[0], default=(-1, None))
    if zone is None or best < 0:
        raise TariffFault(
            "no_tariff_route",
            f"合同“{tariff.version}”没有 {origin} 到 {destination} 的资费，请财务人员补充分区后再计费。",
        )
    return zone


def tariff_for(tariffs: Iterable[Tariff], *, carrier: str, centre_id: int, product: str, on: date) -> Tariff:
    """The contract in force. Raises TariffFault when there is none, or more than one."""
    fits = [
        tariff
        for tariff in tariffs
        if (tariff.carrier, tariff.centre_id, tariff.product) == (carrier, centre_id, product)
        and tariff.in_force(on)
    ]
    if not fits:
        raise TariffFault("no_tariff", f"{on:%Y-%m-%d} 没有生效的资费合同，请财务人员先录入合同。")
    if len(fits) > 1:
        raise TariffFault(
            "tariffs_overlap", f"{on:%Y-%m-%d} 有多份资费合同同时生效，请财务人员先终止旧合同。"
        )
    return fits[0]


def check_tariff(tariff: Tariff, others: Sequence[Tariff] = ()) -> None:
    """Refuse a contract with impossible figures, zones that tie, or a period that overlaps another version."""
    _check_figures(tariff)
    for one, two in combinations(tariff.zones, 2):
        if zones_tie(one, two):
            raise TariffFault(
                "zones_overlap", f"分区“{one.name}”与“{two.name}”覆盖同一线路，请调整其中一个。"
            )
    for other in others:
        if _same_contract(tariff, other) and _periods_meet(tariff, other):
            raise TariffFault("tariffs_overlap", f"与合同“{other.version}”的有效期重叠，请先终止旧合同。")
    _check_no_gap(tariff, [other for other in others if _same_contract(tariff, other)])


def _check_no_gap(tariff: Tariff, others: Sequence[Tariff]) -> None:
    """Days between two versions would have no price; the first and the last version may stand alone."""
    ends = [other.valid_until for other in others if other.valid_from < tariff.valid_from]
    last = max((end for end in ends if end is not None), default=tariff.valid_from)
    starts = [other.valid_from for other in others if other.valid_from > tariff.valid_from]
    if last < tariff.valid_from or (starts and tariff.valid_until != min(starts)):
        raise TariffFault("tariffs_gap", "与相邻合同之间有没有资费的日子，请让有效期首尾相接。")


def _check_figures(tariff: Tariff) -> None:
    sensible = (
        tariff.zones
        and tariff.round_to_g > 0
        and tariff.divisor >= 0
        and 0 < tariff.discount_permille <= 1000
        and tariff.minimum_fen >= 0
        and (tariff.valid_until is None or tariff.valid_from < tariff.valid_until)
        and all(
            zone.first_weight_g > 0
            and zone.step_weight_g > 0
            and zone.first_price_fen >= 0
            and zone.step_price_fen >= 0
            and zone.origins
            and zone.destinations
            for zone in tariff.zones
        )
        and all(extra.amount >= 0 and extra.minimum_fen >= 0 for extra in tariff.surcharges)
    )
    if not sensible:
        raise TariffFault("bad_tariff", "资费合同的首重、续重、价格、折扣或有效期有误，请逐项核对。")


def _freight_parts(tariff: Tariff, zone: Zone, weight_g: int) -> tuple[Part, ...]:
    steps = max(0, -(-(weight_g - zone.first_weight_g) // zone.step_weight_g))
    parts = [Part("freight", f"首重 {zone.first_weight_g} 克", zone.first_price_fen)]
    if steps:
        words = f"续重 {steps} × {zone.step_weight_g} 克，每段 {yuan(zone.step_price_fen)} 元"
        parts.append(Part("freight", words, steps * zone.step_price_fen))
    full = sum(part.amount_fen for part in parts)
    discounted = permille_of(full, tariff.discount_permille)
    if discounted != full:
        parts.append(Part("freight", f"合同折扣 {_percent(tariff.discount_permille)}", discounted - full))
    if discounted < tariff.minimum_fen:
        parts.append(Part("freight", "补足最低收费", tariff.minimum_fen - discounted))
    return tuple(parts)


def _percent(permille: int) -> str:
    """850 → "85%", 855 → "85.5%"."""
    whole, rest = divmod(permille, 10)
    return f"{whole}.{rest}%" if rest else f"{whole}%"


def _applies(extra: Surcharge, parcel: Consignment) -> bool:
    if extra.regions:
        return any(parcel.destination.startswith(region) for region in extra.regions)
    return extra.code in parcel.extras


def _surcharge(extra: Surcharge, freight_fen: int, parcel: Consignment) -> int:
    if extra.basis == Basis.FLAT:
        return max(extra.amount, extra.minimum_fen)
    base = freight_fen if extra.basis == Basis.FREIGHT else parcel.declared_fen
    return max(permille_of(base, extra.amount), extra.minimum_fen)


def _rounded(weight_g: int, tariff: Tariff) -> int:
    unit = tariff.round_to_g
    if tariff.rounding == Rounding.UP:
        return -(-weight_g // unit) * unit
    if tariff.rounding == Rounding.HALF_UP:
        return (2 * weight_g + unit) // (2 * unit) * unit
    return weight_g // unit * unit


def _reach(zone: Zone, origin: str, destination: str) -> int:
    """How specific the zone is for the route (length of its best prefixes); -1 when it does not cover it."""
    starts = [len(prefix) for prefix in zone.origins if origin.startswith(prefix)]
    ends = [len(prefix) for prefix in zone.destinations if destination.startswith(prefix)]
    return max(starts) + max(ends) if starts and ends else -1


def zones_tie(one: Zone, other: Zone) -> bool:
    """Whether some route is covered by both zones equally well, so that neither wins."""
    return any(
        _nested(one_origin, other_origin)
        and _nested(one_end, other_end)
        and len(one_origin) + len(one_end) == len(other_origin) + len(other_end)
        for one_origin in one.origins
        for other_origin in other.origins
        for one_end in one.destinations
        for other_end in other.destinations
    )


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _same_contract(one: Tariff, other: Tariff) -> bool:
    return (one.carrier, one.centre_id, one.product) == (other.carrier, other.centre_id, other.product)


def _periods_meet(one: Tariff, other: Tariff) -> bool:
    return (one.valid_until is None or other.valid_from < one.valid_until) and (
        other.valid_until is None or one.valid_from < other.valid_until
    )
