"""The breaker of a courier's host, kept in the database: what one process learned the hard way, the others need not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from logistics.couriers.errors import CircuitOpen
from logistics.models import CourierBreaker

LIMIT = 5
"""Failures in a row after which a host is left alone."""
PAUSE = timedelta(seconds=60)


@dataclass
class SharedBreaker:
    """Opens after `LIMIT` failures in a row of all processes, for `PAUSE`; then one process makes one try.

    Call outside transactions, as the calls themselves are made. A good answer costs a write only after failures.
    """

    host: str
    clock: Callable[[], datetime] = timezone.now

    def ask(self) -> None:
        """Raises `CircuitOpen` while the host is to be left alone."""
        opened_at = self._row().values_list("opened_at", flat=True).first()
        if opened_at is None:
            return
        now = self.clock()
        # Whoever moves the time on is the one that probes; the others keep waiting.
        if now - opened_at < PAUSE or not self._row().filter(opened_at=opened_at).update(opened_at=now):
            raise CircuitOpen

    def note(self, *, failed: bool) -> None:
        """Counts one answer or failure."""
        if not failed:
            self._row().filter(failures__gt=0).update(failures=0, opened_at=None)
            return
        CourierBreaker.objects.get_or_create(host=self.host)
        self._row().update(failures=F("failures") + 1)
        self._row().filter(failures__gte=LIMIT).update(opened_at=self.clock())

    def _row(self) -> QuerySet[CourierBreaker]:
        return CourierBreaker.objects.filter(host=self.host)


def open_breakers(*, now: datetime) -> QuerySet[CourierBreaker]:
    """Hosts that are being left alone."""
    return CourierBreaker.objects.filter(opened_at__gt=now - PAUSE).order_by("host")
