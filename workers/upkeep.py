"""What is looked after by the clock rather than by an event: couriers, pushes, and timestamps that grow old."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from dossier.services import renew_due
from dossier.services.anchoring import anchor_audit
from ingest.piecewise import sweep_uploads
from ingest.services.clock import tell_passed_deadlines
from ingest.services.expiring import tell_endings
from ingest.services.problems import watch_problems
from ingest.services.promises import watch_promises
from ingest.services.tallying import tally_figures
from ingest.telling.notices import forget_notices
from logistics.couriers.errors import CourierError
from logistics.postage.fees import ask_fees
from logistics.services.chasing import chase_overdue
from logistics.services.judging import tell_forgeries
from logistics.services.lateness import watch_late_originals
from logistics.services.purging import purge_inbox
from logistics.services.subscribing import move_subscriptions
from logistics.services.taking_in import sweep_inbox
from logistics.services.tracking import overdue, poll, watch_silence
from logistics.services.waybills import resume_waybills
from registry.agreeing import tell_overdue_directories
from registry.idempotency import sweep_calls
from registry.repeating import sweep_forms
from storage.errors import Refused
from storage.scratch import clear_left_behind

log = logging.getLogger("tongban.upkeep")
MOST_POLLS = 50
"""Waybills asked about in one round; the rest have their turn in the next."""
MOST_RENEWALS = 20
"""Dossiers whose timestamp is renewed in one round; each takes about a second."""


def round_of_upkeep(*, now: datetime) -> dict[str, int]:
    """Do every duty once; one that fails is logged and does not keep the others from their turn."""
    return {name: _do(name, duty, now) for name, duty in DUTIES.items()}


def ask_couriers(*, now: datetime) -> int:
    """Poll the couriers about parcels on the road from which nothing was heard."""
    heard = 0
    for waybill in overdue(now)[:MOST_POLLS]:
        try:
            heard += poll(waybill=waybill, now=now)
        except (CourierError, Refused) as fault:
            log.warning("waybill %s: %s, asked again later", waybill.reference, fault.code)
    return heard


def renew_timestamps(*, now: datetime) -> int:
    """Renew the timestamps of dossiers before they run out."""
    return renew_due(now=now, within=timedelta(days=settings.STAMP_RENEWAL_DAYS), at_most=MOST_RENEWALS)


def clear_scratch(*, now: datetime) -> int:
    """Remove what killed processes left in the temporary folder of this machine."""
    return clear_left_behind()


DUTIES: Mapping[str, Callable[..., int]] = {
    "resume_waybills": resume_waybills,
    "move_subscriptions": move_subscriptions,
    "sweep_inbox": sweep_inbox,
    "tell_forgeries": tell_forgeries,
    "purge_inbox": purge_inbox,
    "ask_couriers": ask_couriers,
    "watch_silence": watch_silence,
    "ask_fees": ask_fees,
    "renew_timestamps": renew_timestamps,
    "anchor_audit": anchor_audit,
    "watch_promises": watch_promises,
    "watch_problems": watch_problems,
    "clear_scratch": clear_scratch,
    "sweep_calls": sweep_calls,
    "sweep_forms": sweep_forms,
    "forget_notices": forget_notices,
    "sweep_uploads": sweep_uploads,
    "watch_late_originals": watch_late_originals,
    "chase_overdue": chase_overdue,
    "tell_passed_deadlines": tell_passed_deadlines,
    "tell_overdue_directories": tell_overdue_directories,
    "tell_endings": tell_endings,
    "tally_figures": tally_figures,
}


def _do(name: str, duty: Callable[..., int], now: datetime) -> int:
    try:
        return duty(now=now)
    except Exception as fault:  # noqa: BLE001 — kept in the log by its kind; the next round tries again
        log.error("%s failed: %s", name, getattr(fault, "code", type(fault).__name__))  # noqa: TRY400
        return 0
