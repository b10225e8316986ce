"""补记: what may be added to a signed list for the collector: pictures of the signed sheet, and corrections."""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from ingest.examining import examine
from logistics.models import HandoverEntry, HandoverList
from logistics.rules.handovers import EntryKind, check_signed
from registry import events
from registry.actors import Actor
from registry.permissions import check_may
from storage.errors import Refused
from storage.models import Kind
from storage.scratch import scratch
from storage.services import store_file

MOST_SHEETS = 20
LONGEST_WORDS = 200


def attach_sheet(*, handover: HandoverList, path: Path, actor: Actor, now: datetime) -> list[HandoverEntry]:
    """The signed sheet, scanned or photographed: each page an entry. The same file again adds nothing.

    Opened in a limited child only, and checked for viruses. Call outside a transaction. Raises Refused when it is
    not taken in.
    """
    check_may(actor, "parcel.hand_over", handover)
    check_signed(handover.state)
    with scratch("sheet") as folder:
        found = examine(path, folder, most_pages=MOST_SHEETS)
        if found.refused:
            raise Refused("sheet_unreadable", f"签字件打不开：{found.reason}")
        kept = [
            (store_file(path=page.path, kind=Kind.PHOTO, media_type=page.media_type, now=now), page.rotation)
            for page in found.pages
        ]
    entries = []
    with transaction.atomic():
        for stored, rotation in kept:
            entry, new = HandoverEntry.objects.get_or_create(
                handover=handover,
                stored=stored,
                defaults={
                    "kind": EntryKind.SHEET.value,
                    "rotation": rotation,
                    "by_label": actor.label,
                    "at": now,
                },
            )
            entries.append(entry)
            if new:
                events.record(
                    kind="handover.sheet_attached",
                    actor=actor,
                    subject=handover,
                    now=now,
                    data={"handover": handover.number, "sha256": stored.sha256},
                )
    return entries


def correct_list(*, handover: HandoverList, words: str, actor: Actor, now: datetime) -> HandoverEntry:
    """A correction in words (no personal data) beside a signed list; the list itself stays as it was signed.

    The same words again at once are the same correction. Raises Refused for more than `LONGEST_WORDS` characters.
    """
    check_may(actor, "parcel.hand_over", handover)
    check_signed(handover.state)
    said = " ".join(words.split())
    if not said:
        raise Refused("correction_missing", "请写明更正内容，例如哪一件实际未交出。")
    if len(said) > LONGEST_WORDS:
        raise Refused(
            "correction_too_long",
            f"一条更正最多 {LONGEST_WORDS} 个字，现有 {len(said)} 个字，请分成几条登记。",
        )
    with transaction.atomic():
        last = handover.entries.order_by("-pk").first()
        if last is not None and (last.kind, last.words) == (EntryKind.CORRECTION, said):
            return last
        entry = HandoverEntry.objects.create(
            handover=handover, kind=EntryKind.CORRECTION.value, words=said, by_label=actor.label, at=now
        )
        events.record(
            kind="handover.corrected",
            actor=actor,
            subject=handover,
            now=now,
            data={"handover": handover.number, "entry": entry.pk},
        )
    return entry
