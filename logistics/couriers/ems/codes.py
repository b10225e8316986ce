"""EMS's operation codes in our vocabulary, and which code voids which; only those that public sources agree on."""

from logistics.rules.tracking import TrackingKind as Kind

KINDS: dict[str, Kind] = {
    "203": Kind.COLLECTED,
    "305": Kind.IN_TRANSIT,
    "389": Kind.IN_TRANSIT,
    "954": Kind.IN_TRANSIT,
    "713": Kind.ARRIVED_CITY,
    "702": Kind.OUT_FOR_DELIVERY,
    "704": Kind.DELIVERED,
    "705": Kind.FAILED_ATTEMPT,
    "708": Kind.RETURNING,
    "741": Kind.RETURNING,
    "711": Kind.RETURNED,
    "723": Kind.FAILED_ATTEMPT,
    "747": Kind.AT_LOCKER,
    "748": Kind.DELIVERED,
    "756": Kind.IN_TRANSIT,
    "802": Kind.IN_TRANSIT,
    "803": Kind.IN_TRANSIT,
    "801": Kind.CANCELLED,
    "013": Kind.EXCEPTION,
    "987": Kind.LOST,
    "988": Kind.LOST,
}

VOIDS: dict[str, tuple[str, ...]] = {
    "207": ("203",),
    "212": ("208",),
    "304": ("303", "336", "345"),
    "742": ("702",),
    "743": ("704",),
    "744": ("705",),
    "424": ("423",),
    "448": ("447",),
    "472": ("404",),
    "474": ("405",),
    "483": ("482",),
}
"""Reversals: the code → the codes of which it takes back the latest."""

REFUSED_ATTEMPT = "7"
LOST_ATTEMPT = "13"


def voided_by(code: str) -> tuple[str, ...]:
    """The codes that this one takes back; letter codes ending in D (EDAD, EXAD) void the code without it."""
    if code in VOIDS:
        return VOIDS[code]
    return (code[:-1],) if len(code) == 4 and code.isalpha() and code.endswith("D") else ()


def kind_of(code: str, *, attempt: str = "") -> Kind:
    """The meaning of a code; unknown ones are movements. `attempt` is the reason of an attempt that failed."""
    if voided_by(code):
        return Kind.REVERSAL
    if code == "705" and attempt == REFUSED_ATTEMPT:
        return Kind.REFUSED
    if code == "705" and attempt == LOST_ATTEMPT:
        return Kind.LOST
    return KINDS.get(code, Kind.IN_TRANSIT)
