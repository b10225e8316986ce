"""What is wrong with a courier's bill: every line against what we know of its waybill, with both figures."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from logistics.rules.money import permille_of, yuan
from logistics.rules.payers import PaymentTerm
from registry.terms import Term
from registry.time import to_the_minute

WHOLE = "total"


class Code(Term):
    """Kinds of discrepancy."""

    UNKNOWN_WAYBILL = "unknown_waybill", "运单号不存在"
    CANCELLED_LABEL = "cancelled_label", "面单已作废"
    FEE_AFTER_CANCELLATION = "fee_after_cancellation", "撤单后收费"
    BILLED_BEFORE = "billed_before", "重复计费"
    WRONG_ACCOUNT = "wrong_account", "结算账号不符"
    WRONG_TERM = "wrong_term", "付款方式不符"
    OVERWEIGHT = "overweight", "计费重量超出"
    WRONG_AMOUNT = "wrong_amount", "金额与资费不符"
    NOT_DELIVERED = "not_delivered", "未妥投已计费"
    LOST_NOT_REFUNDED = "lost_not_refunded", "丢失未退费"
    LATE_REFUND_RIGHT = "late_refund_right", "超时可退费"
    WRONG_CURRENCY = "wrong_currency", "币种不符"
    ARITHMETIC = "arithmetic", "账单计算有误"


@dataclass(frozen=True)
class Billed:
    """One line of a statement. Money in fen, weight in grams; None or "" where the statement has no such column.

    `version` rises when a carrier bills the same fee anew; the highest is the one that counts.
    `period` orders statements: (month, digest of the file), never the order of their import.
    """

    row: int
    waybill: str
    amount_fen: int
    kind: str = WHOLE
    posted_on: date | None = None
    weight_g: int | None = None
    freight_fen: int | None = None
    other_fen: int | None = None
    term: str = ""
    account: str = ""
    currency: str = ""
    version: int | None = None
    period: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Facts:
    """What we know of a waybill. `price(grams)` is {fee kind: fen} at a charged weight; None: no charge.

    `nothing_due`: charged to no centre, because its applicant paid at the courier's counter.
    """

    waybill: str
    account: str
    term: str
    charged_weight_g: int | None
    price: Callable[[int], Mapping[str, int]] | None
    tolerance_g: int = 0
    cancelled_on: date | None = None
    handed_over_on: date | None = None
    delivered_at: datetime | None = None
    promised_at: datetime | None = None
    lost_on: date | None = None
    late_refund_permille: int = 0
    nothing_due: bool = False


@dataclass(frozen=True)
class Finding:
    """A discrepancy: `row` 0 speaks of the whole statement. `stake_fen` is what the centre may win back."""

    code: Code
    row: int
    waybill: str
    ours: str
    theirs: str
    stake_fen: int


@dataclass(frozen=True)
class Totals:
    """A totals row of the statement and what the lines above it add up to."""

    row: int
    stated_fen: int
    summed_fen: int


@dataclass(frozen=True)
class Period:
    """The month that is billed. A parcel handed over in the last `grace_days` may still be on its way."""

    first: date
    after: date
    grace_days: int = 7

    @property
    def must_be_delivered(self) -> date:
        """Parcels handed over before this day should have arrived by the end of the month."""
        return self.after - timedelta(days=self.grace_days)


@dataclass(frozen=True)
class Charge:
    """A line after its 红冲 lines: what it still costs and whether the carrier gave something back."""

    line: Billed
    net_fen: int
    credited_fen: int


def check_waybill(
    lines: Sequence[Billed], facts: Facts | None, earlier: Sequence[Billed], period: Period
) -> list[Finding]:
    """All findings about one waybill's lines in a statement; `earlier`: its lines in earlier statements."""
    found = [finding for line in lines for finding in _inside_line(line)]
    for charge in sorted(_net(lines)[0], key=_newest_version_first):
        if charge.net_fen <= 0:
            continue
        found += _check_charge(charge, facts, _still_billed(earlier, charge.line.kind), period)
        earlier = [*earlier, replace(charge.line, amount_fen=charge.net_fen)]
    return sorted(found, key=lambda finding: (finding.row, finding.code.value))


