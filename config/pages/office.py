"""What an office does with its part of a case: pre-review, supplement, refusal, decision."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_on_case
from config.pages.case_sheet import find_handling
from config.pages.frame import page
from ingest.services.handlings import ask_supplement, decide, pre_review, refuse
from ingest.services.intake import Incomplete
from registry.actors import Actor


@require_POST
@page("handling.pre_review")
def pre_review_handling(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    handling, now = find_handling(pk, actor, "handling.pre_review"), timezone.now()
    return act_on_case(
        request,
        actor,
        handling.case.number,
        at="next",
        act=lambda: pre_review(handling=handling, actor=actor, now=now),
        said="预审已通过，窗口可以寄出原件。",
    )


@require_POST
@page("handling.supplement")
def supplement(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    handling, now = find_handling(pk, actor, "handling.supplement"), timezone.now()
    reason = request.POST.get("reason", "")
    return act_on_case(
        request,
        actor,
        handling.case.number,
        at="act-supplement",
        act=lambda: ask_supplement(handling=handling, reason=reason, actor=actor, now=now),
        said="已发出一次性告知，计时暂停。",
    )


@require_POST
@page("handling.refuse")
def refuse_handling(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    handling, now = find_handling(pk, actor, "handling.refuse"), timezone.now()
    reason = request.POST.get("reason", "")
    return act_on_case(
        request,
        actor,
        handling.case.number,
        at="act-refuse",
        act=lambda: refuse(handling=handling, reason=reason, actor=actor, now=now),
        said="已作出不予受理决定，理由已告知窗口。",
    )


@require_POST
@page("handling.decide")
def decide_handling(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    handling, now = find_handling(pk, actor, "handling.decide"), timezone.now()

    def conclude() -> None:
        verdict = request.POST.get("verdict", "")
        if verdict not in ("approved", "rejected"):
            raise Incomplete("verdict", "请选择准予或不予许可。")
        decide(
            handling=handling,
            approved=verdict == "approved",
            result_name=request.POST.get("result_name", ""),
            actor=actor,
            now=now,
        )

    return act_on_case(
        request, actor, handling.case.number, at="act-decide", act=conclude, said="决定已作出。"
    )
