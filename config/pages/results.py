"""电子结果 on the case page: the office lays its issued file beside its decision; window and office may open it."""

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.pages.acting import act_on_case
from config.pages.case_sheet import find_handling
from config.pages.cases import render_case
from config.pages.frame import Fault, page
from config.pages.incoming import paper_on_disk
from ingest.models import ResultFile
from ingest.services.intake import Incomplete
from ingest.services.results import attach_result, keep_result, look_at_result, void_result
from registry.actors import Actor
from registry.permissions import NotYours, visible, yours
from storage.downloads import download
from storage.errors import Refused


@require_POST
@page("handling.decide")
def attach(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    handling, now = find_handling(pk, actor, "handling.decide"), timezone.now()

    def issue() -> None:
        file = request.FILES.get("file")
        if not isinstance(file, UploadedFile):
            raise Incomplete("result_file", "请选择要上传的 PDF 文件。")
        with paper_on_disk(file) as path:
            stored = keep_result(path=path, now=now)
        attach_result(
            handling=handling, name=request.POST.get("name", ""), stored=stored, actor=actor, now=now
        )

    return act_on_case(request, actor, handling.case.number, at="results", act=issue, said="电子结果已上传。")


@require_POST
@page("handling.decide")
def void(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    file, now = _find(pk, actor, "handling.decide"), timezone.now()
    return act_on_case(
        request,
        actor,
        file.handling.case.number,
        at="results",
        act=lambda: void_result(file=file, actor=actor, now=now),
        said="电子结果已作废，申请人不再看到。",
    )


@require_GET
@page("result.see")
def result_file(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    """The file itself; the look is recorded."""
    file = _find(pk, actor, "result.see")
    try:
        stored = look_at_result(file=file, actor=actor, now=timezone.now())
    except NotYours:
        raise
    except Refused as refused:
        return render_case(request, actor, file.handling.case.number, fault=Fault.of(refused, "results"))
    return download(stored, f"result-{file.pk}.pdf")


def _find(pk: int, actor: Actor, act: str) -> ResultFile:
    rows = visible(actor, act, ResultFile.objects.filter(pk=pk))
    return yours(rows.select_related("handling__case", "handling__office", "stored"))
