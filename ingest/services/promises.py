"""容缺: papers that an applicant promised to hand in later, from the promise to its day."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from ingest.models import Case, Material
from ingest.rules import CaseState, HandlingState, NotNow
from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.permissions import check_may
from registry.time import local_day
from storage.errors import Refused

REMIND_BEFORE = timedelta(days=3)
"""Calendar days before a promise's day on which the window is reminded."""
_RUNNING = (CaseState.SUBMITTED, CaseState.PRE_REVIEW, CaseState.ACCEPTED, CaseState.SUPPLEMENT)
_LIVING = (
    HandlingState.PENDING,
    HandlingState.PRE_REVIEW,
    HandlingState.ACCEPTED,
    HandlingState.SUPPLEMENT,
)


def defer_material(*, material: Material, until: datetime, actor: Actor, now: datetime) -> Material:
    """容缺: the applicant promises to hand this in by a later day."""
    case, day = material.case, local_day(until)
    check_may(actor, "case.upload", case)
    if not material.requirement.deferrable:
        raise Refused("not_deferrable", f"“{material.name}”不可容缺，请现在补齐。")
    if case.state not in (CaseState.DRAFT, CaseState.SUPPLEMENT):
        raise NotNow("promise_state", "只有在收件中或补正时才能登记容缺承诺。")
    if day <= local_day(now):
        raise Refused("promise_past", "容缺承诺的补交日期须晚于今天，请重新选择。")
    with transaction.atomic():
        Material.objects.filter(pk=material.pk).update(
            deferred_until=day, promise_kept_at=None, reminded_at=None, lapsed_at=None
        )
        record(
            kind="material.deferred",
            actor=actor,
            subject=material,
            now=now,
            case_number=case.number,
            data={"until": str(day)},
        )
    material.refresh_from_db()
    return material


def keep_promise(*, material: Material, actor: Actor, now: datetime) -> Material:
    """What was promised is here: every office that still works on the case gets a new version of its dossier."""
    case = material.case
    check_may(actor, "case.upload", case)
    if material.deferred_until is None or material.promise_kept_at is not None:
        raise NotNow("promise_none", f"“{material.name}”没有待补交的容缺承诺。")
    if case.state not in _RUNNING:
        raise NotNow("promise_state", "只有在办理中的办件才能补交容缺材料。")
    pages, wanted = material.pages.filter(set_aside=False).count(), material.requirement.minimum_pages
    if pages < max(wanted, 1):
        raise Refused(
            "promise_pages", f"“{material.name}”应有 {max(wanted, 1)} 页，现有 {pages} 页，请先上传。"
        )
    with transaction.atomic():
        kept = Material.objects.filter(pk=material.pk, promise_kept_at__isnull=True)
        if not kept.update(promise_kept_at=now):
            raise NotNow("stale", "该办件刚刚已被处理，请刷新页面。")
        for handling in case.handlings.filter(state__in=_LIVING).select_related("office"):
            record(
                kind="handling.promise_kept",
                actor=actor,
                subject=handling,
                now=now,
                case_number=case.number,
                data={"material": material.position, "office": handling.office.code},
            )
    material.refresh_from_db()
    return material


def watch_promises(*, now: datetime) -> int:
    """Remind of promises that come due and say which have lapsed, each once; answers how many it said."""
    today = local_day(now)
    said = 0
    for material in _open_promises().filter(deferred_until__lt=today, lapsed_at__isnull=True):
        said += _say(material, "lapsed_at", "material.promise_lapsed", now)
    soon = _open_promises().filter(
        deferred_until__gte=today, deferred_until__lte=today + REMIND_BEFORE, reminded_at__isnull=True
    )
    for material in soon:
        said += _say(material, "reminded_at", "material.promise_due", now)
    return said


def broken_promises(case: Case, *, today: date) -> list[Material]:
    """Required papers of the case that were promised for a day that has passed and are not here."""
    return list(
        case.materials.filter(
            deferred_until__lt=today,
            promise_kept_at__isnull=True,
            requirement__required=True,
            requirement__shared_data=False,
        )
        .annotate(paged=Count("pages", filter=Q(pages__set_aside=False)))
        .filter(paged__lt=F("requirement__minimum_pages"))
    )


def _open_promises() -> QuerySet[Material]:
    return Material.objects.filter(
        deferred_until__isnull=False, promise_kept_at__isnull=True, case__state__in=_RUNNING
    ).select_related("case")


def _say(material: Material, field: str, kind: str, now: datetime) -> bool:
    with transaction.atomic():
        if not Material.objects.filter(pk=material.pk, **{f"{field}__isnull": True}).update(**{field: now}):
            return False
        record(
            kind=kind,
            actor=SYSTEM,
            subject=material,
            now=now,
            case_number=material.case.number,
            data={"until": str(material.deferred_until), "material": material.position},
        )
    return True
