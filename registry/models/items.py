"""事项: what can be applied for, by which rules, with which papers, decided by whom."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from registry.models.places import Office, Region
from registry.terms import Scope


class ServiceItemQuerySet(models.QuerySet["ServiceItem"]):
    def in_force(self, day: date) -> "ServiceItemQuerySet":
        return self.filter(effective_from__lte=day).filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=day)
        )


class ServiceItem(models.Model):
    """One version of an item. A change makes a new version; cases keep the version they began with."""

    code = models.CharField("事项编码", max_length=40)
    version = models.PositiveIntegerField("版本", default=1)
    name = models.CharField("事项名称", max_length=200)
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="items", verbose_name="清单所属区划"
    )
    scope = models.CharField("通办范围", max_length=16, choices=Scope.choices())
    batch = models.CharField("批次", max_length=60, blank=True)
    lead_department = models.CharField("牵头单位", max_length=60, blank=True)
    scenario = models.TextField("应用场景", blank=True)
    effective_from = models.DateField("生效日期")
    effective_to = models.DateField("失效日期", null=True, blank=True)
    negative = models.BooleanField("列入负面清单", default=False)
    modes = models.JSONField("允许的办理模式", default=list)
    stars = models.PositiveSmallIntegerField("网办星级", default=3)
    unified_platform = models.BooleanField("使用统一平台", default=True)
    promised_days = models.PositiveSmallIntegerField("承诺时限（工作日）")
    review_points = models.JSONField("审查要点", default=list, blank=True)
    source = models.CharField("依据", max_length=200, blank=True)

    objects = ServiceItemQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "事项"
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="registry_item_version"),
            models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=5), name="registry_item_stars"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="registry_item_dates",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ItemOffice(models.Model):
    """Which office of a region decides the item."""

    item = models.ForeignKey(ServiceItem, on_delete=models.CASCADE, related_name="offices")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, verbose_name="区划")
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, related_name="items", verbose_name="责任部门"
    )

    class Meta:
        verbose_name = verbose_name_plural = "事项责任部门"
        constraints = [
            models.UniqueConstraint(fields=["item", "office"], name="registry_item_office_once"),
        ]

    def __str__(self) -> str:
        return f"{self.item}：{self.office}"


class MaterialRequirement(models.Model):
    """材料要求: one row of an item's checklist."""

    class Form(models.TextChoices):
        ORIGINAL = "original", "原件"
        COPY = "copy", "复印件"

    item = models.ForeignKey(ServiceItem, on_delete=models.CASCADE, related_name="requirements")
    position = models.PositiveSmallIntegerField("序号")
    name = models.CharField("材料名称", max_length=100)
    form = models.CharField("形式", max_length=10, choices=Form.choices)
    mailed = models.BooleanField("纸质须寄送", default=False)
    minimum_pages = models.PositiveSmallIntegerField("最少页数", default=1)
    required = models.BooleanField("必要", default=True)
    deferrable = models.BooleanField("可容缺", default=False)
    shared_data = models.BooleanField("可数据共享核验", default=False)
    expected_fields = models.JSONField("应含要素", default=list, blank=True)
    validity_rule = models.CharField("有效期规则", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "材料要求"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["item", "position"], name="registry_requirement_position"),
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """联络员: 一事项一联络员 (taizhou-2021 §四(三))."""

    item = models.ForeignKey(ServiceItem, on_delete=models.CASCADE, related_name="contacts")
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField("姓名", max_length=40)
    phone = models.CharField("电话", max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = "联络员"
        constraints = [models.UniqueConstraint(fields=["item", "office"], name="registry_one_contact")]

    def __str__(self) -> str:
        return self.name
