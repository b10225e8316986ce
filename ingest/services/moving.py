"""Laying a page into another row of the checklist; its bytes and where it came from stay."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from ingest.models import Material, Page
from ingest.rules import CaseState, HandlingState, NotNow
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused


def move_page(*, page: Page, material: Material, actor: Actor, now: datetime) -> Page:
    """Put a page behind the others of a material of its case. There already, nothing happens. Raises NotNow."""
    check_may(actor, "case.upload", page.case)
    if material.case_id != page.case_id:
        raise Refused("other_case", "这份材料不属于这个办件。")
    if page.material_id == material.pk:
        return page
    _check_open(page)
    with transaction.atomic():
        last = Page.objects.filter(material=material).aggregate(last=Max("position"))["last"]
        moved = Page.objects.filter(pk=page.pk, material=page.material_id).update(
            material=material, position=0 if last is None else last + 1
        )
        if not moved:
            raise NotNow("stale", "这一页刚刚已被移动，请刷新页面。")
        record(
            kind="page.moved",
            actor=actor,
            subject=page,
            now=now,
            case_number=page.case.number,
            data={"from": page.material_id, "to": material.pk},
        )
    page.refresh_from_db()
    return page


def _check_open(page: Page) -> None:
    case = page.case
    open_now = case.state in (CaseState.DRAFT, CaseState.SUPPLEMENT)
    if not open_now and not case.handlings.filter(state=HandlingState.SUPPLEMENT).exists():
        raise NotNow("case_not_open", "办件已提交，页面不能再移动；补正时可以再整理。")
