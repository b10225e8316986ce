"""A brake on pages that anybody may open: so many calls from one address, and from all, in ten minutes."""

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

    def __init__(self) -> None:
        minutes = int(WINDOW.total_seconds() // 60)
        super().__init__("too-often", f"访问过于频繁，请 {minutes} 分钟后再试。", can_retry=True)


@dataclass(frozen=True)
class Brake:
    """One page's brake. `from_one` calls of an address and `from_all` of everybody are let through in a window."""

    name: str
    from_one: int
    from_all: int

    def count(self, *, caller: str, now: datetime) -> None:
        """Count this call; the address is kept as a keyed digest until its window is over. Raises TooOften."""
        length = int(WINDOW.total_seconds())
        window = datetime.fromtimestamp(int(now.timestamp()) // length * length, UTC)
        CallCount.objects.filter(window__lt=window).delete()
        for who, most in ((blind_index(f"{self.name}:{caller}"), self.from_one), (EVERYBODY, self.from_all)):
            with transaction.atomic():
                CallCount.objects.get_or_create(brake=self.name, caller=who, window=window)
                counted = CallCount.objects.filter(brake=self.name, caller=who, window=window, count__lt=most)
                if not counted.update(count=F("count") + 1):
                    raise TooOften
