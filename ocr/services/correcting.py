"""A person looks at a doubted line beside its image and says what stands there; the reading itself stays."""

import unicodedata
from datetime import datetime

from django.db import transaction

from ingest.models import Page
from ingest.rules import CaseState, HandlingState, NotNow
from ocr.models import Correction, Reading, Review
from ocr.services.review import let_count, standing_of
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused

LONGEST = 500
"""Characters of one line; the longest printed line on A3 has about 150."""


def settle(*, page: Page, reading: Reading, line: int, text: str, actor: Actor, now: datetime) -> Correction:
    """Keep what a person says stands in a line of the reading that counts; the same text confirms it.

    An empty text says that nothing is printed there. Said again, nothing happens again. Raises NotNow when the case
    is with its offices, or when the page was read again meanwhile.
    """
    check_may(actor, "page.correct", page)
    said = _clean(text)
    with transaction.atomic():
        review = Review.objects.select_for_update().filter(page=page).first()
        _check_open(page)
        if review is None or review.reading_id != reading.pk:
            raise _read_meanwhile()
        stands = standing_of(page, reading)
        if not 0 <= line < len(stands.lines):
            raise Refused("no_line", "这一页没有这一行，请刷新页面。")
        mark, now_there = stands.marks.get(line), stands.lines[line]
        known = Correction.objects.filter(page=page, line=line, reading=reading).order_by("pk").last()
        if known is not None and mark is not None and mark.text == said:
            return known
        original = mark.original if mark else now_there.text
        correction = Correction.objects.create(
            page=page,
            reading=reading,
            line=line,
            box=[list(corner) for corner in now_there.box],
            original=original,
            text=said,
            confirms=said == original,
            corrected_by=actor.label,
            corrected_at=now,
        )
        let_count(page=page, reading=reading, now=now)
        record(
            kind="page.line_confirmed" if correction.confirms else "page.line_corrected",
            actor=actor,
            subject=page,
            now=now,
            case_number=page.case.number,
            data={"correction": correction.pk, "reading": reading.pk, "line": line},
        )
    return correction


def keep_as_image(*, page: Page, reading: Reading, actor: Actor, now: datetime) -> Review:
    """Say that a page that could not be read goes into the dossier as a picture. Said again, nothing happens again.

    Raises NotNow when the case is with its offices, or when the page was read again meanwhile.
    """
    check_may(actor, "page.correct", page)
    with transaction.atomic():
        review = Review.objects.select_for_update().filter(page=page).first()
        _check_open(page)
        if review is None or review.reading_id != reading.pk:
            raise _read_meanwhile()
        if not reading.unreadable:
            raise Refused("page_was_read", "这一页已经识别出文字，请逐行核对。")
        if review.image_at is not None:
            return review
        Review.objects.filter(pk=review.pk).update(image_by=actor.label, image_at=now)
        review = let_count(page=page, reading=reading, now=now)
        record(
            kind="page.kept_as_image",
            actor=actor,
            subject=page,
            now=now,
            case_number=page.case.number,
            data={"reading": reading.pk, "failure": reading.failure},
        )
    return review


def may_be_settled(page: Page) -> bool:
    """Whether the page's case is at the window, so that its text may still be corrected."""
    case = page.case
    if case.state in (CaseState.DRAFT, CaseState.SUPPLEMENT):
        return True
    return case.handlings.filter(state=HandlingState.SUPPLEMENT).exists()


def _read_meanwhile() -> NotNow:
    return NotNow("read_again", "这一页刚刚重新识别过，请刷新后再核对。")


def _check_open(page: Page) -> None:
    if not may_be_settled(page):
        raise NotNow("case_not_open", "办件已提交，卷宗已经签章，文字不能再改；补正时可以再核对。")


def _clean(text: str) -> str:
    """One line of text; Raises Refused for what cannot be one."""
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) > LONGEST:
        raise Refused("line_too_long", f"一行最多 {LONGEST} 个字，请只填写这一行的文字。")
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Zl", "Zp"} for letter in text):
        raise Refused("line_unprintable", "文字里有不能打印的字符，请删去后再保存。")
    return text
