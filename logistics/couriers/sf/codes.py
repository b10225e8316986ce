"""SF's operation codes in our vocabulary: the subset on which at least two public sources agree."""

from logistics.rules.tracking import TrackingKind as Kind

KINDS: dict[str, Kind] = {
    "50": Kind.COLLECTED,
    "54": Kind.COLLECTED,
    "30": Kind.IN_TRANSIT,
    "31": Kind.IN_TRANSIT,
    "36": Kind.IN_TRANSIT,
    "44": Kind.OUT_FOR_DELIVERY,
    "204": Kind.OUT_FOR_DELIVERY,
    "634": Kind.OUT_FOR_DELIVERY,
    "125": Kind.AT_LOCKER,
    "642": Kind.AT_LOCKER,
    "80": Kind.DELIVERED,
    "70": Kind.FAILED_ATTEMPT,
    "33": Kind.FAILED_ATTEMPT,
    # 99 says 转寄 or 退回, and only the words tell which: a person looks.
    "99": Kind.EXCEPTION,
}
FILED = "8000"
FILED_REASONS: dict[str, Kind] = {"6": Kind.LOST, "2": Kind.DAMAGED}


def kind_of(code: str, reason: str = "") -> Kind:
    """The meaning of a code; one of the many unpublished ones is a movement.

    8000 files papers after the delivery (80) and means loss or destruction only with its reason.
    """
    if code == FILED:
        return FILED_REASONS.get(reason, Kind.IN_TRANSIT)
    return KINDS.get(code, Kind.IN_TRANSIT)
