"""Handing in a statement file: its columns are understood at once, its lines are read in the background."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction

from logistics.models import Carrier, Statement, StatementState, StatementUpload
from logistics.postage.columns import MissingColumn
from logistics.postage.statements import (
    Preview,
    digest_of,
    import_statement,
    media_type_of,
    preview_statement,
    recognised,
    remember_columns,
)
from logistics.rules.uploads import UploadState, target_of
from registry import events
from registry.actors import SYSTEM, Actor
from registry.permissions import check_may
from storage.errors import Refused
from storage.models import Kind
from storage.scratch import scratch
from storage.services import fetch_to, store_file

S = UploadState


def upload_statement(
    *, path: Path, carrier: Carrier, month: str, preview_first: bool, actor: Actor, now: datetime
) -> StatementUpload | Statement:
    """Take in a file. A file that is a statement already answers that statement; one on its way, its upload.

    With every needed column known it is read at once (event `statement.import_asked`), unless `preview_first`.
    Raises Refused for what is no table, or has nothing in it; then nothing is kept.
    """
    check_may(actor, "statement.import")
    known = recognised(carrier=carrier, month=month, sha256=digest_of(path))
    if known is not None:
        return known
    preview = preview_statement(path=path, carrier=carrier, actor=actor)
    if preview.fault and preview.fault_code != MissingColumn.CODE:
        raise Refused(preview.fault_code, preview.fault)
    stored = store_file(path=path, kind=Kind.STATEMENT, media_type=media_type_of(path), now=now)
    reading = not preview.fault and not preview_first
    try:
        with transaction.atomic():
            upload = StatementUpload.objects.create(
                carrier=carrier,
                centre_id=actor.centre_id,
                month=month,
                stored=stored,
                uploaded_by=actor.label,
                uploaded_at=now,
            )
            _tell("statement.uploaded", upload, actor=actor, now=now)
            if reading:
                _ask(upload, actor=actor, now=now)
    except IntegrityError:
        # The same file a moment ago: a second click, or a colleague.
        return _on_its_way(carrier, stored.pk, month)
    return StatementUpload.objects.get(pk=upload.pk)


def preview_upload(*, upload: StatementUpload, actor: Actor) -> Preview:
    """How the columns of a file that waits would be understood now."""
    check_may(actor, "statement.import", upload)
    with scratch("statement") as folder:
        path = _fetched(upload, folder)
        return preview_statement(path=path, carrier=upload.carrier, actor=actor)


def confirm_upload(
    *, upload: StatementUpload, names: Mapping[str, str], actor: Actor, now: datetime
) -> StatementUpload:
    """Remember what its columns mean (printed name → value of Column) and have it read.

    Confirming again changes nothing. Raises Refused while a needed column is missing; what was named is remembered.
    """
    check_may(actor, "statement.import", upload)
    now_is = StatementUpload.objects.get(pk=upload.pk)
    if now_is.state in {S.READING, S.IMPORTED}:
        return now_is
    target_of("confirm", upload.state)
    if names:
        remember_columns(carrier=upload.carrier, names=names, actor=actor, now=now)
    preview = preview_upload(upload=upload, actor=actor)
    if preview.fault:
        raise Refused(preview.fault_code, preview.fault)
    with transaction.atomic():
        _ask(upload, actor=actor, now=now)
    return StatementUpload.objects.get(pk=upload.pk)


def drop_upload(*, upload: StatementUpload, actor: Actor, now: datetime) -> StatementUpload:
    """Give up a file that was not imported. The bytes stay as evidence of what was sent."""
    check_may(actor, "statement.import", upload)
    with transaction.atomic():
        _move(upload, "drop")
        _tell("statement.upload_dropped", upload, actor=actor, now=now)
    return StatementUpload.objects.get(pk=upload.pk)


def import_uploaded(*, upload: StatementUpload, now: datetime) -> StatementUpload:
    """Read the file line by line and keep it as a statement, or keep the sentence that says what is wrong with it.

    Safe to repeat: a file that became a statement before our last try is recognised.
    """
    if upload.state != S.READING:
        return upload
    with scratch("statement") as folder:
        path = _fetched(upload, folder)
        try:
            imported = import_statement(
                path=path,
                carrier=upload.carrier,
                month=upload.month,
                centre=upload.centre,
                actor=SYSTEM,
                now=now,
                on_lines=lambda count: _note_progress(upload, count),
            )
        except Refused as fault:
            if fault.can_retry:
                raise
            with transaction.atomic():
                _move(upload, "fail", fault=fault.message[:300])
                _tell("statement.import_failed", upload, actor=SYSTEM, now=now, code=fault.code)
        else:
            with transaction.atomic():
                _move(upload, "import", statement=imported.statement)
    return StatementUpload.objects.get(pk=upload.pk)


def ask_check(*, statement: Statement, actor: Actor, now: datetime) -> Statement:
    """Have every line checked in the background. While a check is under way, asking again changes nothing."""
    check_may(actor, "statement.reconcile", statement)
    with transaction.atomic():
        asked = (
            Statement.objects.filter(pk=statement.pk)
            .exclude(state=StatementState.CHECKING)
            .update(state=StatementState.CHECKING)
        )
        if asked:
            events.record(
                kind="statement.check_asked",
                actor=actor,
                subject=statement,
                now=now,
                data={"month": statement.month},
            )
    return Statement.objects.get(pk=statement.pk)


def _on_its_way(carrier: Carrier, stored_id: int, month: str) -> StatementUpload:
    upload = StatementUpload.objects.filter(
        carrier=carrier, stored_id=stored_id, state__in=[S.WAITING.value, S.READING.value]
    ).first()
    if upload is None:
        raise Refused("statement_busy", "这份文件正在处理，请稍后刷新。", can_retry=True)
    if upload.month != month:
        raise Refused("statement_other_month", f"这份文件已作为 {upload.month} 的对账单上传，正在处理。")
    return upload


def _ask(upload: StatementUpload, *, actor: Actor, now: datetime) -> None:
    _move(upload, "confirm")
    _tell("statement.import_asked", upload, actor=actor, now=now)


def _move(upload: StatementUpload, act: str, *, fault: str = "", statement: Statement | None = None) -> None:
    """Compare and set; zero rows mean that somebody was faster."""
    state = StatementUpload.objects.get(pk=upload.pk).state
    target = target_of(act, state)
    moved = StatementUpload.objects.filter(pk=upload.pk, state=state).update(
        state=target.value, fault=fault, statement=statement
    )
    if not moved:
        raise Refused("stale", "这份文件刚刚被别人处理过，请刷新页面。", can_retry=True)


def _note_progress(upload: StatementUpload, count: int) -> None:
    StatementUpload.objects.filter(pk=upload.pk).update(lines_read=count)


def _fetched(upload: StatementUpload, folder: Path) -> Path:
    path = folder / "statement"
    fetch_to(upload.stored, path)
    return path


def _tell(kind: str, upload: StatementUpload, *, actor: Actor, now: datetime, **data: str) -> None:
    events.record(
        kind=kind,
        actor=actor,
        subject=upload,
        now=now,
        data={"carrier": upload.carrier.code, "month": upload.month, "sha256": upload.stored.sha256, **data},
    )
