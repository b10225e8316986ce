"""kuaidi100's states in our vocabulary; source: the published table of states and advanced states."""

from logistics.rules.tracking import TrackingKind as Kind

KINDS: dict[str, Kind] = {
    "0": Kind.IN_TRANSIT,
    "1001": Kind.ARRIVED_CITY,
    "1002": Kind.IN_TRANSIT,
    "1003": Kind.IN_TRANSIT,
    "1": Kind.COLLECTED,
    "101": Kind.ORDERED,
    "102": Kind.ORDERED,
    "103": Kind.COLLECTED,
    "5": Kind.OUT_FOR_DELIVERY,
    "501": Kind.AT_LOCKER,
    "3": Kind.DELIVERED,
    "301": Kind.DELIVERED,
    "302": Kind.DELIVERED,
    "303": Kind.DELIVERED,
    "304": Kind.DELIVERED,
    "6": Kind.RETURNING,
    "4": Kind.RETURNED,
    "401": Kind.CANCELLED,
    # 14 stands both as a state of its own and as an advanced state under 4: the same meaning either way.
    "14": Kind.REFUSED,
    "7": Kind.IN_TRANSIT,
    "2": Kind.EXCEPTION,
    "201": Kind.EXCEPTION,
    "202": Kind.EXCEPTION,
    "203": Kind.REFUSED,
    "204": Kind.FAILED_ATTEMPT,
    "205": Kind.EXCEPTION,
    "206": Kind.FAILED_ATTEMPT,
    "207": Kind.EXCEPTION,
    "208": Kind.EXCEPTION,
    "209": Kind.DAMAGED,
    "210": Kind.CANCELLED,
    "8": Kind.CUSTOMS,
    "10": Kind.CUSTOMS,
    "11": Kind.CUSTOMS,
    "12": Kind.CUSTOMS,
    "13": Kind.EXCEPTION,
}


def kind_of(code: str) -> Kind:
    """The meaning of a state or advanced state; an unknown one falls back to its hundreds digit, then to EXCEPTION."""
    if code in KINDS:
        return KINDS[code]
    if len(code) == 4 and code.startswith("100") and code.isdigit():
        return KINDS["0"]
    if len(code) == 3 and code.isdigit() and code[0] in KINDS:
        return KINDS[code[0]]
    return Kind.EXCEPTION
