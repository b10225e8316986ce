"""`manage.py watch_folder`: takes in what scanners write into the windows' folders; runs until it is stopped."""

import fcntl
import json
import logging
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from ingest.watching import Watched
from registry.models import Window
from storage.ending import ending_on_signals

log = logging.getLogger("tongban.watching")


class Command(BaseCommand):
    help = (
        "Watches the folders of TONGBAN_WATCH_FOLDERS: each file that has come to rest is taken in as a scanned stack of "
        "its window and moved to done/ or refused/ with a sentence beside it. May be killed at any moment. "
        "Ends on SIGTERM or Ctrl-C; exit 1 when no folder is set or a window is unknown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="take in what rests, print how many, and end")
        parser.add_argument("--every", type=float, default=1, metavar="SECONDS", help="pause between looks")
        parser.add_argument(
            "--settle",
            type=float,
            default=2,
            metavar="SECONDS",
            help="how long a file must not have changed (longer for slow network folders)",
        )

    def handle(self, *args: Any, once: bool, every: float, settle: float, **options: Any) -> None:
        # The kernel may say by SIGIO that somebody opens a file at which we look; unheard it would end us.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        watched = _watched(settle)
        with _alone(), ending_on_signals() as over:
            if once:
                ended = _look(watched)
                over.wait(settle)
                self.stdout.write(json.dumps({"files": ended + _look(watched)}))
                return
            while not over.is_set():
                _look(watched)
                close_old_connections()
                over.wait(every)


def _watched(settle: float) -> list[Watched]:
    if not settings.WATCH_FOLDERS:
        raise CommandError("no folder is watched: set TONGBAN_WATCH_FOLDERS", returncode=1)
    found = []
    for code, folder in settings.WATCH_FOLDERS.items():
        window = Window.objects.filter(code=code).first()
        if window is None:
            raise CommandError(f"there is no window {code} (TONGBAN_WATCH_FOLDERS)", returncode=1)
        found.append(Watched(window, folder, settle))
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """Two watchers would take nothing in twice, but each would report what the other has moved."""
    with (settings.DATA_DIR / "watch_folder.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("the folders are watched by another process already", returncode=1) from None
        yield


def _look(watched: list[Watched]) -> int:
    """A round over every folder; one that cannot be worked in does not keep the others from their turn."""
    ended = 0
    for one in watched:
        try:
            ended += one.round(timezone.now())
        except OSError as fault:
            log.error("the folder of window %s: %s", one.window.code, fault.strerror)  # noqa: TRY400
    return ended
