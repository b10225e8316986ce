"""Which region an address lies in, by the names of the regions that the directory knows."""

from registry.models import Region


def region_in(address: str) -> str:
    """GB/T 2260 code of the deepest known region that an address begins with, or "".

    "浙江省绍兴市诸暨市…" and "诸暨市…" both give 330681: every name counts from where the one before it ended, and
    the longest name wins.
    """
    text = "".join(address.split())
    names = sorted(Region.objects.values_list("name", "code"), key=lambda region: -len(region[0]))
    code = ""
    while True:
        fits = ((name, below) for name, below in names if text.startswith(name) and _lies_in(below, code))
        name, found = next(fits, ("", ""))
        if not found:
            return code
        text, code = text[len(name) :], found


def _lies_in(code: str, above: str) -> bool:
    """Whether a code lies strictly below another; trailing pairs of zeros stand for "all of it"."""
    prefix = above
    while prefix.endswith("00"):
        prefix = prefix[:-2]
    return code != above and code.startswith(prefix)
