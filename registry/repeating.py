"""One effect for a form that is sent again: the second sending is led to where the first one led.

Unlike a call of the API (`registry.idempotency`), a person waits: who clicks twice is not told that the first click is
still at work but sees what it made. So the mark of the form and its effect are one transaction.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from registry.models import SentForm

KEPT = timedelta(days=3)
SWEPT_AT_ONCE = 1000


def send_once(*, user_id: int, mark: str, act: Callable[[], str], now: datetime) -> str:
    """Does `act` for the first sending of the form with this mark, and answers the address that it answered.

    A sending beside it waits until the first is through. What `act` raises undoes the mark too: a refused form may be
    sent again as it is.
    """
    with transaction.atomic():
        try:
            with transaction.atomic():
                sent = SentForm.objects.create(user_id=user_id, mark=mark, sent_at=now)
        except IntegrityError:
            return SentForm.objects.get(user_id=user_id, mark=mark).led_to
        sent.led_to = act()
        sent.save(update_fields=["led_to"])
    return sent.led_to


def sweep_forms(*, now: datetime) -> int:
    """Forget forms that nobody has on the screen any more; how many."""
    old = SentForm.objects.filter(sent_at__lte=now - KEPT).values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    return SentForm.objects.filter(pk__in=list(old)).delete()[0]
