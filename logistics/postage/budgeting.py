"""预算: setting a year's budget, and the year's postage seen against it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import TruncMonth

from logistics.models import PostageBudget
from logistics.postage.spending import own_shares
from logistics.rules.budgets import Outlook, check_budget, outlook
from registry import events
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, check_may, visible
from registry.rules.talk import fitting
from registry.time import SHANGHAI, local_day


def set_budget(
    *, centre: ServiceCentre, year: int, amount_fen: int, reason: str, actor: Actor, now: datetime
) -> PostageBudget:
    """Enter a year's budget, or another one in its place. The same again changes nothing. Raises Refused."""
    check_may(actor, "budget.set")
    if actor.centre_id != centre.pk:
        raise NotYours
    reason = fitting(reason, what="依据")
    check_budget(year=year, amount_fen=amount_fen, reason=reason)
    with transaction.atomic():
        ServiceCentre.objects.select_for_update().get(pk=centre.pk)
        before = PostageBudget.objects.filter(centre=centre, year=year).order_by("-pk").first()
        if before and (before.amount_fen, before.reason) == (amount_fen, reason):
            return before
        budget = PostageBudget.objects.create(
            centre=centre,
            year=year,
            amount_fen=amount_fen,
            reason=reason,
            set_by=actor.label,
            set_at=now,
        )
        events.record(
            kind="budget.set",
            actor=actor,
            subject=budget,
            now=now,
            data={
                "year": year,
                "amount_fen": amount_fen,
                "before_fen": before.amount_fen if before else None,
                "reason": budget.reason,
            },
        )
    return budget


def budget_outlook(*, year: int, actor: Actor, now: datetime) -> Outlook:
    """The own centre's year: budget, spent, and what it will probably cost. Two queries."""
    check_may(actor, "postage.see")
    budgets = visible(actor, "postage.see", PostageBudget.objects.filter(year=year))
    latest = budgets.order_by("-pk").first()
    today = local_day(now)
    months = (
        own_shares(actor)
        .filter(charge__waybill__requested_at__gte=datetime(min(year, today.year) - 1, 1, 1, tzinfo=SHANGHAI))
        .annotate(month=TruncMonth("charge__waybill__requested_at", tzinfo=SHANGHAI))
        .values_list("month")
        .annotate(fen=Sum("amount_fen"))
        .order_by("month")
    )
    spent = {f"{month:%Y-%m}": fen for month, fen in months}
    return outlook(year=year, today=today, spent=spent, budget_fen=latest.amount_fen if latest else 0)


def budget_history(*, year: int, actor: Actor) -> list[PostageBudget]:
    """Every version of the year's budget, the one that counts first."""
    check_may(actor, "postage.see")
    return list(visible(actor, "postage.see", PostageBudget.objects.filter(year=year)).order_by("-pk"))
