"""What a window does on the case page: originals, promises, submitting, accepting, delivering, taking back."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST

from config.pages.acting import act_on_case
from config.pages.case_sheet import find_case, find_handling
from config.pages.cases import render_case
from config.pages.frame import Fault, page
from config.pages.proofs import proof_in
from ingest.models import Handling, Material, Original
from ingest.rules import IdentityPerson
from ingest.services.answering import answer_points
from ingest.services.choosing import change_choices as choose
from ingest.services.delivery import close, start_delivery
from ingest.services.handlings import accept, notify, resubmit
from ingest.services.identifying import identify_by_sight
from ingest.services.intake import Incomplete, submit, take_in_original
from ingest.services.promises import defer_material, keep_promise
from ingest.services.shortfall import tell_shortfall
from ingest.services.withdrawing import withdraw
from logistics.services.endings import hand_to_applicant
from registry.actors import Actor
from registry.paper.issue import slip_pdf
from registry.permissions import NotYours, visible, yours
from registry.rules.questionnaire import Answer
from registry.time import SHANGHAI
from storage.errors import Refused


@require_POST
@page("case.submit")
def submit_case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    case, now = find_case(number, actor, "case.submit"), timezone.now()
    return act_on_case(
        request,
        actor,
        number,
        at="next",
        act=lambda: submit(case=case, actor=actor, now=now),
        said="已提交审批部门。",
    )


@require_POST
@page("case.submit")
def answer(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The questionnaire of the item: each point 是, 否, or with a reason why it does not apply."""
    case, now = find_case(number, actor, "case.submit"), timezone.now()
    answers = {
        name.removeprefix("point-"): Answer(
            {"yes": True, "no": False}.get(str(value)),
            request.POST.get(f"why-{name.removeprefix('point-')}", ""),
        )
        for name, value in request.POST.items()
        if name.startswith("point-")
    }
    return act_on_case(
        request,
        actor,
        number,
        at="points",
        act=lambda: answer_points(case=case, answers=answers, actor=actor, now=now),
        said="审查要点的答复已保存。",
    )


