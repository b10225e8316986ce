"""Reading a page of a case: once for the same engine and settings, outside the transaction, never fatal."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from ingest.models import Page
from ocr.doubts import read_doubtful
from ocr.engines.choice import other_engine
from ocr.engines.interface import CutReader, Engine, EngineFailed
from ocr.engines.process import engine_of_process
from ocr.fields import FINDERS_VERSION, Field, find_fields
from ocr.models import Reading
from ocr.pictures import Picture, UnreadablePicture, open_picture
from ocr.reading import PageText, read_page
from ocr.services.review import let_count, takes_nothing_away
from ocr.signing import any_labels, blank_places
from registry.actors import Actor
from registry.events import record
from storage.scratch import scratch
from storage.services import fetch_to

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one try: a text, or the code of why there is none."""

    text: PageText | None
    fields: tuple[Field, ...]
    failure: str
    seconds: float


def read(
    *, page: Page, actor: Actor, now: datetime, engine: Engine | None = None, attempt: int = 1
) -> Reading:
    """Read a page and keep what was found; asked again, return the reading that is there.

    A page that cannot be read gets a reading without lines that says why, so that its case goes on; a higher `attempt`
    (from 1) tries it once more. Raises what the store raises when the page's bytes cannot be fetched (Unavailable,
    Damaged), and EngineFailed when the engine cannot be started at all.
    """
    engine = engine or engine_of_process(settings.OCR_ENGINE, settings.OCR_BACKEND)
    there = Reading.objects.filter(Q(failure="") | Q(attempt__gte=attempt), page=page, **_identity(engine))
    known = there.order_by("attempt").last()
    if known is not None:
        return known
    with scratch("reading") as folder:
        path = folder / "page"
        fetch_to(page.stored, path)
        tried = _try(path, engine, page)
    return _keep(page=page, actor=actor, now=now, engine=engine, attempt=attempt, tried=tried)


def _identity(engine: Engine) -> dict[str, Any]:
    return {
        "engine": engine.name,
        "engine_version": engine.version,
        "settings_digest": engine.settings_digest,
        "finders": FINDERS_VERSION,
    }


def _try(path: Path, engine: Engine, page: Page) -> Tried:
    begun = time.monotonic()
    text, fields, failure = None, list[Field](), ""
    try:
        picture = open_picture(path)
        text = read_page(picture, engine)
        fields = _with_second_readings(picture, find_fields(text.lines), engine)
        if any_labels(text.lines):
            fields += blank_places(picture, text.lines)
    except (UnreadablePicture, EngineFailed) as refusal:
        failure = refusal.code
    except Exception as fault:  # noqa: BLE001  # recorded below: one odd page must not stop its case
        # Only the fault's kind: its message could quote what stands on the page.
        log.error("reading page %s failed with %s", page.pk, type(fault).__name__)  # noqa: TRY400
        failure = "ocr_fault"
    return Tried(text, tuple(fields), failure, time.monotonic() - begun)


def _with_second_readings(picture: Picture, fields: list[Field], engine: Engine) -> list[Field]:
    """Let the other engine read the numbers in doubt; where it is not installed, they stay in doubt."""

    def other() -> CutReader:
        return engine_of_process(other_engine(engine.name), settings.OCR_BACKEND)

    try:
        return read_doubtful(picture, fields, other)
    except EngineFailed:
        log.warning("no second reading: the engine beside %s does not start", engine.name)
        return fields


def _keep(*, page: Page, actor: Actor, now: datetime, engine: Engine, attempt: int, tried: Tried) -> Reading:
    """Store the reading and tell of it; when another worker was faster, its reading counts."""
    with transaction.atomic():
        reading, is_new = Reading.objects.get_or_create(
            page=page, **_identity(engine), attempt=attempt, defaults=_columns(engine, tried, now)
        )
        if is_new:
            _show_upright(page, reading)
            if takes_nothing_away(page, reading):
                let_count(page=page, reading=reading, now=now)
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
                    "second": sum(field.second is not None for field in tried.fields),
                },
            )
    return reading


def _columns(engine: Engine, tried: Tried, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "precision": engine.precision,
        "failure": tried.failure,
        "seconds": round(tried.seconds, 3),
        "read_at": now,
    }
    if tried.text is not None:
        columns |= {
            "angle": tried.text.angle,
            "slope": round(tried.text.slope, 3),
            "lines": [line.to_json() for line in tried.text.lines],
            "fields": [field.to_json() for field in tried.fields],
            "line_count": len(tried.text.lines),
            "uncertain": tried.text.uncertain,
        }
    return columns


def _show_upright(page: Page, reading: Reading) -> None:
    """Turn the page as its text lies, on its first text only: later a person may have turned it otherwise."""
    is_first = not Reading.objects.filter(page=page, failure="").exclude(pk=reading.pk).exists()
    if reading.line_count and is_first:
        Page.objects.filter(pk=page.pk, rotation=page.rotation).update(rotation=reading.angle)
