"""Calls of other systems that must not count twice, however often they are sent."""

from django.db import models
from django.db.models import Q

from registry.models.people import ApiKey
from storage.encryption import EncryptedTextField


class IdempotentCall(models.Model):
    """One changing call under its caller's own name for it, and the answer it was given.

    `fingerprint` is the SHA-256 of address and content. The answer is kept encrypted until `expires_at`.
    """

    class State(models.TextChoices):
        OPEN = "open", "处理中"
        DONE = "done", "已应答"
        UNKNOWN = "unknown", "结果不明"

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, verbose_name="接口密钥")
    name = models.CharField("幂等键", max_length=255)
    fingerprint = models.CharField(max_length=64)
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.OPEN)
    status = models.PositiveSmallIntegerField("应答状态", null=True, blank=True)
    answer = EncryptedTextField("应答", blank=True)
    started_at = models.DateTimeField("开始时间")
    expires_at = models.DateTimeField("保留至", db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "幂等调用"
        constraints = [
            models.UniqueConstraint(fields=["api_key", "name"], name="registry_idempotent_call_once"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(status__isnull=False), name="registry_idempotent_call_answered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}/{self.pk}"
