"""指标的合计: what finished days add up to, so that nobody counts a million cases to look at last year."""

from django.db import models

from registry.rules.figures import Dimension


class MonthTally(models.Model):
    """What one region, office or item has in one month, as far as it is counted (`TallyMark`), over all readers.

    `key` is the code of the region, the office or the item. A month is replaced whole, never added to.
    """

    month = models.DateField("月份")
    dimension = models.CharField("分类", max_length=8, choices=Dimension.choices())
    key = models.CharField("对象", max_length=60)
    handed_in = models.PositiveIntegerField("提交件数")
    online = models.PositiveIntegerField("其中全程网办")
    decided = models.PositiveIntegerField("决定环节数")
    same_day = models.PositiveIntegerField("其中当日即办")
    punctual = models.PositiveIntegerField("其中按期")
    graded = models.PositiveIntegerField("评价数")
    satisfied = models.PositiveIntegerField("其中满意")

    class Meta:
        verbose_name = verbose_name_plural = "指标月合计"
        constraints = [
            models.UniqueConstraint(fields=["month", "dimension", "key"], name="ingest_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.month} {self.dimension} {self.key}"


class TallyMark(models.Model):
    """How far it is counted: every day before `counted_to`, at Shanghai. There is one row, or none yet."""

    counted_to = models.DateField("已计至（不含）")

    class Meta:
        verbose_name = verbose_name_plural = "指标合计进度"

    def __str__(self) -> str:
        return str(self.counted_to)
