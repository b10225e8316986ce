"""期限规则: when a promise is amber, when a courier is late, whether that stops the clock, and how overdue paper is chased."""

from django.db import models

from registry.models.places import Region
from registry.rules.deadlines import DeadlinePolicyFacts, DeadlineRules


class DeadlinePolicy(models.Model):
    """One region's rule from a day on, or everybody's without a region. Never edited: a later row replaces it."""

    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, verbose_name="区划（不填为全部）"
    )
    valid_from = models.DateField("生效日期")
    amber_days = models.PositiveSmallIntegerField("提醒起点（剩余工作日）")
    courier_days = models.PositiveSmallIntegerField("寄递时限（工作日）")
    receipt_days = models.PositiveSmallIntegerField("签收核对时限（工作日）")
    pause_for_courier = models.BooleanField("原件寄递超时时暂停计时", default=False)
    chase_days = models.PositiveSmallIntegerField("催办间隔（工作日）", default=2)
    incident_days = models.PositiveSmallIntegerField("超期转为异常（工作日）", default=5)
    source = models.CharField("依据", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "期限规则"
        constraints = [
            models.UniqueConstraint(
                fields=["region", "valid_from"], name="registry_deadline_policy_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region or '全部'} {self.valid_from}"

    @property
    def facts(self) -> DeadlinePolicyFacts:
        rules = DeadlineRules(
            self.amber_days,
            self.courier_days,
            self.receipt_days,
            self.pause_for_courier,
            self.chase_days,
            self.incident_days,
        )
        area = self.region.name if self.region else "全部区划"
        return DeadlinePolicyFacts(self.region_id, self.valid_from, rules, area, self.source)
