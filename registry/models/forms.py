"""Forms that people sent, so that one sent again has no second effect."""

from django.conf import settings
from django.db import models


class SentForm(models.Model):
    """One form that had its effect. `mark` is the SHA-256 of its token, address and content; `led_to` where it led.

    The token is random and kept nowhere, so nothing can be learned from the mark about what was typed.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name="填表人")
    mark = models.CharField("标记", max_length=64)
    led_to = models.CharField("去向", max_length=300, blank=True)
    sent_at = models.DateTimeField("提交时间", db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "已提交的表单"
        constraints = [models.UniqueConstraint(fields=["user", "mark"], name="registry_form_sent_once")]

    def __str__(self) -> str:
        return f"{self.user_id}/{self.pk}"
