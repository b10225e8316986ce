"""事项清单 as the administrator keeps it: what is published, a list taken in after a dry run, tables given out."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import Fault, page
from config.pages.incoming import table_on_disk
from config.pages.keyset import newest_first
from registry.actors import Actor
from registry.catalogue.batches import batch_rows
from registry.catalogue.services import CatalogueImport, export_catalogue, import_catalogue
from registry.models import ServiceItem
from registry.permissions import NotYours
from registry.terms import Scope
from registry.time import local_day
from storage.errors import Refused

FILE_MAX_BYTES = 32 << 20
FAULTS_SHOWN = 500
PAGE_SIZE = 40
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@page("directory.edit")
def catalogue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The versions of today by batch and scope, and a place to take the next list in."""
    if request.method != "POST":
        return _show(request)
    try:
        made = _import(request, actor)
    except NotYours:
        raise
    except Refused as refused:
        return _show(request, fault=Fault.of(refused, "import"))
    return _show(request, made=made)


@page("directory.edit")
def catalogue_xlsx(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _file(request, actor, "xlsx", XLSX)


@page("directory.edit")
def catalogue_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _file(request, actor, "csv", "text/csv; charset=utf-8")


def _import(request: HttpRequest, actor: Actor) -> CatalogueImport:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Refused("catalogue_file", "请选择 XLSX 或 CSV 文件。")
    too_large = Refused("file_too_large", "文件过大，请拆分后分次导入。")
    with table_on_disk(file, most_bytes=FILE_MAX_BYTES, too_large=too_large) as path:
        dry_run = request.POST.get("act") != "import"
        return import_catalogue(path=path, dry_run=dry_run, actor=actor, now=timezone.now())


def _file(request: HttpRequest, actor: Actor, form: str, media_type: str) -> HttpResponse:
    content = export_catalogue(
        form=form, items=_filtered(request).order_by("code"), actor=actor, now=timezone.now()
    )
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="catalogue.{form}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _filtered(request: HttpRequest) -> QuerySet[ServiceItem]:
    items = ServiceItem.objects.in_force(local_day(timezone.now()))
    if batch := request.GET.get("batch", ""):
        items = items.filter(batch=batch)
    if (scope := request.GET.get("scope", "")) in Scope.values():
        items = items.filter(scope=scope)
    if request.GET.get("negative"):
        items = items.filter(negative=True)
    for word in request.GET.get("q", "").split():
        items = items.filter(Q(name__icontains=word) | Q(code__icontains=word))
    return items


def _show(
    request: HttpRequest, *, fault: Fault | None = None, made: CatalogueImport | None = None
) -> HttpResponse:
    today = local_day(timezone.now())
    part = newest_first(
        _filtered(request).select_related("region"), after=request.GET.get("after", ""), size=PAGE_SIZE
    )
    context = {
        "rows": part.rows,
        "next": part.next,
        "batches": batch_rows(today),
        "coming": ServiceItem.objects.filter(effective_from__gt=today).count(),
        "scopes": Scope.choices(),
        "made": made,
        "faults": made.faults[:FAULTS_SHOWN] if made else (),
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    refused = fault or (made and made.faults)
    return render(request, "directory/catalogue.html", context, status=409 if refused else 200)
