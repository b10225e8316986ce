"""A brake on pages that anybody may open: so many calls from one address, and from all, in ten minutes.

Counted in the database, so that it holds for every process.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from registry.models import CallCount
from storage.encryption import blind_index
from storage.errors import Refused

WINDOW = timedelta(minutes=10)
EVERYBODY = "*"


class TooOften(Refused):
    """Called too often for now."""


@dataclass(frozen=True)
class Brake:
    """One page's brake. `from_one` calls of an address and `from_all` of everybody are let through in a window.

    `code` and `words` are what whoever is braked is told; `{minutes}` in the words is how long a window is.
    """

    name: str
    from_one: int
    from_all: int
    code: str = "too-often"
    words: str = "访问过于频繁，请 {minutes} 分钟后再试。"

    def count(self, *, caller: str, now: datetime) -> None:
        """Count this call; the address is kept as a keyed digest until its window is over. Raises TooOften."""
        length = int(WINDOW.total_seconds())
        window = datetime.fromtimestamp(int(now.timestamp()) // length * length, UTC)
        CallCount.objects.filter(window__lt=window).delete()
        one = blind_index(f"{self.name}:{_neighbourhood(caller)}")
        for who, most in ((one, self.from_one), (EVERYBODY, self.from_all)):
            with transaction.atomic():
                CallCount.objects.get_or_create(brake=self.name, caller=who, window=window)
                counted = CallCount.objects.filter(brake=self.name, caller=who, window=window, count__lt=most)
                if not counted.update(count=F("count") + 1):
                    raise TooOften(self.code, self.words.format(minutes=length // 60), can_retry=True)


def _neighbourhood(caller: str) -> str:
    """One household or host: a whole IPv6 network of 64 bits is as easily had as one address of IPv4."""
    try:
        address = ipaddress.ip_address(caller)
    except ValueError:
        return caller
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    # An IPv4 caller at a socket for both: as one network of IPv6 all of them would be one.
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
