"""到件比对: the office rescans an original that arrived; its pages are held against the signed ones; a person judges."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from dossier.arrivals import (
    ArrivalState,
    ArrivalVerdict,
    SheetMatch,
    Spot,
    likeliest,
    outcome_of,
)
from dossier.models import ArrivalComparison, ArrivedPage, Dossier, DossierState
from dossier.services.leafing import known_leaves
from ingest.examining import examine
from ingest.inspect import SignedPage, match_page
from ingest.models import Original, Page
from ingest.uploads import digest_of
from ocr.engines.interface import Engine, EngineFailed
from ocr.engines.process import engine_of_process
from ocr.findings import texts_of
from ocr.lines import Line
from ocr.pictures import UnreadablePicture
from ocr.reading import read_page
from ocr.rescans import beside
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.rules.talk import fitting
from storage.errors import Refused
from storage.models import Kind
from storage.scratch import scratch
from storage.services import fetch_to, store_file

log = logging.getLogger(__name__)

MOST_SHEETS = 200
MOST_TRIED = 20
"""Signed pages that one arrived page is held against at most."""

LONGEST_REASON = 200


def take_rescan(*, original: Original, path: Path, actor: Actor, now: datetime) -> ArrivalComparison:
    """The office's scan of an original that lies there. The same file again is the same comparison.

    Opened in a limited child and checked for viruses, as any file. Call outside a transaction. Raises Refused when
    there is nothing to compare with, or when the scan is not taken in.
    """
    check_may(actor, "original.compare", original)
    if (original.place, original.place_id) != (Original.Place.OFFICE, actor.office_id):
        raise Refused("original_not_here", f"“{original.name}”不在本部门，收到后才能比对。")
    dossier, leaves = _signed_pages(original, actor)
    known = ArrivalComparison.objects.filter(
        original=original, dossier=dossier, sha256=digest_of(path)
    ).first()
    if known is not None:
        return known
    with scratch("arrival") as folder:
        found = examine(path, folder, most_pages=MOST_SHEETS)
        if found.refused:
            raise Refused(found.code, f"到件的扫描件没有收下：{found.reason}")
        written = [page for page in found.pages if not page.blank]
        if not written:
            raise Refused("rescan_blank", "扫描件全是空白页，请把有字的一面朝向扫描方向重新扫描。")
        kept = [
            store_file(path=page.path, kind=Kind.PHOTO, media_type=page.media_type, now=now)
            for page in written
        ]
    with transaction.atomic():
        comparison, new = ArrivalComparison.objects.get_or_create(
            original=original,
            dossier=dossier,
            sha256=found.sha256,
            defaults={
                "leaves": [page.pk for page in leaves],
                "asked_by": actor.label,
                "asked_at": now,
            },
        )
        if new:
            ArrivedPage.objects.bulk_create(
                ArrivedPage(
                    comparison=comparison,
                    number=number,
                    stored=stored,
                    width=page.width,
                    height=page.height,
                    rotation=page.rotation,
                )
                for number, (page, stored) in enumerate(zip(written, kept, strict=True), 1)
            )
            _tell(comparison, "arrival.rescanned", actor, now, pages=len(written), signed=len(leaves))
    return comparison


def compare_arrival(
    *, comparison: ArrivalComparison, actor: Actor, now: datetime, engine: Engine | None = None
) -> None:
    """Hold the arrived pages against the signed ones and keep where they differ; done already, nothing happens.

    Call outside a transaction: it reads, and asks children. Raises what the store raises (Unavailable, Damaged).
    """
    if comparison.state != ArrivalState.WAITING:
        return
    pages = Page.objects.select_related("stored").in_bulk(comparison.leaves)
    leaves = [pages[pk] for pk in comparison.leaves]
    texts = [list(text.standing.printed) if text.standing is not None else [] for text in texts_of(leaves)]
    with scratch("arrival") as folder:
        signed = [folder / f"signed-{number}" for number in range(len(leaves))]
        for page, path in zip(leaves, signed, strict=True):
            fetch_to(page.stored, path)
        found = []
        for arrived in comparison.pages.select_related("stored").order_by("number"):
            sheet = folder / f"sheet-{arrived.number}"
            fetch_to(arrived.stored, sheet)
            read = _read(sheet, engine) if any(texts) else []
            found.append(_matched(arrived.number, sheet, read, signed, texts))
            sheet.unlink()
    outcome = outcome_of(found, len(leaves))
    with transaction.atomic():
        moved = ArrivalComparison.objects.filter(pk=comparison.pk, state=ArrivalState.WAITING.value).update(
            state=ArrivalState.COMPARED.value, result=outcome.to_json(), compared_at=now
        )
        if moved:
            _tell(
                comparison,
                "arrival.compared",
                actor,
                now,
                suggestion=outcome.suggestion.value,
                differing=sum(match.differs for match in outcome.sheets),
                missing=len(outcome.missing),
                extra=len(outcome.extra),
            )
    comparison.refresh_from_db()


def judge_arrival(
    *, comparison: ArrivalComparison, verdict: ArrivalVerdict, reason: str, actor: Actor, now: datetime
) -> None:
    """A person's verdict on an arrived original, once; said again in the same way it stays.

    A reason (no personal data) is needed unless machine and person both find nothing. That the paper differs opens an
    incident, by the event.
    """
    check_may(actor, "original.compare", comparison)
    words = fitting(" ".join(reason.split()), longest=LONGEST_REASON, what="理由")
    with transaction.atomic():
        held = ArrivalComparison.objects.select_for_update().get(pk=comparison.pk)
        if held.state == ArrivalState.JUDGED:
            if (held.verdict, held.reason) == (verdict, words):
                return
            raise Refused(
                "arrival_judged",
                f"这次比对已认定为“{held.get_verdict_display()}”，如需改判请重新扫描比对。",
            )
        if held.state == ArrivalState.WAITING and verdict != ArrivalVerdict.UNCOMPARABLE:
            raise Refused("arrival_waiting", "还在比对，请稍候刷新后再认定。", can_retry=True)
        plain = verdict == ArrivalVerdict.SAME and held.outcome.suggestion == ArrivalVerdict.SAME
        if not words and not plain:
            raise Refused("arrival_reason", "请写明理由：哪里不同、为什么无法比对，或为什么仍认定一致。")
        ArrivalComparison.objects.filter(pk=held.pk).update(
            state=ArrivalState.JUDGED.value,
            verdict=verdict.value,
            reason=words,
            judged_by=actor.label,
            judged_at=now,
        )
        _tell(held, "arrival.judged", actor, now, verdict=verdict.value)
    comparison.refresh_from_db()


def _signed_pages(original: Original, actor: Actor) -> tuple[Dossier, list[Page]]:
    """The newest signed dossier of this office's handling, and the pages of the original's material in it."""
    nothing = Refused("nothing_signed", "这份原件没有可比对的卷宗页：卷宗尚未签章，或卷宗内没有这项材料。")
    if original.material is None:
        raise nothing
    dossier = (
        Dossier.objects.filter(
            handling__case=original.case_id,
            handling__office=actor.office_id,
            state=DossierState.SIGNED.value,
        )
        .order_by("-version")
        .first()
    )
    if dossier is None:
        raise nothing
    pages = {page.sha256: page for page in Page.objects.filter(material=original.material)}
    signed = [
        pages[leaf.sha256]
        for leaf in known_leaves(dossier)
        if leaf.material == original.material.name and leaf.sha256 in pages
    ]
    signed = [page for page in signed if not page.blank]
    if not signed:
        raise nothing
    return dossier, signed


def _read(sheet: Path, engine: Engine | None) -> list[Line]:
    """The lines on an arrived page; none where nothing could be read, for then the picture alone has to tell."""
    try:
        reader = engine or engine_of_process(settings.OCR_ENGINE, settings.OCR_BACKEND)
        return list(read_page(sheet, reader).lines)
    except (UnreadablePicture, EngineFailed) as fault:
        log.warning("an arrived page is compared by its picture alone: %s", type(fault).__name__)
        return []


def _matched(
    number: int, sheet: Path, lines: list[Line], signed: Sequence[Path], texts: Sequence[list[Line]]
) -> SheetMatch:
    read = [beside(text, lines) for text in texts]
    order = likeliest([one.likeness for one in read], expected=number - 1, most=MOST_TRIED)
    found = match_page(
        sheet, [SignedPage(signed[leaf], read[leaf].alike, read[leaf].otherwise) for leaf in order]
    )
    if found.index is None:
        return SheetMatch(number, None)
    spots = tuple(Spot(place.kind, place.signed, place.sheet) for place in found.places)
    return SheetMatch(number, order[found.index], found.agreement, found.unseen, spots, found.further)


def _tell(comparison: ArrivalComparison, kind: str, actor: Actor, now: datetime, **data: object) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=comparison,
        now=now,
        case_number=comparison.original.case.number,
        data={"original": comparison.original_id, "dossier": comparison.dossier_id, **data},
    )
