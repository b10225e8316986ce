"""Reading a page of a case: once for the same engine and settings, outside the transaction, never fatal."""

import logging
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from ingest.models import Page
from ocr.engines.choice import make_engine
from ocr.engines.interface import Engine, EngineFailed
from ocr.fields import find_fields
from ocr.models import Reading
from ocr.pictures import UnreadablePicture
from ocr.reading import PageText, read_page
from registry.actors import Actor
from registry.events import record
from storage.services import fetch_to

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one try: a text, or the code of why there is none."""

    text: PageText | None
    failure: str
    seconds: float


@lru_cache(maxsize=2)
def engine_of_process(name: str, backend: str) -> Engine:
    """Return this process's engine; loading one takes a second and a third of a gigabyte."""
    return make_engine(name, backend)


def read(*, page: Page, actor: Actor, now: datetime, engine: Engine | None = None) -> Reading:
    """Read a page and keep what was found; asked again, return the reading that is there.

    A page that cannot be read gets a reading without lines that says why, so that its case goes on. Raises what the
    store raises when the page's bytes cannot be fetched (Unavailable, Damaged), and EngineFailed when the engine
    cannot be started at all.
    """
    engine = engine or engine_of_process(settings.OCR_ENGINE, settings.OCR_BACKEND)
    known = Reading.objects.filter(page=page, **_identity(engine)).first()
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        path = Path(folder) / "page"
        fetch_to(page.stored, path)
        attempt = _attempt(path, engine, page)
    return _keep(page=page, actor=actor, now=now, engine=engine, attempt=attempt)


def _identity(engine: Engine) -> dict[str, str]:
    return {
        "engine": engine.name,
        "engine_version": engine.version,
        "settings_digest": engine.settings_digest,
    }


def _attempt(path: Path, engine: Engine, page: Page) -> Attempt:
    begun = time.monotonic()
    text, failure = None, ""
    try:
        text = read_page(path, engine)
    except (UnreadablePicture, EngineFailed) as refusal:
        failure = refusal.code
    except Exception as fault:  # noqa: BLE001  # recorded below: one odd page must not stop its case
        # Only the fault's kind: its message could quote what stands on the page.
        log.error("reading page %s failed with %s", page.pk, type(fault).__name__)  # noqa: TRY400
        failure = "ocr_fault"
    return Attempt(text, failure, time.monotonic() - begun)


def _keep(*, page: Page, actor: Actor, now: datetime, engine: Engine, attempt: Attempt) -> Reading:
    """Store the reading and tell of it; when another worker was faster, its reading counts."""
    with transaction.atomic():
        reading, is_new = Reading.objects.get_or_create(
            page=page, **_identity(engine), defaults=_columns(engine, attempt, now)
        )
        if is_new:
            _show_upright(page, reading)
            record(
                kind="page.read",
                actor=actor,
                subject=page,
                now=now,
                case_number=page.case.number,
                data={
                    "reading": reading.pk,
                    "engine": reading.engine,
                    "lines": reading.line_count,
                    "uncertain": reading.uncertain,
                    "angle": reading.angle,
                    "failure": reading.failure,
                },
            )
    return reading


def _columns(engine: Engine, attempt: Attempt, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "precision": engine.precision,
        "failure": attempt.failure,
        "seconds": round(attempt.seconds, 3),
        "read_at": now,
    }
    if attempt.text is not None:
        columns |= {
            "angle": attempt.text.angle,
            "slope": round(attempt.text.slope, 3),
            "lines": [line.to_json() for line in attempt.text.lines],
            "fields": [field.to_json() for field in find_fields(attempt.text.lines)],
            "line_count": len(attempt.text.lines),
            "uncertain": attempt.text.uncertain,
        }
    return columns


def _show_upright(page: Page, reading: Reading) -> None:
    """Turn the page as its text lies, on its first reading only: later a person may have turned it otherwise."""
    is_first = not Reading.objects.filter(page=page).exclude(pk=reading.pk).exists()
    if reading.line_count and is_first:
        Page.objects.filter(pk=page.pk, rotation=page.rotation).update(rotation=reading.angle)
