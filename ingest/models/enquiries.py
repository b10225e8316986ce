"""How often somebody without an account asked about a case: what brakes those who guess."""

from django.db import models


class EnquiryBrake(models.Model):
    """Tries counted under a keyed digest (of an address, a case number or a slip) until the count is forgotten."""

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
