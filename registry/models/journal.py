"""What happened: one row is the audit entry and the outbox message at once."""

from django.db import models, transaction
from django.db.models import F, Q


class Event(models.Model):
    """Append-only. Each stream (one case, or `system`) is a hash chain, so that a removed or edited row shows."""

    kind = models.CharField("事件", max_length=60)
    at = models.DateTimeField("时间")
    actor_kind = models.CharField("主体类型", max_length=16)
    actor_id = models.CharField("主体", max_length=40, blank=True)
    actor_label = models.CharField("主体名称", max_length=100)
    subject_type = models.CharField("对象类型", max_length=60)
    subject_id = models.CharField("对象", max_length=40)
    case_number = models.CharField("办件编号", max_length=40, blank=True, db_index=True)
    data = models.JSONField("内容", default=dict)
    stream = models.CharField("序列", max_length=60)
    sequence = models.PositiveBigIntegerField("序号")
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    published_at = models.DateTimeField("已转发", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "审计记录"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "sequence"], name="registry_event_sequence"),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(published_at__isnull=True), name="registry_event_unpublished"
            ),
            models.Index(fields=["subject_type", "subject_id"], name="registry_event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.stream}#{self.sequence} {self.kind}"


class NumberSequence(models.Model):
    """Counters behind printed numbers: gap-free as far as the transactions that take them commit."""

    name = models.CharField(max_length=80, primary_key=True)
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "编号序列"

    def __str__(self) -> str:
        return f"{self.name}={self.value}"

    @classmethod
    def take(cls, name: str) -> int:
        """The next number, from 1. Call inside the transaction that uses it."""
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("a number is taken inside the transaction that uses it")
        cls.objects.get_or_create(name=name)
        cls.objects.filter(name=name).update(value=F("value") + 1)
        return cls.objects.get(name=name).value
