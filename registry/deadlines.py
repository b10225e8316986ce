"""Setting the rules for deadlines, and asking them."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from registry.actors import Actor
from registry.events import record
from registry.models import DeadlinePolicy, Region
from registry.permissions import check_may
from registry.rules.deadlines import DeadlinePolicyFacts, DeadlineRules, policy_for
from registry.rules.talk import fitting
from registry.time import local_day
from storage.errors import Refused

LONGEST = 30
"""No rule of these counts more working days."""


def set_deadline_policy(
    *,
    region: Region | None,
    valid_from: date,
    rules: DeadlineRules,
    source: str,
    actor: Actor,
    now: datetime,
) -> DeadlinePolicy:
    """A rule from a day on, not earlier than today: what was counted yesterday stays as it was counted."""
    check_may(actor, "calendar.edit")
    source = fitting(source, what="依据")
    if not source:
        raise Refused("deadline_source", "请写明期限规则的依据。")
    if valid_from < local_day(now):
        raise Refused("deadline_past", "生效日期不能早于今天，已经计过的期限不追改。")
    if not (0 <= rules.amber_days <= LONGEST and 0 <= rules.receipt_days <= LONGEST):
        raise Refused("deadline_days", f"天数应在 0 到 {LONGEST} 个工作日之间。")
    if not 1 <= rules.courier_days <= LONGEST:
        raise Refused("deadline_days", f"寄递时限应在 1 到 {LONGEST} 个工作日之间。")
    if not (1 <= rules.chase_days <= LONGEST and 1 <= rules.incident_days <= LONGEST):
        raise Refused("deadline_days", f"催办间隔和转为异常的天数应在 1 到 {LONGEST} 个工作日之间。")
    with transaction.atomic():
        # Everybody's rule has no region, which SQLite does not count as equal: asked for by hand.
        if DeadlinePolicy.objects.filter(region=region, valid_from=valid_from).exists():
            raise Refused("deadline_known", "同一区划同一天生效的期限规则已经登记，请换一个生效日期。")
        policy = DeadlinePolicy.objects.create(
            region=region,
            valid_from=valid_from,
            amber_days=rules.amber_days,
            courier_days=rules.courier_days,
            receipt_days=rules.receipt_days,
            pause_for_courier=rules.pause_for_courier,
            chase_days=rules.chase_days,
            incident_days=rules.incident_days,
            source=source,
        )
        data = {**vars(rules), "region": region.code if region else "", "from": str(valid_from)}
        record(kind="deadline.policy_set", actor=actor, subject=policy, now=now, data=data)
    return policy


def deadline_policies() -> list[DeadlinePolicyFacts]:
    """Every policy, in one query."""
    return [policy.facts for policy in DeadlinePolicy.objects.select_related("region")]


def policy_words(regions: Iterable[str], now: datetime) -> list[str]:
    """In words, the policies that decide for these regions today, each once; no query where there are none."""
    wanted = set(regions)
    policies = deadline_policies() if wanted else []
    return sorted({policy_for(region, local_day(now), policies).words for region in wanted})
