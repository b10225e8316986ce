"""统计: what a centre's postage went to, what came back in disputes, and what applicants were spared."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from logistics.models import ChargeShare, Discrepancy, Statement
from logistics.postage.reconciling import period_of
from logistics.rules.disputes import DiscrepancyState
from logistics.rules.payers import Leg
from registry.actors import Actor
from registry.permissions import check_may, visible
from registry.terms import Mode
from registry.time import SHANGHAI
from storage.errors import Refused

MONTHS_AT_MOST = 36
NO_OFFICE = "未能对应部门"
_OUTSIDE = "outside"
# Between offices, or outside the catalogue: no applicant would have paid for it.
_NOT_SPARED = Q(charge__leg=Leg.TRANSFER.value) | Q(charge__rule_code=_OUTSIDE)


@dataclass(frozen=True)
class Bar:
    """One value of a dimension: `key` drills down to its lines. A joint parcel counts once for each share."""

    key: str
    label: str
    count: int
    amount_fen: int


@dataclass(frozen=True)
class Disputed:
    """Differences found in the statements of these months, by where they stand; fen at stake."""

    state: DiscrepancyState
    count: int
    stake_fen: int


@dataclass(frozen=True)
class Spending:
    """The months `first` to `last` of the own centre. Amounts in fen, expected charges that stand."""

    first: str
    last: str
    total_fen: int
    parcels: int
    cases: int
    spared_fen: int
    spared_cases: int
    bars: Mapping[str, tuple[Bar, ...]]
    disputes: tuple[Disputed, ...]
    billed_fen: int = 0
    """What the statements of these months ask for."""

    @property
    def disputed_percent(self) -> str:
        """Of what was billed, the share that was ever disputed, to a tenth of a percent ("3.4")."""
        stakes = sum(
            one.stake_fen
            for one in self.disputes
            if one.state in {DiscrepancyState.DISPUTED, DiscrepancyState.CREDITED}
        )
        whole, tenth = divmod(stakes * 1000 // self.billed_fen if self.billed_fen > 0 else 0, 10)
        return f"{whole}.{tenth}"

    @property
    def per_case_fen(self) -> int:
        """Half a fen is rounded up."""
        return (2 * self.total_fen + self.cases) // (2 * self.cases) if self.cases else 0

    @property
    def recovered_fen(self) -> int:
        return sum(one.stake_fen for one in self.disputes if one.state == DiscrepancyState.CREDITED)

    @property
    def recovered_percent(self) -> int:
        """Of what was at stake in differences that are decided or in dispute."""
        stakes = sum(one.stake_fen for one in self.disputes if one.state != DiscrepancyState.OPEN)
        return self.recovered_fen * 100 // stakes if stakes else 0


DIMENSIONS: Mapping[str, str] = {
    "office": "审批部门",
    "leg": "寄件类型",
    "mode": "办理模式",
    "carrier": "承运商",
    "month": "账期",
}
_FIELDS: Mapping[str, str] = {
    "office": "office_id",
    "leg": "charge__leg",
    "mode": "charge__mode",
    "carrier": "charge__waybill__carrier__code",
}


def spending(*, actor: Actor, first: str, last: str) -> Spending:
    """Four queries, however many parcels. Raises Refused for an impossible span of months."""
    check_may(actor, "postage.see")
    shares = _between(own_shares(actor), first, last)
    cells = list(
        shares.annotate(month=TruncMonth("charge__waybill__requested_at", tzinfo=SHANGHAI))
        .values(
            "month",
            "office_id",
            "office__name",
            "charge__leg",
            "charge__mode",
            "charge__waybill__carrier__code",
            "charge__waybill__carrier__name",
        )
        .annotate(count=Count("pk"), fen=Sum("amount_fen"))
        .order_by()
    )
    totals = shares.aggregate(
        fen=Sum("amount_fen"),
        parcels=Count("charge__parcel", distinct=True),
        cases=Count("charge__case", distinct=True),
        spared=Sum("amount_fen", filter=~_NOT_SPARED),
        spared_cases=Count("charge__case", distinct=True, filter=~_NOT_SPARED),
    )
    return Spending(
        first=first,
        last=last,
        total_fen=totals["fen"] or 0,
        parcels=totals["parcels"],
        cases=totals["cases"],
        spared_fen=totals["spared"] or 0,
        spared_cases=totals["spared_cases"],
        bars={name: _bars(name, cells) for name in DIMENSIONS},
        disputes=tuple(_disputes(actor, first, last)),
        billed_fen=visible(actor, "postage.see", Statement.objects.all())
        .filter(month__gte=first, month__lte=last)
        .aggregate(fen=Sum("amount_fen"))["fen"]
        or 0,
    )


def spending_lines(
    *, actor: Actor, first: str, last: str, chosen: Mapping[str, str]
) -> QuerySet[ChargeShare]:
    """The lines behind a bar: `chosen` names values of dimensions by their keys."""
    check_may(actor, "postage.see")
    month = chosen.get("month", "")
    shares = _between(own_shares(actor), month or first, month or last)
    for name, field in _FIELDS.items():
        if value := chosen.get(name, ""):
            shares = shares.filter(**{field: _key_value(name, value)})
    return shares.select_related("office", "charge__parcel", "charge__case", "charge__waybill__carrier")


def own_shares(actor: Actor) -> QuerySet[ChargeShare]:
    """The shares that stand of the centre's postage: what was charged and not reversed."""
    shares = visible(actor, "postage.see", ChargeShare.objects.all())
    return shares.filter(charge__reversal_of__isnull=True, charge__reversed_by__isnull=True)


