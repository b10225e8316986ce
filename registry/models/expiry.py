"""到期: how long ahead one is told, and what was told of which agreement, grant or item."""

from django.db import models
from django.db.models import Q

from registry.models.cooperation import Agreement, Grant
from registry.models.items import ServiceItem
from registry.rules.expiry import ExpiryRules


class ExpiryPolicy(models.Model):
    """How many days ahead, from a day on. Never edited: a later row replaces it."""

    days_ahead = models.JSONField("提前天数")
    valid_from = models.DateField("生效日期", unique=True)
    source = models.CharField("依据", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "到期提醒规则"

    def __str__(self) -> str:
        return f"{self.valid_from}：{self.days_ahead}"

    @property
    def rules(self) -> ExpiryRules:
        return ExpiryRules(tuple(self.days_ahead), self.valid_from, self.source)


class ExpiryNotice(models.Model):
    """That it was said, once, how far the last day of an agreement, a grant or an item is away (`step`, in days; -1: over)."""

    agreement = models.ForeignKey(
        Agreement, on_delete=models.PROTECT, null=True, blank=True, related_name="expiry_notices"
    )
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, null=True, blank=True, related_name="expiry_notices"
    )
    item = models.ForeignKey(
        ServiceItem, on_delete=models.PROTECT, null=True, blank=True, related_name="expiry_notices"
    )
    last_day = models.DateField("最后一天")
    step = models.SmallIntegerField("提前天数")
    at = models.DateTimeField("通报时间")

    class Meta:
        verbose_name = verbose_name_plural = "到期通报"
        constraints = [
            models.CheckConstraint(
                condition=Q(agreement__isnull=False, grant__isnull=True, item__isnull=True)
                | Q(agreement__isnull=True, grant__isnull=False, item__isnull=True)
                | Q(agreement__isnull=True, grant__isnull=True, item__isnull=False),
                name="registry_expiry_of_one",
            ),
            models.UniqueConstraint(
                fields=["agreement", "last_day", "step"],
                condition=Q(agreement__isnull=False),
                name="registry_expiry_agreement_once",
            ),
            models.UniqueConstraint(
                fields=["grant", "last_day", "step"],
                condition=Q(grant__isnull=False),
                name="registry_expiry_grant_once",
            ),
            models.UniqueConstraint(
                fields=["item", "last_day", "step"],
                condition=Q(item__isnull=False),
                name="registry_expiry_item_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.last_day} {self.step}"