@require_POST
@page("case.identify")
def identify(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """By sight; a card reader speaks to the API instead."""
    case, now, told = find_case(number, actor, "case.identify"), timezone.now(), request.POST
    agent = told.get("person") == IdentityPerson.AGENT
    return act_on_case(
        request,
        actor,
        number,
        at="identity",
        act=lambda: identify_by_sight(
            case=case,
            person=IdentityPerson.AGENT if agent else IdentityPerson.APPLICANT,
            document=told.get("document", ""),
            reason=told.get("reason", ""),
            actor=actor,
            now=now,
        ),
        said="身份核验已记录。",
    )


@require_POST
@page("case.notify")
def print_shortfall(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """What a draft still lacks, as a paper to take home; the same lines give the same paper."""
    case, now = find_case(number, actor, "case.notify"), timezone.now()
    try:
        slip = tell_shortfall(case=case, remarks=request.POST.get("remarks", ""), actor=actor, now=now)
    except NotYours:
        raise
    except Refused as refused:
        return render_case(request, actor, number, fault=Fault.of(refused, "shortfall"))
    response = HttpResponse(slip_pdf(slip), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="slip-{slip.pk}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@page("case.submit")
def resubmit_handling(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    handling, now = find_handling(pk, actor, "case.submit"), timezone.now()
    return act_on_case(
        request,
        actor,
        handling.case.number,
        at="next",
        act=lambda: resubmit(handling=handling, actor=actor, now=now),
        said="补正材料已提交，计时恢复。",
    )


@require_POST
@page("case.notify")
def notify_applicant(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """一次性告知 at the counter, under the office's grant."""
    handling, now = find_handling(pk, actor, "case.notify"), timezone.now()
    reason = request.POST.get("reason", "")
    return act_on_case(
        request,
        actor,
        handling.case.number,
        at="act-notify",
        act=lambda: notify(handling=handling, reason=reason, actor=actor, now=now),
        said="已出具一次性告知书，请交给申请人；补齐后重新提交。",
    )


@require_POST
@page("case.accept", "handling.accept")
def accept_handling(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """受理: by the window in 受审分离, otherwise by the office; the service decides who may."""
    handling, now = find_handling(pk, actor, "case.see"), timezone.now()
    return act_on_case(
        request,
        actor,
        handling.case.number,
        at="next",
        act=lambda: accept(handling=handling, actor=actor, now=now),
        said="已受理，承诺时限开始计算。",
    )


@require_POST
@page("original.take_in")
def take_in(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    material, now = _material(pk, actor, "original.take_in"), timezone.now()
    way = _way(material, request.POST)
    return act_on_case(
        request,
        actor,
        material.case.number,
        at=f"material-{material.position}",
        act=lambda: take_in_original(
            material=material,
            name=request.POST.get("name", ""),
            verified=bool(request.POST.get("verified")),
            way=way,
            actor=actor,
            now=now,
        ),
        said="原件已登记在本窗口。",
    )


@require_POST
@page("case.upload")
def defer(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    material, now = _material(pk, actor, "case.upload"), timezone.now()

    def promise() -> None:
        until = parse_date(request.POST.get("until", ""))
        if until is None:
            raise Incomplete("until", "请选择承诺补交的日期。")
        midnight = datetime(until.year, until.month, until.day, tzinfo=SHANGHAI)
        defer_material(material=material, until=midnight, actor=actor, now=now)

    return act_on_case(
        request,
        actor,
        material.case.number,
        at=f"material-{material.position}",
        act=promise,
        said="已记下容缺承诺。",
    )


@require_POST
@page("case.upload")
def hand_in_promised(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    material, now = _material(pk, actor, "case.upload"), timezone.now()
    return act_on_case(
        request,
        actor,
        material.case.number,
        at=f"material-{material.position}",
        act=lambda: keep_promise(material=material, actor=actor, now=now),
        said="容缺材料已补齐，审批部门将收到新的卷宗。",
    )


@require_POST
@page("case.withdraw")
def withdraw_case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    case, now = find_case(number, actor, "case.withdraw"), timezone.now()

    def take_back() -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            raise Incomplete("reason", "请写明撤回的原因。")
        withdraw(case=case, reason=reason, actor=actor, now=now)

    return act_on_case(request, actor, number, at="act-withdraw", act=take_back, said="办件已撤回。")


@require_POST
@page("case.choose")
def change_choices(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """How the result comes and whether an agent may act, as the applicant wants it now."""
    case, now, told = find_case(number, actor, "case.choose"), timezone.now(), request.POST
    return act_on_case(
        request,
        actor,
        number,
        at="choices",
        act=lambda: choose(
            case=case,
            delivery=told.get("delivery", ""),
            agent_consent=bool(told.get("agent_consent")),
            address=told.get("address", ""),
            actor=actor,
            now=now,
        ),
        said="已按申请人的意思更改，并已记录。",
    )


@require_POST
@page("case.deliver")
def deliver(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    case, now = find_case(number, actor, "case.deliver"), timezone.now()
    return act_on_case(
        request,
        actor,
        number,
        at="next",
        act=lambda: start_delivery(case=case, actor=actor, now=now),
        said="已记为送达中。",
    )


@require_POST
@page("case.deliver")
def close_case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    case, now = find_case(number, actor, "case.deliver"), timezone.now()
    return act_on_case(
        request,
        actor,
        number,
        at="next",
        act=lambda: close(case=case, actor=actor, now=now),
        said="办件已归结。",
    )


@require_POST
@page("case.deliver")
def hand_out(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    original = yours(visible(actor, "case.deliver", Original.objects.filter(pk=pk)).select_related("case"))
    now = timezone.now()
    return act_on_case(
        request,
        actor,
        original.case.number,
        at="originals",
        act=lambda: hand_to_applicant(original=original, actor=actor, now=now, photo=proof_in(request, now)),
        said=f"“{original.name}”已交给申请人。",
    )


def _way(material: Material, told: QueryDict) -> list[Handling]:
    """The offices that were given a number, by it: 1 for the first that needs the paper, empty for none."""
    handlings = list(material.case.handlings.select_related("office").order_by("-is_lead", "pk"))
    numbers = {handling.pk: told.get(f"order-{handling.pk}", "").strip() for handling in handlings}
    wanted = [handling for handling in handlings if numbers[handling.pk].isdecimal()]
    return sorted(wanted, key=lambda handling: int(numbers[handling.pk]))


def _material(pk: int, actor: Actor, act: str) -> Material:
    return yours(visible(actor, act, Material.objects.filter(pk=pk)).select_related("case", "requirement"))
