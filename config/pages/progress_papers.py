"""全程网办: what an applicant tells from the progress page about the paper they send. No account; the ticket of the page opens it."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.frame import Fault, Typed, ids_in
from config.pages.progress import answer_case, answer_refused
from ingest.models import Case
from ingest.services.enquiring import APPLICANT, look_up_by_ticket
from logistics.models import Carrier, Parcel
from logistics.rules.parcels import Party
from logistics.services.announcing import CourierWord, announce, call_off, correct_number
from registry.callers import caller_address
from registry.permissions import NotYours, yours
from storage.errors import Refused

Act = Callable[[Case, datetime], object]
OTHER = "other"
"""The choice of a courier that is not on the list; its name is typed."""


@require_POST
def announce_papers(request: HttpRequest) -> HttpResponse:
    """The ticked papers were sent, with this courier under this number. Sent again, it is the same parcel."""

    def act(case: Case, now: datetime) -> object:
        papers = ids_in(request.POST, "paper")
        return announce(case=case, papers=papers, told=_told(request), actor=APPLICANT, now=now)

    return _do(request, act, said="已登记寄出。审批部门签收后，这里会显示。")


@require_POST
def correct_papers(request: HttpRequest) -> HttpResponse:
    """The number, or the courier, was another one."""
    return _do(
        request,
        lambda case, now: correct_number(
            parcel=_parcel(request, case), told=_told(request), actor=APPLICANT, now=now
        ),
        said="已改正。",
    )


@require_POST
def call_off_papers(request: HttpRequest) -> HttpResponse:
    """It was not sent after all."""
    return _do(
        request,
        lambda case, now: call_off(parcel=_parcel(request, case), actor=APPLICANT, now=now),
        said="已撤销，材料仍等您寄送。",
    )


def _do(request: HttpRequest, act: Act, *, said: str) -> HttpResponse:
    """Does it for whoever opened the page, and shows the case anew: no tail stands in an address to be led to."""
    now = timezone.now()
    try:
        case = look_up_by_ticket(
            ticket=request.POST.get("ticket", ""), caller=caller_address(request), now=now
        )
    except Refused as refused:
        return answer_refused(request, {}, refused)
    try:
        act(case, now)
    except NotYours:
        raise
    except Refused as refused:
        told = {"fault": Fault.of(refused, "papers"), "typed": Typed("papers", request.POST)}
        return answer_case(
            request, case, {**told, "ticked": request.POST.getlist("paper")}, now=now, status=409
        )
    return answer_case(request, case, {"done": said}, now=now)


def _told(request: HttpRequest) -> CourierWord:
    code = request.POST.get("carrier", "")
    carrier = Carrier.objects.filter(code=code, active=True).first() if code != OTHER else None
    company = request.POST.get("company", "") if code == OTHER else ""
    return CourierWord(request.POST.get("number", ""), carrier, company)


def _parcel(request: HttpRequest, case: Case) -> Parcel:
    """The applicant's own parcel. Raises NotYours."""
    own = Parcel.objects.filter(sender_kind=Party.APPLICANT.value, sender_id=case.pk)
    return yours(own.filter(number=request.POST.get("parcel", "")))
