"""kdniao's states in our vocabulary; source: the vendor's published tables of State and StateEx."""

from logistics.rules.tracking import TrackingKind as Kind

KINDS: dict[str, Kind] = {
    "1": Kind.COLLECTED,
    "10": Kind.ORDERED,
    "2": Kind.IN_TRANSIT,
    "201": Kind.ARRIVED_CITY,
    "202": Kind.OUT_FOR_DELIVERY,
    "204": Kind.IN_TRANSIT,
    "205": Kind.IN_TRANSIT,
    "206": Kind.IN_TRANSIT,
    "211": Kind.AT_LOCKER,
    "3": Kind.DELIVERED,
    "301": Kind.DELIVERED,
    "302": Kind.DELIVERED,
    "304": Kind.DELIVERED,
    "311": Kind.DELIVERED,
    "4": Kind.EXCEPTION,
    "404": Kind.REFUSED,
    "405": Kind.FAILED_ATTEMPT,
    "406": Kind.RETURNED,
    "407": Kind.RETURNING,
    "414": Kind.DAMAGED,
    "415": Kind.CANCELLED,
    "416": Kind.FAILED_ATTEMPT,
    "418": Kind.DELIVERED,
    "419": Kind.OUT_FOR_DELIVERY,
    "5": Kind.IN_TRANSIT,
    "6": Kind.CUSTOMS,
    "601": Kind.CUSTOMS,
    "602": Kind.CUSTOMS,
    "603": Kind.CUSTOMS,
    "604": Kind.CUSTOMS,
}


def kind_of(code: str) -> Kind:
    """The meaning of a StateEx or State; an unknown one falls back to its hundreds digit, then to EXCEPTION."""
    if code in KINDS:
        return KINDS[code]
    if len(code) == 3 and code.isdigit() and code[0] in KINDS:
        return KINDS[code[0]]
    return Kind.EXCEPTION
