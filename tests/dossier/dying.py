"""`python -m tests.dossier.dying ACT PLACE BEFORE|AFTER KEY`: a process that kills itself at one step of an act."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import django
from django.conf import settings

django.setup()

import dossier.sign  # noqa: E402
from dossier.models import Dossier  # noqa: E402
from dossier.services import build, building, countersign, countersigning, renew, renewing  # noqa: E402
from ingest.models import Handling  # noqa: E402
from registry.actors import SYSTEM, Actor  # noqa: E402
from registry.models import User  # noqa: E402
from tests.dossier.cases import LATER  # noqa: E402

PLACES = {
    "assemble": (building, "assemble"),
    "seal": (building, "seal_pdf"),
    "store": (building, "store_file"),
    "record": (building, "record"),
    "countersign.seal": (countersigning, "seal_pdf"),
    "countersign.store": (countersigning, "store_file"),
    "countersign.record": (countersigning, "record"),
    "renew.stamp": (renewing, "renew_timestamp"),
    "renew.store": (countersigning, "store_file"),
    "renew.record": (countersigning, "record"),
}


def die(*_args: Any, **_named: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def step(*args: Any, **named: Any) -> None:
        real(*args, **named)
        die()

    return step


def set_clock(to: datetime) -> None:
    """The clock of seals and timestamps reads `to`; what is made on it stays in a folder of the test."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return to.astimezone(tz)

    setattr(dossier.sign, "datetime", Moved)  # noqa: B010  # the module's own name for the clock


def main(act: str, place: str, when: str, key: int) -> None:
    settings.AUTHORITY_DIR = Path(os.environ["DYING_AUTHORITY"])
    module, name = PLACES[place]
    setattr(module, name, die if when == "before" else dies_after(getattr(module, name)))
    if act == "build":
        build(handling=Handling.objects.get(pk=key), version=1, actor=SYSTEM, now=LATER)
    elif act == "countersign":
        officer = Actor.of(User.objects.get(username="officer"))
        countersign(dossier=Dossier.objects.get(pk=key), actor=officer, now=LATER)
    else:
        found = Dossier.objects.get(pk=key)
        assert found.stamp_ends_at is not None
        now = found.stamp_ends_at - timedelta(days=150)
        set_clock(now)
        renew(dossier=found, actor=SYSTEM, now=now)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
