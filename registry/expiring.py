"""到期: which agreements, grants and items run out, setting how long ahead that is said, and saying it once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.models import Agreement, ExpiryNotice, ExpiryPolicy, Grant, ServiceItem
from registry.permissions import check_may
from registry.rules.expiry import (
    AGREEMENT_HOLDS,
    FURTHEST,
    GRANT_HOLDS,
    ITEM_HOLDS,
    LOOK_BACK,
    OVER,
    UNLESS_TOLD,
    ExpiryRules,
    step_due,
)
from registry.rules.lawful import lies_within
from registry.rules.talk import fitting
from registry.terms import Right
from registry.time import local_day
from storage.errors import Refused

Subject = Agreement | Grant | ServiceItem


@dataclass(frozen=True)
class Ending:
    """One agreement, grant or item version that runs out and that no later one carries on. `step` is None while it is
    too early.
    """

    subject: Subject
    last_day: date
    step: int | None

    @property
    def kind(self) -> str:
        """The name of the notice's column, and the first half of the event's kind."""
        if isinstance(self.subject, Agreement):
            return "agreement"
        return "grant" if isinstance(self.subject, Grant) else "item"

    @property
    def holds(self) -> str:
        """What stays and what ends, in words."""
        if isinstance(self.subject, Agreement):
            return AGREEMENT_HOLDS
        return GRANT_HOLDS[Right(self.subject.right)] if isinstance(self.subject, Grant) else ITEM_HOLDS


def set_expiry_policy(
    *, days_ahead: Iterable[int], valid_from: date, source: str, actor: Actor, now: datetime
) -> ExpiryPolicy:
    """From a day on, not earlier than today; what was told is not told again for it."""
    check_may(actor, "grant.edit")
    days = sorted(set(days_ahead), reverse=True)
    if not days or days[-1] < 0 or days[0] > FURTHEST:
        raise Refused("expiry_days", f"请填写一个或几个提前天数，在 0 到 {FURTHEST} 之间，0 为最后一天当天。")
    source = fitting(source, what="依据")
    if not source:
        raise Refused("expiry_source", "请写明到期提醒规则的依据。")
    if valid_from < local_day(now):
        raise Refused("expiry_past", "生效日期不能早于今天。")
    with transaction.atomic():
        if ExpiryPolicy.objects.filter(valid_from=valid_from).exists():
            raise Refused("expiry_known", "同一天生效的到期提醒规则已经登记，请换一个生效日期。")
        policy = ExpiryPolicy.objects.create(days_ahead=days, valid_from=valid_from, source=source)
        data = {"days_ahead": days, "from": str(valid_from)}
        record(kind="expiry.policy_set", actor=actor, subject=policy, now=now, data=data)
    return policy


def expiry_rules(day: date) -> ExpiryRules:
    """What holds on a day: the latest policy, else what is built in; one query."""
    policy = ExpiryPolicy.objects.filter(valid_from__lte=day).order_by("-valid_from").first()
    return policy.rules if policy else UNLESS_TOLD


def endings(today: date) -> list[Ending]:
    """What runs out within the furthest announced time or did so lately, the soonest first; a fixed number of queries."""
    rules = expiry_rules(today)
    span = Q(
        effective_to__gte=today - timedelta(days=LOOK_BACK),
        effective_to__lte=today + timedelta(days=rules.furthest),
    )
    found: list[Subject] = [
        *_agreements_ending(span, today),
        *_grants_ending(span, today),
        *_items_ending(span, today),
    ]
    made = [
        Ending(each, each.effective_to, step_due(each.effective_to, today, rules.days_ahead))
        for each in found
        if each.effective_to is not None
    ]
    return sorted(made, key=lambda ending: (ending.last_day, ending.kind, ending.subject.pk))


def untold(found: Iterable[Ending]) -> list[Ending]:
    """Those of which this step, or a nearer one, was not said yet."""
    ending = list(found)
    told: dict[tuple[str, int, date], int] = {}
    for notice in ExpiryNotice.objects.filter(last_day__in={each.last_day for each in ending}):
        for kind, pk in (
            ("agreement", notice.agreement_id),
            ("grant", notice.grant_id),
            ("item", notice.item_id),
        ):
            if pk is not None:
                key = (kind, pk, notice.last_day)
                told[key] = min(notice.step, told.get(key, notice.step))
    return [
        each
        for each in ending
        if each.step is not None
        and told.get((each.kind, each.subject.pk, each.last_day), each.step + 1) > each.step
    ]


def tell(ending: Ending, *, under_way: dict[str, int], now: datetime) -> bool:
    """Say it in the audit trail; False where somebody said it before. `under_way` counts the cases it concerns."""
    if ending.step is None:
        return False
    with transaction.atomic():
        _, fresh = ExpiryNotice.objects.get_or_create(
            **{ending.kind: ending.subject}, last_day=ending.last_day, step=ending.step, defaults={"at": now}
        )
        if fresh:
            record(
                kind=_KINDS[ending.kind, ending.step == OVER],
                actor=SYSTEM,
                subject=ending.subject,
                now=now,
                data={"last_day": str(ending.last_day), **_told(ending.subject), **under_way},
            )
    return fresh


_KINDS = {
    ("grant", False): "grant.ending",
    ("grant", True): "grant.expired",
    ("agreement", False): "agreement.ending",
    ("agreement", True): "agreement.expired",
    ("item", False): "item.ending",
    ("item", True): "item.expired",
}


def _agreements_ending(span: Q, today: date) -> list[Agreement]:
    rows = Agreement.objects.select_related("region_a", "region_b").prefetch_related("items")
    ending = list(rows.filter(span))
    if not ending:
        return []
    regions = {code for each in ending for code in (each.region_a_id, each.region_b_id)}
    others = list(rows.filter(region_a_id__in=regions, region_b_id__in=regions))
    return [each for each in ending if not any(_carries_on(other, each, today) for other in others)]


def _carries_on(other: Agreement, one: Agreement, today: date) -> bool:
    """Whether the same two regions agreed on the time after, for the same items at least."""
    same = {other.region_a_id, other.region_b_id} == {one.region_a_id, one.region_b_id}
    if not (same and _goes_beyond(other, one, today) and other.shared_citywide >= one.shared_citywide):
        return False
    items, wanted = ({item.code for item in each.items.all()} for each in (other, one))
    return not items or (bool(wanted) and wanted <= items)


def _grants_ending(span: Q, today: date) -> list[Grant]:
    rows = Grant.objects.filter(revoked_at__isnull=True)
    rows = rows.select_related("office", "window", "region", "item")
    ending = list(rows.filter(span))
    if not ending:
        return []
    others: dict[tuple[int, str], list[Grant]] = {}
    for other in rows.filter(office_id__in={each.office_id for each in ending}):
        others.setdefault((other.office_id, other.right), []).append(other)
    return [
        each
        for each in ending
        if not any(_gives_on(other, each, today) for other in others[each.office_id, each.right])
    ]


def _gives_on(other: Grant, one: Grant, today: date) -> bool:
    """Whether the office gave the right for the time after, to the same window or to an area around it."""
    if not _goes_beyond(other, one, today):
        return False
    if other.item is not None and (one.item is None or other.item.code != one.item.code):
        return False
    if other.region_id is None:
        return other.window_id == one.window_id
    place = one.window.region_id if one.window else one.region_id
    return lies_within(str(place), other.region_id)


def _items_ending(span: Q, today: date) -> list[ServiceItem]:
    rows = ServiceItem.objects.filter(negative=False)
    ending = list(rows.filter(span))
    if not ending:
        return []
    versions: dict[str, list[ServiceItem]] = {}
    for version in rows.filter(code__in={each.code for each in ending}):
        versions.setdefault(version.code, []).append(version)
    return [
        each for each in ending if not any(_goes_beyond(other, each, today) for other in versions[each.code])
    ]


def _goes_beyond(other: Subject, one: Subject, today: date) -> bool:
    """Whether the other lasts longer, and no day lies between them that is still to come."""
    assert one.effective_to is not None
    begins = other.effective_from <= max(one.effective_to + timedelta(days=1), today)
    return begins and (other.effective_to is None or other.effective_to > one.effective_to)


def _told(subject: Subject) -> dict[str, Any]:
    if isinstance(subject, Agreement):
        return {"regions": [subject.region_a_id, subject.region_b_id]}
    if isinstance(subject, ServiceItem):
        return {"item": subject.code, "version": subject.version}
    return {
        "office": subject.office.code,
        "right": subject.right,
        "window": subject.window.code if subject.window else "",
        "region": subject.region_id or "",
        "item": subject.item.code if subject.item else "",
    }
