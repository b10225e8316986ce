"""Reading a page again, by the same engine where it found no text, and choosing which reading counts."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from ingest.models import Page
from ingest.rules import NotNow
from ocr.engines.choice import ENGINES
from ocr.engines.process import engine_of_process
from ocr.models import Reading, Review
from ocr.services.correcting import may_be_settled
from ocr.services.reading import read
from ocr.services.review import let_count, takes_nothing_away
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused


def ask_again(*, page: Page, engine: str, actor: Actor, now: datetime) -> None:
    """Have the page read by this engine as it is installed now; the work is done apart. Raises NotNow.

    Where the engine found no text, or its work was given up, it is a further try, and the former one stays. Asked
    twice before it is done, it is one try.
    """
    check_may(actor, "page.correct", page)
    if engine not in ENGINES:
        raise Refused("no_engine", "没有这种识别引擎，请刷新页面。")
    _check_open(page)
    with transaction.atomic():
        record(
            kind="page.reading_asked",
            actor=actor,
            subject=page,
            now=now,
            case_number=page.case.number,
            data={"engine": engine, "attempt": _next_attempt(page, engine)},
        )


def read_again(*, page: Page, engine: str, actor: Actor, now: datetime, attempt: int = 1) -> Reading | None:
    """Read the page by this engine and let that reading count; one that is there already is not made again.

    A try without text does not displace a reading with text; a person may still choose it. What people corrected
    stays, wherever the new reading finds its lines. Nothing happens any more once the case is with its offices. Raises
    what `read` raises.
    """
    if not may_be_settled(page):
        return None
    reading = read(
        page=page,
        actor=actor,
        now=now,
        engine=engine_of_process(engine, settings.OCR_BACKEND),
        attempt=attempt,
    )
    if not takes_nothing_away(page, reading):
        return reading
    return choose(page=page, reading=reading, actor=actor, now=now)


def choose(*, page: Page, reading: Reading, actor: Actor, now: datetime) -> Reading:
    """Let another of the page's readings count. Chosen already, nothing happens."""
    check_may(actor, "page.correct", page)
    if reading.page_id != page.pk:
        raise Refused("other_page", "这不是这一页的识别结果，请刷新页面。")
    with transaction.atomic():
        review = Review.objects.select_for_update().filter(page=page).first()
        _check_open(page)
        if review is not None and review.reading_id == reading.pk:
            return reading
        let_count(page=page, reading=reading, now=now)
        record(
            kind="page.reading_chosen",
            actor=actor,
            subject=page,
            now=now,
            case_number=page.case.number,
            data={"reading": reading.pk, "engine": reading.engine},
        )
    return reading


def _next_attempt(page: Page, engine: str) -> int:
    without_text = Reading.objects.filter(page=page, engine=engine).exclude(failure="")
    return (without_text.aggregate(last=Max("attempt"))["last"] or 0) + 1


def _check_open(page: Page) -> None:
    if not may_be_settled(page):
        raise NotNow("case_not_open", "办件已提交，卷宗已经签章，不能再换识别结果；补正时可以重新识别。")
