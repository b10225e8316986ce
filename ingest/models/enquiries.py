"""How often somebody without an account tried to open a case: what shuts out those who guess."""

from django.db import models


class EnquiryBrake(models.Model):
    """The day's tries at one case number or slip, under its keyed digest, until they are forgotten."""

    name = models.CharField(max_length=64)
    until = models.DateTimeField("计数截止")
    count = models.PositiveIntegerField("次数", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "进度查询计数"
        constraints = [
            models.UniqueConstraint(fields=["name", "until"], name="ingest_enquiry_brake_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name[:8]} {self.count}"
