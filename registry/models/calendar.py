"""节假日安排: the State Council's yearly notice as it was loaded."""

from django.db import models


class HolidayNotice(models.Model):
    """The holidays of one year. Never edited: a correction is a later row, and the last row of a year counts."""

    year = models.PositiveSmallIntegerField("年份")
    source = models.CharField("文号或出处", max_length=200)
    days = models.JSONField("日期")
    """Rows of [ISO date, works, name]."""
    loaded_at = models.DateTimeField("载入时间")
    loaded_by = models.CharField("载入人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "节假日安排"
        ordering = ["-year", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(year__gte=2004, year__lte=2200), name="registry_holiday_year"
            )
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.source}"
