"""Which region an address lies in, by the names of the regions that the directory knows."""

from registry.models import Region


def region_in(address: str) -> str:
    """GB/T 2260 code of the deepest known region that an address begins with, or "".

    "浙江省绍兴市诸暨市…" and "诸暨市…" both give 330681: each name counts from where the one before it ended, the
    longest name wins, and a name that several regions bear (城关镇) says nothing until the region above is known.
    """
    text = "".join(address.split())
    regions = list(Region.objects.values_list("name", "code"))
    code = ""
    while True:
        fits = [(name, below) for name, below in regions if text.startswith(name) and _lies_in(below, code)]
        longest = max((name for name, _ in fits), key=len, default="")
        found = {below for name, below in fits if name == longest}
        if len(found) != 1:
            return code
        text, code = text[len(longest) :], found.pop()


def _lies_in(code: str, above: str) -> bool:
    """Whether a code lies strictly below another; trailing pairs of zeros stand for "all of it"."""
    prefix = above
    while prefix.endswith("00"):
        prefix = prefix[:-2]
    return code != above and code.startswith(prefix)
