"""邮资预算: what a centre may spend in a year; a change is a new row, the last one counts."""

from django.db import models
from django.db.models import Q

from logistics.models.billing import own_centre
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import Reach


class PostageBudget(models.Model):
    """One version of a year's budget. Append-only."""

    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="postage_budgets", verbose_name="中心"
    )
    year = models.PositiveSmallIntegerField("年度")
    amount_fen = models.PositiveBigIntegerField("预算（分）")
    reason = models.CharField("依据", max_length=200)
    set_by = models.CharField("登记人", max_length=100)
    set_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "邮资预算"
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="logistics_budget_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="logistics_budget_reason"),
        ]
        indexes = [models.Index(fields=["centre", "year", "-id"], name="logistics_budget_latest")]

    def __str__(self) -> str:
        return f"{self.centre_id}/{self.year}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor)