def _newest_version_first(charge: Charge) -> tuple[int, int]:
    """A fee that was billed anew stands for itself; what it replaces is found to be billed once more."""
    return -(charge.line.version or 0), charge.line.row


def check_totals(totals: Iterable[Totals]) -> Iterator[Finding]:
    """Totals rows that do not add up."""
    for row in totals:
        if row.stated_fen != row.summed_fen:
            yield Finding(
                Code.ARITHMETIC,
                row.row,
                "",
                f"合计 {yuan(row.summed_fen)}",
                f"合计 {yuan(row.stated_fen)}",
                max(0, row.stated_fen - row.summed_fen),
            )


def stake_of(amount_fen: int, stakes: Iterable[int]) -> int:
    """What is at stake on one line when several findings speak of it: never more than the line itself."""
    return min(max(amount_fen, 0), sum(stakes))


def unmatched_credits(lines: Sequence[Billed]) -> list[tuple[Billed, int]]:
    """红冲 lines that take back more than stands before them in the same statement, with what is left (fen > 0)."""
    return _net(lines)[1]


def _net(lines: Sequence[Billed]) -> tuple[list[Charge], list[tuple[Billed, int]]]:
    """Offset 红冲 (negative) lines, each against the latest positive lines of its kind before it."""
    standing: list[Charge] = []
    unmatched: list[tuple[Billed, int]] = []
    for line in sorted(lines, key=lambda line: line.row):
        if line.amount_fen >= 0:
            standing.append(Charge(line, line.amount_fen, 0))
            continue
        left = -line.amount_fen
        for index in range(len(standing) - 1, -1, -1):
            charge = standing[index]
            taken = min(left, charge.net_fen) if charge.line.kind == line.kind else 0
            if taken:
                net, credited = charge.net_fen - taken, charge.credited_fen + taken
                standing[index] = Charge(charge.line, net, credited)
                left -= taken
        if left:
            unmatched.append((line, left))
    return standing, unmatched


def _still_billed(earlier: Sequence[Billed], kind: str) -> Billed | None:
    """The first earlier line of this fee kind that no 红冲 has taken back."""
    same = [line for line in earlier if line.kind == kind]
    by_age = sorted(same, key=lambda line: (line.period, line.row))
    renumbered = [replace(line, row=index) for index, line in enumerate(by_age)]
    standing = next((charge for charge in _net(renumbered)[0] if charge.net_fen > 0), None)
    return by_age[standing.line.row] if standing else None


def _check_charge(
    charge: Charge, facts: Facts | None, before: Billed | None, period: Period
) -> Iterator[Finding]:
    line = charge.line
    if facts is None:
        yield _finding(Code.UNKNOWN_WAYBILL, line, "无此运单", line.waybill or "（空）", charge.net_fen)
        return
    if facts.cancelled_on is not None:
        yield _cancelled(charge, facts.cancelled_on)
        return
    if before is not None:
        theirs = f"再次计费 {yuan(charge.net_fen)}"
        ours = f"已在 {before.period[0] or '本期'} 对账单第 {before.row} 行计费 {yuan(before.amount_fen)}"
        yield _finding(Code.BILLED_BEFORE, line, ours, theirs, charge.net_fen)
        return
    yield from _check_payer(charge, facts)
    if facts.nothing_due:  # whatever weight it bills, and whether it ever arrived
        ours = f"{yuan(0)}，由申请人{PaymentTerm.SENDER_CASH.label}"
        yield _finding(Code.WRONG_AMOUNT, line, ours, yuan(charge.net_fen), charge.net_fen)
        return
    yield from _check_price(charge, facts)
    yield from _check_service(charge, facts, period)


