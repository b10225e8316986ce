"""`manage.py relay`: the bridge from recorded events to the workers; runs until it is stopped."""

import logging
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, close_old_connections, connection
from django.db import OperationalError as DatabaseAway
from django.utils import timezone
from kombu.exceptions import OperationalError

from config import celery
from storage.ending import Ending, ending_on_signals
from workers import reaper, relay

log = logging.getLogger("tongban.relay")
REAP_EVERY = 5.0
DATABASE_PAUSE = 1.0
"""Seconds until the database is tried again after it did not answer."""


class Command(BaseCommand):
    help = (
        "Turns recorded events into jobs, sends due jobs to the workers and takes up jobs whose worker died. "
        "Several may run at once. Ends on SIGTERM or Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="make one round and end")
        parser.add_argument("--pause", type=float, default=0.2, help="seconds between rounds (default 0.2)")
        parser.add_argument(
            "--resend",
            type=float,
            default=relay.RESEND_AFTER.total_seconds(),
            metavar="SECONDS",
            help="send a job's message again after this long without effect (default 60)",
        )

    def handle(self, *args: Any, once: bool, pause: float, resend: float, **options: Any) -> None:
        with ending_on_signals() as over:
            self._run(over, once=once, pause=pause, resend=timedelta(seconds=resend))

    def _run(self, over: Ending, *, once: bool, pause: float, resend: timedelta) -> None:
        rounds_between = max(1, round(REAP_EVERY / pause)) if pause else 1
        rounds = 0
        while not over.is_set():
            try:
                busy = self._round(resend, reap=rounds % rounds_between == 0)
            except (DatabaseAway, InterfaceError) as fault:
                if once:
                    raise
                # What was not committed is still unpublished or due; a new connection is made when it is back.
                log.warning("the database does not answer (%s)", type(fault).__name__)
                connection.close()
                over.wait(DATABASE_PAUSE)
                continue
            rounds += 1
            if once:
                return
            if not busy:
                over.wait(pause)
            close_old_connections()

    def _round(self, resend_after: timedelta, *, reap: bool) -> bool:
        if reap:
            reaper.reap(now=timezone.now())
        published = relay.publish(now=timezone.now())
        try:
            sent = relay.send_due(send=celery.send, now=timezone.now(), resend_after=resend_after)
        except OperationalError as fault:
            # The jobs stay due in the database and are sent as soon as the broker is back.
            log.warning("the broker does not answer (%s)", type(fault).__name__)
            return False
        return bool(published or sent)
