"""一次性告知 before a case is submitted: everything that a draft still lacks, on one paper that the applicant takes home."""

from datetime import date, datetime

from django.db import transaction

from ingest.models import Case
from ingest.rules import CaseState, Gap, NotNow, gaps
from ingest.services.identifying import still_to_identify
from ingest.services.intake import Incomplete, material_facts
from ingest.services.lawful import grant_for
from ingest.slips import shortfall_of
from registry.actors import Actor
from registry.events import record
from registry.models import Slip
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.permissions import check_may
from registry.rules.talk import fitting
from registry.terms import Mode, Right
from registry.time import local_day


def shortfall(case: Case, *, today: date) -> list[Gap]:
    """All for which `submit` would refuse this case now, as far as the applicant can bring it."""
    found = gaps(material_facts(case, today=today))
    if case.mode == Mode.WINDOW_FORWARD and not case.agent_consent:
        found.append(Gap("代办委托", "申请人尚未同意由窗口代办", "请申请人到场同意，或出具授权委托书。"))
    if still_to_identify(case):
        found.append(
            Gap(
                "身份证件", "尚未核验", "请带有效身份证件原件到场；委托他人或单位申请的，带代办人或经办人的。"
            )
        )
    return found


def tell_shortfall(*, case: Case, remarks: str, actor: Actor, now: datetime) -> Slip:
    """一次性告知 by the window under the grants `notify` of the case's offices (putian §五(六)); no clock runs yet.

    `remarks` are the clerk's own lines, for what is there but not as it should be. The same lines are the same slip,
    others the next one. It is not the one notice that an office, or the window in its name, gives after submission.
    Raises NotNow, Incomplete, Unlawful.
    """
    check_may(actor, "case.notify", case)
    own = [
        Gap("", fitting(line, longest=200, what="补正内容"), "请按要求补正。")
        for line in remarks.splitlines()
        if line.strip()
    ]
    with transaction.atomic():
        held = Case.objects.select_for_update(of=("self",)).select_related("item", "window").get(pk=case.pk)
        if held.state != CaseState.DRAFT:
            raise NotNow(
                "shortfall_state", "办件已经提交，需要补正的请凭一次性告知权告知，或由审批部门告知。"
            )
        lines = shortfall(held, today=local_day(now)) + own
        if not lines:
            raise Incomplete("shortfall_none", "材料已经齐全，没有需要告知的内容，可以直接提交审批部门。")
        grants = [
            grant_for(right=Right.NOTIFY, item=held.item, window=held.window, office=part.office, now=now)
            for part in held.handlings.select_related("office").order_by("-is_lead", "pk")
        ]
        content = shortfall_of(held, lines, told_at=now)
        last = _last(held)
        if last is not None and last.data["missing"] == content.model_dump(mode="json")["missing"]:
            return last
        slip = issue(
            kind=SlipKind.SHORTFALL,
            subject=held,
            data=content,
            actor=actor,
            now=now,
            revision=last.revision + 1 if last else 1,
            window=held.window,
        )
        record(
            kind="case.shortfall_told",
            actor=actor,
            subject=held,
            now=now,
            case_number=held.number,
            data={"number": slip.number, "lines": len(lines), "grants": grants},
        )
    return slip


def _last(case: Case) -> Slip | None:
    told = Slip.objects.filter(
        kind=SlipKind.SHORTFALL.value, subject_type=case._meta.label_lower, subject_id=str(case.pk)
    )
    return told.order_by("-revision").first()
