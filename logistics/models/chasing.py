"""催办: which desk was told of which overdue original, and how far today's round has come."""

from django.db import models

from ingest.models import Original
from logistics.rules.overdue import Late
from logistics.rules.parcels import Party


class Chase(models.Model):
    """One overdue original of which one desk was told on one day. `since` is the last day that was in time."""

    original = models.ForeignKey(
        Original, on_delete=models.PROTECT, related_name="chases", verbose_name="原件"
    )
    late = models.CharField("超期", max_length=12, choices=Late.choices())
    since = models.DateField("期限")
    desk_kind = models.CharField("应处理方", max_length=10, choices=Party.choices())
    desk_id = models.PositiveBigIntegerField("应处理方编号")
    on = models.DateField("催办日期")
    at = models.DateTimeField("催办时间")

    class Meta:
        verbose_name = verbose_name_plural = "催办"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["original", "on"], name="logistics_chase_once_a_day"),
            models.CheckConstraint(condition=models.Q(on__gt=models.F("since")), name="logistics_chase_late"),
        ]

    def __str__(self) -> str:
        return f"{self.original_id}/{self.on}"


class ChaseMark(models.Model):
    """Up to which case the round of a day has come; one row. Whoever goes on begins there."""

    day = models.DateField("日期")
    reached = models.PositiveBigIntegerField("已到办件", default=0)
    done = models.BooleanField("当日已完成", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "催办进度"

    def __str__(self) -> str:
        return f"{self.day}/{self.reached}"