def _between(shares: QuerySet[ChargeShare], first: str, last: str) -> QuerySet[ChargeShare]:
    """Those whose waybill was ordered in these months, as Shanghai counts them."""
    try:
        start, after = period_of(first).first, period_of(last).after
    except ValueError as fault:
        raise Refused("bad_month", "账期应写成“2026-01”的形式。") from fault
    months = (after.year - start.year) * 12 + after.month - start.month
    if not 0 < months <= MONTHS_AT_MOST:
        raise Refused("bad_month", f"起止账期应先后有序，且不超过 {MONTHS_AT_MOST} 个月。")
    return shares.filter(
        charge__waybill__requested_at__gte=_midnight(start),
        charge__waybill__requested_at__lt=_midnight(after),
    )


def _key_value(name: str, value: str) -> object:
    if name != "office":
        return value
    return int(value) if value.isdecimal() else None


def _bars(name: str, cells: Iterable[Mapping[str, Any]]) -> tuple[Bar, ...]:
    sums: dict[tuple[str, str], list[int]] = {}
    for cell in cells:
        total = sums.setdefault(_named(name, cell), [0, 0])
        total[0] += cell["count"]
        total[1] += cell["fen"]
    bars = [Bar(key, label, count, fen) for (key, label), (count, fen) in sums.items()]
    by: Callable[[Bar], Any] = (
        (lambda bar: bar.key) if name == "month" else (lambda bar: (-bar.amount_fen, bar.label))
    )
    return tuple(sorted(bars, key=by))


def _named(name: str, cell: Mapping[str, Any]) -> tuple[str, str]:
    match name:
        case "office":
            return (str(cell["office_id"] or "none"), cell["office__name"] or NO_OFFICE)
        case "leg":
            return (cell["charge__leg"], Leg(cell["charge__leg"]).label)
        case "mode":
            return (cell["charge__mode"], Mode(cell["charge__mode"]).label)
        case "carrier":
            return (cell["charge__waybill__carrier__code"], cell["charge__waybill__carrier__name"])
        case _:
            month = f"{cell['month']:%Y-%m}"
            return (month, month)


def _disputes(actor: Actor, first: str, last: str) -> Iterable[Disputed]:
    rows = (
        visible(actor, "postage.see", Discrepancy.objects.all())
        .filter(statement__month__gte=first, statement__month__lte=last)
        .exclude(state=DiscrepancyState.CLEARED.value)
        .values("state")
        .annotate(count=Count("pk"), stake=Sum("stake_fen"))
        .order_by()
    )
    found = {row["state"]: row for row in rows}
    for state in DiscrepancyState:
        if state.value in found:
            yield Disputed(state, found[state.value]["count"], found[state.value]["stake"])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)
