"""One tracking vocabulary for all carriers, and the rules that make one truth out of scans in any order."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.terms import Term


class TrackingKind(Term):
    """What a courier's scan means; the carrier's own words and code are kept beside it."""

    ORDERED = "ordered", "已下单"
    COLLECTED = "collected", "已揽收"
    IN_TRANSIT = "in_transit", "运输中"
    ARRIVED_CITY = "arrived_city", "到达派件城市"
    OUT_FOR_DELIVERY = "out_for_delivery", "派送中"
    AT_LOCKER = "at_locker", "已入柜或驿站"
    DELIVERED = "delivered", "已签收"
    FAILED_ATTEMPT = "failed_attempt", "派送未成功"
    REFUSED = "refused", "收件人拒收"
    RETURNING = "returning", "退回途中"
    RETURNED = "returned", "已退回"
    CUSTOMS = "customs", "清关"
    DAMAGED = "damaged", "破损"
    LOST = "lost", "丢失"
    CANCELLED = "cancelled", "运单已取消"
    EXCEPTION = "exception", "异常"
    REVERSAL = "reversal", "承运商更正"


FINAL: frozenset[TrackingKind] = frozenset(
    {TrackingKind.DELIVERED, TrackingKind.RETURNED, TrackingKind.LOST, TrackingKind.CANCELLED}
)
"""Kinds that stay the answer until a reversal voids them, whatever scan comes late."""

COMING_BACK: frozenset[TrackingKind] = frozenset(
    {TrackingKind.REFUSED, TrackingKind.RETURNING, TrackingKind.RETURNED}
)
"""Kinds after which the parcel is to be expected at its sender again."""

ALARMING: frozenset[TrackingKind] = frozenset(
    {
        TrackingKind.REFUSED,
        TrackingKind.RETURNING,
        TrackingKind.RETURNED,
        TrackingKind.DAMAGED,
        TrackingKind.LOST,
        TrackingKind.CANCELLED,
        TrackingKind.EXCEPTION,
    }
)
"""Kinds a person has to look at."""


@dataclass(frozen=True)
class Scan:
    """One courier scan.

    `key` is unique within a waybill and the same however often the carrier repeats itself. `at` is the carrier's
    time of the event (aware). A reversal (`kind` REVERSAL) names what it voids either by `reverses_key` or, where a
    carrier only tells codes (EMS 743 voids 704), by `reverses_codes`: the latest such scan not after it.
    """

    key: str
    kind: TrackingKind
    at: datetime
    words: str = ""
    place: str = ""
    code: str = ""
    reverses_key: str = ""
    reverses_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The keys of one full list as a carrier pushed it, and the event time of its newest entry."""

    keys: frozenset[str]
    newest: datetime

    @property
    def digest(self) -> str:
        """Name of this list, equal for equal contents."""
        return hashlib.sha256("\n".join(sorted(self.keys)).encode()).hexdigest()[:16]

    def outranks(self, other: "Snapshot | None") -> bool:
        """Whether this list tells the later story: newer last entry, then more entries, then a fixed order."""
        if other is None:
            return True
        return (self.newest, len(self.keys), self.digest) > (other.newest, len(other.keys), other.digest)


def scan_key(*parts: str) -> str:
    """A dedupe key from the parts of a scan that the carrier repeats unchanged."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


def in_order(scans: Iterable[Scan]) -> list[Scan]:
    """Oldest first by the carrier's time, never by arrival."""
    return sorted(scans, key=lambda scan: (scan.at, scan.key))


def reversals(scans: Iterable[Scan]) -> dict[str, str]:
    """Which scans are void: key of the voided scan → key of the reversal that voids it."""
    ordered = in_order(scans)
    against: dict[str, list[str]] = defaultdict(list)
    for scan in ordered:
        if scan.kind is TrackingKind.REVERSAL and scan.reverses_key:
            against[scan.reverses_key].append(scan.key)

    def voided_by(key: str, path: tuple[str, ...] = ()) -> str:
        # A reversal that is itself reversed voids nothing; a circle of reversals voids nothing either.
        for reversal in against.get(key, ()):
            if reversal not in path and not voided_by(reversal, (*path, key)):
                return reversal
        return ""

    void = {scan.key: by for scan in ordered if (by := voided_by(scan.key))}
    for scan in ordered:
        if scan.kind is TrackingKind.REVERSAL and scan.reverses_codes and scan.key not in void:
            target = _latest_with_code(ordered, scan, void)
            if target is not None:
                void[target.key] = scan.key
    return void


def _latest_with_code(ordered: Sequence[Scan], reversal: Scan, void: dict[str, str]) -> Scan | None:
    for scan in reversed(ordered):
        if (
            scan.at <= reversal.at
            and scan.code in reversal.reverses_codes
            and scan.kind is not TrackingKind.REVERSAL
            and scan.key not in void
        ):
            return scan
    return None


def standing(scans: Iterable[Scan]) -> list[Scan]:
    """The scans that still hold, oldest first; reversed ones and the reversals themselves are left out."""
    scans = list(scans)
    void = reversals(scans)
    return [
        scan for scan in in_order(scans) if scan.kind is not TrackingKind.REVERSAL and scan.key not in void
    ]


def whereabouts(scans: Iterable[Scan]) -> tuple[TrackingKind, datetime] | None:
    """What the scans say of the parcel now, and since when; None when nothing holds.

    A final scan outlives later ordinary ones (late feeds); delivered while on the way back means returned.
    """
    held = standing(scans)
    if not held:
        return None
    final = [scan for scan in held if scan.kind in FINAL]
    if not final:
        return held[-1].kind, held[-1].at
    last = final[-1]
    way_back = any(scan.kind is TrackingKind.RETURNING and scan.at <= last.at for scan in held)
    if last.kind is TrackingKind.DELIVERED and way_back:
        return TrackingKind.RETURNED, last.at
    return last.kind, last.at


def reconcile(known: Sequence[Scan], leading: Snapshot) -> list[Scan]:
    """The reversals and reinstatements that make `known` agree with the leading snapshot.

    A scan that the leading list leaves out although the list goes on past it was taken back by the carrier; one that
    is listed again after it was taken back holds again. The result depends on which snapshots came, not on their order.
    """
    void = reversals(known)
    added: list[Scan] = []
    for scan in known:
        if scan.kind is TrackingKind.REVERSAL:
            continue
        holds = scan.key in leading.keys or scan.at >= leading.newest
        if holds and scan.key in void:
            added.append(_undo("back", void[scan.key], leading))
        elif not holds and scan.key not in void:
            added.append(_undo("gone", scan.key, leading))
    return added


def _undo(why: str, key: str, leading: Snapshot) -> Scan:
    return Scan(
        key=scan_key(why, leading.digest, key),
        kind=TrackingKind.REVERSAL,
        at=leading.newest,
        code=why,
        reverses_key=key,
    )
