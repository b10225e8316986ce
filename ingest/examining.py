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


class NotChecked(Refused):
    """A scanner is configured, and could not say of this file whether it knows it."""


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
    if found.refused:
        return found
    try:
        name = _signature_in(path)
    except NotChecked:
        if settings.CLAMAV_AWAY == "refuse":
            raise
        return replace(found, reason=f"{found.reason}{UNCHECKED}。", notes=(*found.notes, UNCHECKED))
    return _infected(found, name) if name else found


def check_clean(path: Path) -> None:
    """Refuse a file that the scanner knows, before anything of ours opens it: for what is no scan and is not inspected.

    Raises Refused as `examine` does.
    """
    try:
        name = _signature_in(path)
    except NotChecked:
        if settings.CLAMAV_AWAY == "refuse":
            raise
        return
    if name:
        log.error("an uploaded table bears the signature %s and was refused", name)
        raise Refused(INFECTED, _sentence(name))


def _signature_in(path: Path) -> str:
    """The name of the signature that the file bears; empty for none, or without a scanner. Raises NotChecked."""
    if not settings.CLAMAV:
        return ""
    try:
        return scan(path, settings.CLAMAV)
    except TooLargeToScan as too_large:
        size = path.stat().st_size
        log.error("clamd takes no file of %d bytes: raise its StreamMaxLength", size)  # noqa: TRY400
        raise NotChecked(
            "scan_too_large", "文件超过病毒检查的大小上限，没有收下，请分成几个文件上传。"
        ) from too_large
    except ScannerAway as away:
        log.error("%s", away)  # noqa: TRY400 — one line a file is enough while it is away
        raise NotChecked(
            "scanner_away",
            "暂不能检查病毒，文件没有收下，请稍后再传；一直如此请联系管理员。",
            can_retry=True,
        ) from away


def _infected(found: Inspection, name: str) -> Inspection:
    """The same file, refused: its pages are not kept either."""
    return replace(
        found,
        verdict="refused",
        code=INFECTED,
        reason=_sentence(name),
        pages=(),
        removed=(),
        notes=(),
        vectors=None,
    )


def _sentence(name: str) -> str:
    return f"文件带有病毒特征（{name}），没有收下，请勿再打开原文件，并告知管理员。"
