"""平台推送: who wants to be told about which events, and every telling."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from registry.models import ApiKey, Event
from storage.encryption import EncryptedJSONField


class Subscription(models.Model):
    """An address at which an integration is told about its cases.

    `secrets`: `[{"secret": …, "until": ISO time or null}]`, newest first; every one that still holds signs.
    `failing_since`: the first failure after the last success. `rests_until`: the address is left alone until then.
    """

    class State(models.TextChoices):
        ACTIVE = "active", "推送中"
        DISABLED = "disabled", "已停用"
        ENDED = "ended", "已终止"

    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, related_name="subscriptions", verbose_name="接口密钥"
    )
    url = models.CharField("推送地址", max_length=400)
    kinds = models.JSONField("事件", default=list)
    secrets = EncryptedJSONField("签名密钥", default=list)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.ACTIVE)
    failures = models.PositiveIntegerField("连续失败", default=0)
    failing_since = models.DateTimeField("失败起始", null=True, blank=True)
    rests_until = models.DateTimeField("暂缓至", null=True, blank=True)
    disabled_for = models.CharField("停用原因", max_length=40, blank=True)
    created_at = models.DateTimeField("创建时间")
    ended_at = models.DateTimeField("终止时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "平台推送订阅"
        constraints = [
            models.UniqueConstraint(
                fields=["api_key", "url"], condition=~Q(state="ended"), name="ingest_subscription_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="ended") | Q(ended_at__isnull=False), name="ingest_subscription_ended"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}→{self.pk}"

    def living_secrets(self, *, now: datetime) -> list[str]:
        """Newest first; a replaced one signs along until its time is over."""
        return [
            str(held["secret"])
            for held in self.secrets
            if held["until"] is None or datetime.fromisoformat(held["until"]) > now
        ]

    def old_secret_until(self, *, now: datetime) -> datetime | None:
        """Until when a replaced secret signs along; None when none does."""
        ends = [datetime.fromisoformat(held["until"]) for held in self.secrets if held["until"]]
        return max((end for end in ends if end > now), default=None)


class Notice(models.Model):
    """One event told, or to be told, to one subscription; the body never changes, so that a repetition is the same.

    `tries`: `[{"at": ISO time, "status": HTTP status or null, "fault": word}]`, oldest first.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待推送"
        DELIVERED = "delivered", "已送达"
        PARKED = "parked", "搁置"

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="notices", verbose_name="订阅"
    )
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+", verbose_name="事件")
    body = models.TextField("内容")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField("已尝试", default=0)
    tries = models.JSONField("尝试记录", default=list)
    last_fault = models.CharField("最近错误", max_length=40, blank=True)
    next_try_at = models.DateTimeField("下次推送", null=True, blank=True)
    created_at = models.DateTimeField("创建时间")
    delivered_at = models.DateTimeField("送达时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "平台推送"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "event"], name="ingest_notice_once"),
            models.CheckConstraint(
                condition=~Q(state="delivered") | Q(delivered_at__isnull=False),
                name="ingest_notice_delivered",
            ),
        ]
        indexes = [
            models.Index(fields=["subscription", "state"], name="ingest_notice_parked"),
            models.Index(
                fields=["delivered_at"], condition=Q(state="delivered"), name="ingest_notice_forgettable"
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """The same however often it is told: the number of the event."""
        return f"evt_{self.event_id}"
