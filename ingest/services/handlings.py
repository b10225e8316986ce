"""What an office does with its part of a case; the case follows."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from ingest.models import Case, Handling, Original
from ingest.rules import HandlingState, NotNow, handling_target, missing_materials, open_handling_acts
from ingest.services.answering import check_questionnaire
from ingest.services.awaiting import lacking_papers
from ingest.services.clock import no_longer_wait_for, wait_for, wait_no_more
from ingest.services.following import let_case_follow
from ingest.services.identifying import check_identified
from ingest.services.intake import Incomplete, material_facts
from ingest.services.lawful import grant_for
from ingest.services.promises import broken_promises
from registry.actors import Actor
from registry.calendar import current_calendar
from registry.events import record
from registry.permissions import check_may
from registry.rules.deadlines import Delayer
from registry.rules.talk import fitting
from registry.terms import Mode, Right
from registry.time import local_day
from registry.workdays import add_workdays

LONGEST_NAME = 100
"""Characters of the name of a result, paper or file."""


def pre_review(*, handling: Handling, actor: Actor, now: datetime) -> Handling:
    """预审通过: from here on the originals may travel (putian §四(三))."""
    check_may(actor, "handling.pre_review", handling)
    return _move(handling, "pre_review", kind="handling.pre_reviewed", actor=actor, now=now)


def accept(*, handling: Handling, actor: Actor, now: datetime) -> Handling:
    """受理 by the office, or in 受审分离 by the window under its grant. The promised time starts to run."""
    case = handling.case
    data: dict[str, Any] = {}
    if case.mode == Mode.WINDOW_ACCEPT:
        check_may(actor, "case.accept", case)
        check_questionnaire(case)
        check_identified(case)
        data["grant"] = grant_for(
            right=Right.ACCEPT, item=case.item, window=case.window, office=handling.office, now=now
        )
    else:
        check_may(actor, "handling.accept", handling)
    today, days = local_day(now), case.item.promised_days
    deadline = add_workdays(today, days, current_calendar())
    data |= {"deadline": str(deadline.day), "deadline_certain": deadline.certain}
    return _move(
        handling,
        "accept",
        kind="handling.accepted",
        actor=actor,
        now=now,
        data=data,
        changes={
            "accepted_at": now,
            "deadline": deadline.day,
            "deadline_certain": deadline.certain,
            "counted_from": today,
            "counted_days": days,
        },
    )


def ask_supplement(*, handling: Handling, reason: str, actor: Actor, now: datetime) -> Handling:
    """补正: one notice lists everything that is missing; the promised time stops. There is no second notice."""
    check_may(actor, "handling.supplement", handling)
    if not reason.strip():
        raise Incomplete("reason", "请一次性写明需要补正的全部内容。")
    return _ask_once(handling, reason, actor=actor, now=now)


def notify(*, handling: Handling, reason: str, actor: Actor, now: datetime) -> Handling:
    """一次性告知 by the window in the office's name, under its grant `notify` 一次性告知权 (putian §五(六)).

    Only before acceptance: afterwards the promised time runs, and stopping it is the office's. It is the one notice there is.
    """
    case = handling.case
    check_may(actor, "case.notify", case)
    if not reason.strip():
        raise Incomplete("reason", "请一次性写明需要补正的全部内容。")
    if handling.accepted_at is not None:
        raise NotNow("notify_accepted", "该环节已受理，需要补正的由审批部门一次性告知，请与对方联络员联系。")
    used = grant_for(right=Right.NOTIFY, item=case.item, window=case.window, office=handling.office, now=now)
    return _ask_once(handling, reason, actor=actor, now=now, data={"grant": used})


def may_still_notify(handling: Handling) -> bool:
    """Whether a notice by the window is open now, given the grant."""
    open_acts = open_handling_acts(handling.state, handling.case.mode)
    return "supplement" in open_acts and handling.noticed_at is None and handling.accepted_at is None


def _ask_once(
    handling: Handling, reason: str, *, actor: Actor, now: datetime, data: dict[str, Any] | None = None
) -> Handling:
    check_not_noticed(handling)
    return _move(
        handling,
        "supplement",
        kind="handling.supplement_asked",
        actor=actor,
        now=now,
        data=data,
        changes={"notice": reason.strip(), "noticed_at": now, "resume_state": handling.state},
        clock=lambda held: wait_for(held, Delayer.APPLICANT, since=local_day(now), stops=True),
    )


def resubmit(*, handling: Handling, actor: Actor, now: datetime) -> Handling:
    """Hand in the supplement. The clock goes on with the working days it had left; days late stay days late."""
    check_may(actor, "case.submit", handling.case)
    faults = missing_materials(material_facts(handling.case, today=local_day(now)))
    if faults:
        raise Incomplete("materials_missing", "；".join(faults) + "。")
    act = "resubmit_accepted" if handling.resume_state == HandlingState.ACCEPTED else "resubmit"
    return _move(
        handling,
        act,
        kind="handling.resubmitted",
        actor=actor,
        now=now,
        changes={"resume_state": ""},
        clock=lambda held: no_longer_wait_for(held, Delayer.APPLICANT, on=local_day(now)),
    )


def check_not_noticed(handling: Handling) -> None:
    """一次告知 means once: what an office did not name then it cannot ask for later. Raises NotNow."""
    if handling.noticed_at is None:
        return
    way = "请作出决定" if handling.accepted_at else "材料齐全的请受理，仍不符合要求的请写明理由不予受理"
    day = f"{local_day(handling.noticed_at):%Y-%m-%d}"
    raise NotNow("noticed_once", f"已于 {day} 一次性告知，不能再次要求补正；{way}。")


def refuse(*, handling: Handling, reason: str, actor: Actor, now: datetime) -> Handling:
    """不予受理, with its reason; only an office says no (taizhou-2023 §三(三)2)."""
    check_may(actor, "handling.refuse", handling)
    if not reason.strip():
        raise Incomplete("reason", "不予受理必须写明理由。")
    return _move(
        handling,
        "refuse",
        kind="handling.refused",
        actor=actor,
        now=now,
        changes={"reason": reason.strip()},
        clock=lambda held: wait_no_more(held, on=local_day(now)),
    )


def decide(*, handling: Handling, approved: bool, result_name: str, actor: Actor, now: datetime) -> Handling:
    """作出决定. A paper result comes into being at the office and must reach the applicant.

    What was promised for a day that has passed (容缺) is missing: nothing is granted without it, nor without paper that
    an applicant has to send and that is not here.
    """
    check_may(actor, "handling.decide", handling)
    result_name = fitting(result_name, longest=LONGEST_NAME, what="审批结果的名称")
    lapsed = broken_promises(handling.case, today=local_day(now)) if approved else []
    if lapsed:
        names = "、".join(f"“{material.name}”" for material in lapsed)
        raise NotNow("promise_lapsed", f"{names}的容缺承诺已过期，窗口补齐后才能作出准予决定。")
    lacking = lacking_papers(handling.case, today=local_day(now)) if approved else []
    if lacking:
        names = "、".join(f"“{original.name}”" for original in lacking)
        raise NotNow("papers_awaited", f"申请人寄送的{names}还没有收到，签收核对后才能作出准予决定。")
    with transaction.atomic():
        decided = _move(
            handling,
            "decide",
            kind="handling.decided",
            actor=actor,
            now=now,
            data={"approved": approved},
            changes={
                "decided_at": now,
                "decision": "approved" if approved else "rejected",
                "unsent": True,
            },
            clock=lambda held: wait_no_more(held, on=local_day(now)),
        )
        if result_name:
            Original.objects.create(
                case=handling.case,
                handling=handling,
                kind=Original.Kind.RESULT,
                name=result_name,
                place=Original.Place.OFFICE,
                place_id=handling.office_id,
                moved_at=now,
            )
    return decided


def _move(
    handling: Handling,
    act: str,
    *,
    kind: str,
    actor: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
    clock: Callable[[Handling], dict[str, Any]] | None = None,
) -> Handling:
    """Change the handling by compare-and-set, let the case follow, and write it down, all or nothing.

    `clock` says what the act does to the promised time, of the handling as it is while nobody else changes it.
    """
    case = handling.case
    target = handling_target(act, handling.state, case.mode)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        moved = Handling.objects.filter(pk=handling.pk, state=handling.state).update(
            state=target, **(changes or {})
        )
        if not moved:
            raise NotNow("stale", "该办件刚刚已被处理，请刷新页面。")
        if clock and (counted := clock(Handling.objects.get(pk=handling.pk))):
            Handling.objects.filter(pk=handling.pk).update(**counted)
        record(
            kind=kind,
            actor=actor,
            subject=handling,
            now=now,
            case_number=case.number,
            data={"office": handling.office.code, "state": str(target), **(data or {})},
        )
        let_case_follow(case, actor=actor, now=now)
    handling.refresh_from_db()
    return handling
