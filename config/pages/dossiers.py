"""卷宗 on the case page: progress, download for the deciding office, receipt, and checking what is kept."""

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_on_case
from config.pages.case_sheet import read_sheet
from config.pages.cases import render_case
from config.pages.frame import Fault, page
from dossier.api import copy_response, file_response, material_response, proof_response
from dossier.models import Dossier
from dossier.services import check_file, check_for_anyone, confirm_result, countersign
from dossier.services import check_in_hand as held_against
from dossier.services.public_checking import Checked
from registry.actors import Actor
from registry.callers import caller_address
from registry.permissions import visible, yours
from storage.errors import Refused
from storage.scratch import scratch
from storage.services import fetch_to

BRAKES = ("too-many-checks", "checks-busy")


@page("case.see")
def progress(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The dossier part of the case page alone, asked for again and again while a dossier is in the making."""
    return render(request, "case/_dossiers.html", {"sheet": read_sheet(number, actor)})


@page("dossier.download")
def dossier_file(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    """The archived file as signed, resumed where it broke off; each download is recorded."""
    return file_response(request, _find(pk, actor, "dossier.download"), actor, timezone.now())


@page("dossier.download")
def dossier_copy(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    """A copy marked on every page with whom and what it is for."""
    return copy_response(_find(pk, actor, "dossier.download"), actor, timezone.now())


@page("dossier.download")
def dossier_material(request: HttpRequest, actor: Actor, pk: int, position: int) -> HttpResponseBase:
    """One material by itself, marked with whom and what it is for."""
    return material_response(_find(pk, actor, "dossier.download"), position, actor, timezone.now())


@page("dossier.download")
def dossier_proof(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    """Everything that lets somebody else check the dossier without this system."""
    return proof_response(_find(pk, actor, "dossier.download"), actor, timezone.now())


@require_POST
@page("dossier.countersign")
def sign_receipt(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found, now = _find(pk, actor, "dossier.countersign"), timezone.now()
    return act_on_case(
        request,
        actor,
        found.handling.case.number,
        at="dossiers",
        act=lambda: countersign(dossier=found, actor=actor, now=now),
        said="已加盖部门签收章。",
    )


@require_POST
@page("dossier.countersign")
def sign_result(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found, now = _find(pk, actor, "dossier.countersign"), timezone.now()
    return act_on_case(
        request,
        actor,
        found.handling.case.number,
        at="dossiers",
        act=lambda: confirm_result(dossier=found, actor=actor, now=now),
        said="已加盖审批结果确认章。",
    )


@require_POST
@page("dossier.download")
def check_kept(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Verify the file that is kept, and say the verdict beside it."""
    found = _find(pk, actor, "dossier.download")
    number = found.handling.case.number
    if found.stored is None:
        return render_case(request, actor, number, fault=Fault("dossiers", "卷宗尚在制作，请稍后再核验。"))
    with scratch("check") as folder:
        path = folder / "dossier.pdf"
        fetch_to(found.stored, path)
        verdict = check_file(path=path, dossier=found)
    return render_case(request, actor, number, verdict=(found.pk, verdict))


@require_POST
@page("dossier.download")
def check_in_hand(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Hold a file that somebody has against this dossier; nothing of it is kept."""
    found = _find(pk, actor, "dossier.download")
    number, file = found.handling.case.number, request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        return render_case(request, actor, number, fault=Fault("dossiers", "请选择要核对的 PDF 文件。"))
    try:
        checked = held_against(dossier=found, content=file.chunks(), size=file.size or 0, actor=actor)
    except Refused as refused:
        return render_case(request, actor, number, fault=Fault.of(refused, "dossiers"))
    return render_case(request, actor, number, in_hand=(found.pk, checked))


def check_any(request: HttpRequest) -> HttpResponse:
    """Anyone may have a file checked; nothing of it is kept."""
    checked, fault, status = None, None, 200
    if request.method == "POST":
        try:
            checked = _checked(request)
        except Refused as refused:
            fault, status = Fault.of(refused, "check"), 429 if refused.code in BRAKES else 409
    response = render(request, "check.html", {"checked": checked, "fault": fault}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _checked(request: HttpRequest) -> Checked:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Refused("no_file", "请选择要核验的 PDF 文件。")
    return check_for_anyone(
        content=file.chunks(), size=file.size or 0, caller=caller_address(request), now=timezone.now()
    )


def _find(pk: int, actor: Actor, act: str) -> Dossier:
    rows = visible(actor, act, Dossier.objects.filter(pk=pk))
    return yours(
        rows.select_related("stored", "handling__case__window", "handling__case__item", "handling__office")
    )
