"""Bringing the registry's rows before the rules: is this intake lawful, and by which grant."""

from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from registry.models import Agreement, Grant, Office, ServiceItem, Window
from registry.rules import (
    AgreementFacts,
    GrantFacts,
    ItemFacts,
    Unlawful,
    areas_of,
    check_agreement,
    check_grant,
    check_item,
    check_mode,
    check_scope,
    needs_agreement,
)
from registry.terms import Right
from registry.time import local_day


def item_facts(item: ServiceItem) -> ItemFacts:
    return ItemFacts(
        name=item.name,
        scope=item.scope,
        effective_from=item.effective_from,
        effective_to=item.effective_to,
        negative=item.negative,
        modes=tuple(item.modes),
        stars=item.stars,
        unified_platform=item.unified_platform,
        source=item.source,
    )


def check_lawful(
    *, item: ServiceItem, window: Window, office: Office, mode: str, offices: int, now: datetime
) -> int:
    """Every guard of an intake; answers the id of the grant it rests on. Raises Unlawful."""
    day, facts = local_day(now), item_facts(item)
    if not window.active:
        raise Unlawful("window_closed", "本窗口已停用，请联系管理员。")
    check_item(facts, day)
    if not item.offices.filter(office=office).exists():
        raise Unlawful("not_responsible", f"“{office.name}”不是“{item.name}”的责任部门，请重新选择。")
    check_scope(facts, window_region=window.region_id, office_region=office.region_id)
    if needs_agreement(window_region=window.region_id, office_region=office.region_id):
        agreements = _agreements(window.region_id, office.region_id, item, day)
        check_agreement(
            [AgreementFacts(a.region_a_id, a.region_b_id, a.shared_citywide) for a in agreements],
            window_region=window.region_id,
            office_region=office.region_id,
        )
    check_mode(facts, mode, offices=offices)
    return grant_for(right=Right.ACCEPT, item=item, window=window, office=office, now=now)


def grant_for(*, right: Right, item: ServiceItem, window: Window, office: Office, now: datetime) -> int:
    """The id of the grant in force that covers this act. Raises Unlawful."""
    rows = (
        Grant.objects.in_force(day=local_day(now), now=now)
        .filter(office=office, right=right.value)
        .filter(Q(item__isnull=True) | Q(item__code=item.code))
        .filter(Q(window=window) | Q(region_id__in=areas_of(window.region_id)))
    )
    facts = {
        GrantFacts(
            right=row.right,
            window=str(row.window_id) if row.window_id else None,
            region=row.region_id,
            item=row.item.code if row.item else None,
        ): row.pk
        for row in rows.select_related("item")
    }
    used = check_grant(
        facts, right=right, window=str(window.pk), window_region=window.region_id, item=item.code
    )
    return facts[used]


def _agreements(one: str, other: str, item: ServiceItem, day: date) -> QuerySet[Agreement]:
    """Those in force that may connect the two provinces, for every item or for any version of this one."""
    there = Q(region_a__code__startswith=one[:2], region_b__code__startswith=other[:2])
    back = Q(region_a__code__startswith=other[:2], region_b__code__startswith=one[:2])
    limited = Agreement.items.through.objects.filter(agreement_id=OuterRef("pk"))
    return (
        Agreement.objects.in_force(day)
        .filter(there | back)
        .filter(~Exists(limited) | Exists(limited.filter(serviceitem__code=item.code)))
    )
