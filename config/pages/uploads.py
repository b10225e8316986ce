"""Files from the counter: each is inspected on arrival and its verdict said at once."""

from datetime import datetime

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.case_sheet import find_case
from config.pages.cases import render_case
from config.pages.frame import Fault, page
from config.pages.incoming import paper_on_disk
from ingest.models import Case, Material, SourceFile
from ingest.piecewise import find, finish_file
from ingest.uploads import also_in, receive_file, to_scan_again, where_it_is
from registry.actors import Actor
from registry.permissions import NotYours
from storage.errors import Refused


@require_POST
@page("case.upload")
def upload(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Take in one or several files. The script sends one at a time, or names the upload in pieces that it finished,
    and gets its line of the tray back."""
    case = find_case(number, actor, "case.upload")
    material = _material(case, request.POST.get("material", ""))
    at = f"material-{material.position}" if material else "materials"
    piecewise = request.headers.get("X-Requested-With") == "tray"
    began = timezone.now()
    try:
        if arrived := request.POST.get("arrived"):
            received = [_receive_arrived(arrived, case, material, actor)]
        else:
            received = [_receive(file, case, material, actor) for file in chosen(request)]
    except NotYours:
        raise
    except Refused as refused:
        if piecewise:
            return render(request, "case/_refused_file.html", {"fault": refused}, status=409)
        return render_case(request, actor, number, fault=Fault.of(refused, at))
    if piecewise:
        return render(
            request,
            "case/_file.html",
            {
                "file": received[0],
                "elsewhere": also_in(received[0], actor),
                **file_facts(received[0], since=began),
            },
        )
    messages.success(request, _summary(received, actor), extra_tags=at)
    return redirect(f"{reverse('case', args=[number])}#{at}")


def file_facts(file: SourceFile, since: datetime | None = None) -> dict[str, object]:
    """What the tray says of a file beside its own fields; one that came before `since` says where it is."""
    known = since is not None and file.uploaded_at < since
    return {
        "pages": file.pages.count(),
        "removed": "、".join(map(str, file.removed)),
        "again": where_it_is(file) if known else "",
        "rescans": to_scan_again(file),
    }


def _receive(file: UploadedFile[bytes], case: Case, material: Material | None, actor: Actor) -> SourceFile:
    with paper_on_disk(file) as path:
        return receive_file(
            case=case,
            material=material,
            path=path,
            original_name=file.name or "",
            actor=actor,
            now=timezone.now(),
        )


def _receive_arrived(key: str, case: Case, material: Material | None, actor: Actor) -> SourceFile:
    now = timezone.now()
    arrival = find(key=key, actor=actor, now=now)
    return finish_file(arrival=arrival, case=case, material=material, actor=actor, now=now)


def chosen(request: HttpRequest) -> list[UploadedFile[bytes]]:
    """The files of a tray. Raises Refused when none was chosen."""
    files: list[UploadedFile[bytes]] = request.FILES.getlist("files")
    if not files:
        raise Refused("no_files", "请先选择要上传的文件。")
    return files


def _material(case: Case, number: str) -> Material | None:
    if not number:
        return None
    found = case.materials.filter(pk=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise NotYours
    return found


def _summary(received: list[SourceFile], actor: Actor) -> str:
    """One sentence for several files; those refused are named with their reason."""
    refused = [file for file in received if file.verdict == SourceFile.Verdict.REFUSED]
    sentence = f"已接收 {len(received) - len(refused)} 个文件。"
    sentence += "".join(f"“{file.original_name}”被拒收：{file.reason}" for file in refused)
    sentence += "".join(
        f"“{file.original_name}”：{words}" for file in received if (words := also_in(file, actor))
    )
    return sentence + "".join(
        f"“{file.original_name}”{words}。" for file in received for words in to_scan_again(file)
    )
