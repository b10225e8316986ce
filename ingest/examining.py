"""What every file goes through before it is taken in: the limited child, then the virus scanner where there is one."""

import logging
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from ingest.clamd import ScannerAway, TooLargeToScan, scan
from ingest.inspect import Inspection, inspect_file
from ingest.inspect.limits import MAX_PAGES
from storage.errors import Refused

log = logging.getLogger("tongban.ingest")
INFECTED = "infected"
UNCHECKED = "病毒检查暂不可用，这个文件没有检查过病毒"


def examine(
    path: Path,
    folder: Path,
    *,
    password: str | None = None,
    separators: bool = False,
    most_pages: int = MAX_PAGES,
) -> Inspection:
    """Inspect a file into `folder`, and refuse it when the scanner knows it.

    What inspection refuses is not scanned: it is not kept. Raises Refused when a scanner is configured that cannot be
    asked and this installation takes in nothing unchecked.
    """
    found = inspect_file(path, folder, password=password, separators=separators, most_pages=most_pages)
    if found.refused or not settings.CLAMAV:
        return found
    try:
        name = scan(path, settings.CLAMAV)
    except TooLargeToScan:
        log.error("clamd takes no file of %d bytes: raise its StreamMaxLength", found.size)  # noqa: TRY400
        return _unchecked(
            found, "scan_too_large", "文件超过病毒检查的大小上限，没有收下，请分成几个文件上传。"
        )
    except ScannerAway as away:
        log.error("%s", away)  # noqa: TRY400 — one line a file is enough while it is away
        return _unchecked(
            found, "scanner_away", "暂不能检查病毒，文件没有收下，请稍后再传；一直如此请联系管理员。"
        )
    return _infected(found, name) if name else found


def _infected(found: Inspection, name: str) -> Inspection:
    """The same file, refused: its pages are not kept either."""
    return replace(
        found,
        verdict="refused",
        code=INFECTED,
        reason=f"文件带有病毒特征（{name}），没有收下，请勿再打开原文件，并告知管理员。",
        pages=(),
        removed=(),
        notes=(),
        vectors=None,
    )


def _unchecked(found: Inspection, code: str, sentence: str) -> Inspection:
    if settings.CLAMAV_AWAY == "refuse":
        raise Refused(code, sentence, can_retry=code == "scanner_away")
    return replace(found, reason=f"{found.reason}{UNCHECKED}。", notes=(*found.notes, UNCHECKED))
