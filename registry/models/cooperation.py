"""What regions agree on and what offices entrust to windows."""

from datetime import date, datetime

from django.db import models
from django.db.models import F, Q

from registry.models.items import ServiceItem
from registry.models.places import Office, Region, Window
from registry.terms import Right


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def in_force(self, day: date) -> "AgreementQuerySet":
        return self.filter(effective_from__lte=day).filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=day)
        )


class Agreement(models.Model):
    """合作协议 between two regions. `shared_citywide` is 一地签约、全市共享 (taizhou-2023 §二(一))."""

    region_a = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name="甲方区划")
    region_b = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name="乙方区划")
    signed_on = models.DateField("签订日期")
    effective_from = models.DateField("生效日期")
    effective_to = models.DateField("失效日期", null=True, blank=True)
    shared_citywide = models.BooleanField("一地签约、全市共享", default=False)
    items = models.ManyToManyField(
        ServiceItem, blank=True, verbose_name="限定事项", help_text="留空表示全部事项"
    )
    directory_updated_on = models.DateField("通讯录与合作表更新日期", null=True, blank=True)
    overdue_told_at = models.DateTimeField("已通报超期时间", null=True, blank=True)
    group_name = models.CharField("通办联络群", max_length=100, blank=True)
    contact_a = models.CharField("甲方联络人", max_length=60, blank=True)
    phone_a = models.CharField("甲方联络电话", max_length=40, blank=True)
    contact_b = models.CharField("乙方联络人", max_length=60, blank=True)
    phone_b = models.CharField("乙方联络电话", max_length=40, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "合作协议"
        constraints = [
            models.CheckConstraint(condition=~Q(region_a=F("region_b")), name="registry_agreement_two_sides"),
            models.UniqueConstraint(
                fields=["region_a", "region_b", "effective_from"], name="registry_agreement_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region_a}—{self.region_b}"


class RegionIndex(models.Model):
    """人口潜力指数 and 合作潜力指数 of a partner region, 0 to 100, from a day on (taizhou-2023 §二(四))."""

    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="indices", verbose_name="合作地区"
    )
    population = models.PositiveSmallIntegerField("人口潜力指数")
    cooperation = models.PositiveSmallIntegerField("合作潜力指数")
    valid_from = models.DateField("生效日期")
    source = models.CharField("依据", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "地区潜力指数"
        constraints = [
            models.UniqueConstraint(fields=["region", "valid_from"], name="registry_index_once"),
            models.CheckConstraint(
                condition=Q(population__lte=100, cooperation__lte=100), name="registry_index_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region} {self.population}/{self.cooperation}"


class ColourPolicy(models.Model):
    """From which index values on a region counts as high, from a day on."""

    population = models.PositiveSmallIntegerField("人口潜力指数界限")
    cooperation = models.PositiveSmallIntegerField("合作潜力指数界限")
    valid_from = models.DateField("生效日期", unique=True)
    source = models.CharField("依据", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "四色分类标准"
        constraints = [
            models.CheckConstraint(
                condition=Q(population__lte=100, cooperation__lte=100), name="registry_colour_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from}：{self.population}/{self.cooperation}"


class GrantQuerySet(models.QuerySet["Grant"]):
    def in_force(self, *, day: date, now: datetime) -> "GrantQuerySet":
        return self.filter(
            Q(effective_from__lte=day),
            Q(effective_to__isnull=True) | Q(effective_to__gte=day),
            Q(revoked_at__isnull=True) | Q(revoked_at__gt=now),
        )


class Grant(models.Model):
    """授权: an office lets one window, or every window of a region, use a right for one item or for all."""

    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, related_name="grants", verbose_name="授权部门"
    )
    right = models.CharField("权限", max_length=20, choices=Right.choices())
    window = models.ForeignKey(
        Window, on_delete=models.PROTECT, null=True, blank=True, related_name="grants", verbose_name="窗口"
    )
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, verbose_name="区划内全部窗口"
    )
    item = models.ForeignKey(
        ServiceItem, on_delete=models.PROTECT, null=True, blank=True, verbose_name="事项"
    )
    effective_from = models.DateField("生效日期")
    effective_to = models.DateField("失效日期", null=True, blank=True)
    reason = models.CharField("授权依据", max_length=200, blank=True)
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)
    revoked_reason = models.CharField("撤销理由", max_length=200, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "授权"
        constraints = [
            models.CheckConstraint(
                condition=Q(window__isnull=True, region__isnull=False)
                | Q(window__isnull=False, region__isnull=True),
                name="registry_grant_window_or_region",
            ),
            models.UniqueConstraint(
                fields=["office", "right", "window", "region", "item", "effective_from"],
                # What was revoked may be given again on the same day.
                condition=Q(revoked_at__isnull=True),
                name="registry_grant_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office} → {self.window or self.region}：{Right(self.right).label}"