def _cancelled(charge: Charge, cancelled_on: date) -> Finding:
    line = charge.line
    is_later = line.kind not in {WHOLE, "freight"} or (
        line.posted_on is not None and line.posted_on > cancelled_on
    )
    code = Code.FEE_AFTER_CANCELLATION if is_later else Code.CANCELLED_LABEL
    theirs = f"计费 {yuan(charge.net_fen)}" + (f"，收寄 {line.posted_on}" if line.posted_on else "")
    return _finding(code, line, f"{cancelled_on} 已作废", theirs, charge.net_fen)


def _check_payer(charge: Charge, facts: Facts) -> Iterator[Finding]:
    line = charge.line
    if line.account and facts.account and line.account != facts.account:
        yield _finding(Code.WRONG_ACCOUNT, line, facts.account, line.account, charge.net_fen)
    if line.term and facts.term and line.term != facts.term:
        yield _finding(Code.WRONG_TERM, line, _term(facts.term), _term(line.term), charge.net_fen)


def _check_price(charge: Charge, facts: Facts) -> Iterator[Finding]:
    """Split the difference: what the wrong weight costs is `overweight`, the rest is `wrong_amount`."""
    line = charge.line
    if facts.price is None or facts.charged_weight_g is None:
        return
    due = facts.price(facts.charged_weight_g).get(line.kind, 0)
    at_their_weight = due
    if line.weight_g is not None and line.weight_g > facts.charged_weight_g + facts.tolerance_g:
        at_their_weight = facts.price(line.weight_g).get(line.kind, 0)
        stake = max(0, min(charge.net_fen, at_their_weight) - due)
        yield _finding(Code.OVERWEIGHT, line, f"{facts.charged_weight_g} 克", f"{line.weight_g} 克", stake)
    # A line priced right for our own weight has the right amount, whatever weight it prints.
    if charge.net_fen not in {at_their_weight, due}:
        excess = max(0, charge.net_fen - max(at_their_weight, due))
        yield _finding(Code.WRONG_AMOUNT, line, yuan(at_their_weight), yuan(charge.net_fen), excess)


def _check_service(charge: Charge, facts: Facts, period: Period) -> Iterator[Finding]:
    line = charge.line
    if facts.lost_on is not None:
        if not charge.credited_fen:
            yield _finding(Code.LOST_NOT_REFUNDED, line, f"{facts.lost_on} 报失", "未退费", charge.net_fen)
        return
    if facts.delivered_at is None:
        handed_over = facts.handed_over_on
        if handed_over is None or handed_over < period.must_be_delivered:
            ours = f"{handed_over} 交寄，未妥投" if handed_over else "未交寄"
            yield _finding(Code.NOT_DELIVERED, line, ours, f"计费 {yuan(charge.net_fen)}", charge.net_fen)
        return
    promised = facts.promised_at
    if promised is None or facts.delivered_at <= promised:
        return
    if facts.late_refund_permille and not charge.credited_fen:
        refund = permille_of(charge.net_fen, facts.late_refund_permille)
        ours = f"应于 {to_the_minute(promised)} 前妥投"
        theirs = f"{to_the_minute(facts.delivered_at)} 妥投，未退费"
        yield _finding(Code.LATE_REFUND_RIGHT, line, ours, theirs, refund)


def _inside_line(line: Billed) -> Iterator[Finding]:
    if line.currency and line.currency.upper() not in {"CNY", "RMB", "人民币", "元"}:
        yield _finding(Code.WRONG_CURRENCY, line, "人民币", line.currency, max(0, line.amount_fen))
    if line.freight_fen is None or line.other_fen is None:
        return
    summed = line.freight_fen + line.other_fen
    if summed != line.amount_fen:
        stake = max(0, line.amount_fen - summed)
        yield _finding(
            Code.ARITHMETIC, line, f"分项之和 {yuan(summed)}", f"合计 {yuan(line.amount_fen)}", stake
        )


def _finding(code: Code, line: Billed, ours: str, theirs: str, stake_fen: int) -> Finding:
    return Finding(code, line.row, line.waybill, ours, theirs, stake_fen)


def _term(value: str) -> str:
    return next((term.label for term in PaymentTerm if term.value == value), value)
