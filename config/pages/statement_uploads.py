"""A statement file on its way in: what its columns mean, told once and remembered, and how far its reading has come."""

from collections.abc import Mapping

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, page
from config.pages.incoming import table_on_disk
from logistics.models import Carrier, Statement, StatementUpload
from logistics.postage.columns import REQUIRED, Column
from logistics.postage.services import (
    Preview,
    confirm_upload,
    drop_upload,
    preview_upload,
    upload_statement,
)
from logistics.rules.uploads import UploadState
from registry.actors import Actor
from registry.permissions import visible, yours
from storage.errors import Refused

STATEMENT_MAX_BYTES = 120 << 20


def take_file(request: HttpRequest, actor: Actor) -> StatementUpload | Statement:
    """The file of a form, handed in. Raises Refused with what to do."""
    carrier = Carrier.objects.filter(code=request.POST.get("carrier", "")).first()
    file = request.FILES.get("file")
    if carrier is None or not isinstance(file, UploadedFile):
        raise Refused("statement_choice", "请选择承运商和对账单文件。")
    too_large = Refused("statement_too_large", "对账单超过 120 MB，请按账期分开下载。")
    with table_on_disk(file, most_bytes=STATEMENT_MAX_BYTES, too_large=too_large) as path:
        return upload_statement(
            path=path,
            carrier=carrier,
            month=request.POST.get("month", ""),
            preview_first=bool(request.POST.get("preview")),
            actor=actor,
            now=timezone.now(),
        )


@page("statement.import")
def statement_upload(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Its columns while it waits, its progress while it is read; then the statement that it became."""
    return _show(request, actor, pk)


@require_POST
@page("statement.import")
def confirm(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Column names as told by the person, then the import."""
    shown = _find(pk, actor)
    return act_elsewhere(
        request,
        act=lambda: confirm_upload(upload=shown, names=_names(request), actor=actor, now=timezone.now()),
        said="列对应已记住，正在导入。",
        at="upload",
        back=reverse("statement_upload", args=[pk]),
        refused=lambda fault: _show(request, actor, pk, fault),
    )


@require_POST
@page("statement.import")
def drop(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    shown = _find(pk, actor)
    return act_elsewhere(
        request,
        act=lambda: drop_upload(upload=shown, actor=actor, now=timezone.now()),
        said="已放弃这份文件，没有导入。",
        at="import",
        back=reverse("statements"),
        refused=lambda fault: _show(request, actor, pk, fault),
    )


def _show(request: HttpRequest, actor: Actor, pk: int, fault: Fault | None = None) -> HttpResponse:
    shown = _find(pk, actor)
    if shown.statement_id is not None:
        there = reverse("statement", args=[shown.statement_id])
        if request.headers.get("HX-Request"):
            # A piece of a page cannot be replaced by a whole one: the browser is told to go there.
            return HttpResponse(status=204, headers={"HX-Redirect": there})
        return redirect(there)
    waiting = shown.state == UploadState.WAITING
    preview = preview_upload(upload=shown, actor=actor) if waiting else None
    context = {
        "upload": shown,
        "preview": preview,
        "known": _known(preview) if preview else [],
        "missing": [column.label for column in REQUIRED if preview and column.value not in preview.columns],
        "meanings": Column.choices(),
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    piece = request.headers.get("HX-Target") == "upload"
    template = "finance/_upload.html" if piece else "finance/upload.html"
    return render(request, template, context, status=409 if fault else 200)


def _known(preview: Preview) -> list[tuple[str, str]]:
    """(meaning, printed name) of the columns that are understood."""
    labels = dict(Column.choices())
    return [(labels[value], name) for value, name in preview.columns.items()]


def _names(request: HttpRequest) -> Mapping[str, str]:
    """Printed name → meaning, for those that the person has chosen a meaning for."""
    headers = request.POST.getlist("header")
    meanings = request.POST.getlist("meaning")
    return {name: meaning for name, meaning in zip(headers, meanings, strict=False) if name and meaning}


def _find(pk: int, actor: Actor) -> StatementUpload:
    """Raises NotYours for a file of another centre."""
    rows = visible(actor, "statement.import", StatementUpload.objects.filter(pk=pk))
    return yours(rows.select_related("carrier", "centre", "stored"))
