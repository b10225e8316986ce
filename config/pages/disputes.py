"""争议函: writing the carrier what is disputed in a statement, and its files."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.finance import find_statement, show_statement
from config.pages.frame import page
from logistics.models import DisputeLetter
from logistics.postage.services import write_dispute
from registry.actors import Actor
from registry.permissions import visible, yours
from storage.downloads import download
from storage.errors import Refused


@require_POST
@page("dispute.write")
def write_letter(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    shown, now = find_statement(pk, actor), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: write_dispute(statement=shown, actor=actor, now=now),
        said="争议函已出具，签章后可以下载。",
        at="letters",
        back=f"{reverse('statement', args=[pk])}#letters",
        refused=lambda fault: show_statement(request, actor, pk, fault),
    )


@page("dispute.write")
def letter_file(request: HttpRequest, actor: Actor, pk: int, form: str) -> HttpResponseBase:
    """The workbook or the sealed PDF of a letter."""
    rows = visible(actor, "dispute.write", DisputeLetter.objects.filter(pk=pk))
    found = yours(rows.select_related("workbook", "paper"))
    stored = {"xlsx": found.workbook, "pdf": found.paper}.get(form)
    if stored is None:
        raise Refused("file_not_ready", "文件还在生成，请稍后再下载。", can_retry=True)
    return download(stored, f"dispute-{found.pk}.{form}")
