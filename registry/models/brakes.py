"""How often pages that need no account were called: what brakes whoever calls too often."""

from django.db import models

from registry.time import to_the_minute


class CallCount(models.Model):
    """Calls of one page by one caller in one window of time. `caller` is a keyed digest; rows go when their window is over."""

    brake = models.CharField("页面", max_length=20)
    caller = models.CharField("来源", max_length=64)
    window = models.DateTimeField("时段")
    count = models.PositiveIntegerField("次数", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "公开页面访问次数"
        constraints = [
            models.UniqueConstraint(fields=["brake", "caller", "window"], name="registry_call_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.brake} {to_the_minute(self.window)} {self.count}"
