"""推送收件箱: what couriers push, as it came; what waits for a waybill; how much of it was not theirs."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Q

from logistics.models.carriers import Carrier, CarrierAccount
from storage.encryption import EncryptedJSONField


class WebhookDelivery(models.Model):
    """One push as it came in, kept before anything is made of it.

    `raw`: `{"headers": {…}, "body": Base64, "query": text, "address": caller}`; empty for a repetition of a push that we
    have, and for one that was kept long enough (`purged_at`). `key` and `proof` are empty until the push was judged to be
    the courier's. `noted_at`: when it went into the audit chain, and with that to the workers. `attempts`: how often
    processing it went wrong.
    """

    class State(models.TextChoices):
        """From the raw bytes to one effect."""

        RECEIVED = "received", "待处理"
        PROCESSED = "processed", "已处理"
        PARKED = "parked", "待认领"
        FAILED = "failed", "无法处理"
        FORGED = "forged", "验签失败"
        REPEATED = "repeated", "重复推送"

    REPLAYABLE = (State.PROCESSED, State.PARKED, State.FAILED)

    account = models.ForeignKey(
        CarrierAccount, on_delete=models.PROTECT, related_name="deliveries", verbose_name="账户"
    )
    key = models.CharField("推送标识", max_length=200, blank=True)
    raw = EncryptedJSONField("原始内容")
    digest = models.CharField("正文摘要", max_length=64)
    proof = models.CharField("来源证明", max_length=10, blank=True)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.RECEIVED)
    numbers = models.JSONField("运单号", default=list, blank=True)
    fault = models.CharField("原因", max_length=200, blank=True)
    repeats = models.PositiveIntegerField("重复次数", default=0)
    attempts = models.PositiveSmallIntegerField("处理出错次数", default=0)
    received_at = models.DateTimeField("收到时间")
    noted_at = models.DateTimeField("入账时间", null=True, blank=True)
    processed_at = models.DateTimeField("处理时间", null=True, blank=True)
    purged_at = models.DateTimeField("原文清除时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "推送收件箱"
        ordering = ["-pk"]
        constraints = [
            # A forgery must not occupy the name of the true push that it imitates: only judged pushes have a name.
            models.UniqueConstraint(
                fields=["account", "key"],
                condition=~Q(key="") & ~Q(state="forged"),
                name="logistics_delivery_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["received", "failed", "forged"]) | Q(processed_at__isnull=False),
                name="logistics_delivery_processed",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "received_at"], name="logistics_delivery_state"),
            models.Index(
                fields=["id"], condition=Q(noted_at__isnull=True), name="logistics_delivery_unnoted"
            ),
            models.Index(
                fields=["received_at"],
                condition=Q(state__in=["processed", "parked", "failed", "forged"], purged_at__isnull=True),
                name="logistics_delivery_unpurged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.key or self.pk}"

    @classmethod
    def keep(cls, *, account_id: int, raw: Mapping[str, object], digest: str, now: datetime) -> int:
        """Writes a push that just came in; its id. One statement, put together once: this is done hundreds of times a
        second, and the query compiler would be the dearest part of it.
        """
        kept = {"account": account_id, "raw": raw, "digest": digest, "received_at": now}
        with connection.cursor() as cursor:
            cursor.execute(_insert(), [value(kept.get(name)) for name, value in _columns().items()])
            return int(cursor.fetchone()[0])

    @property
    def can_replay(self) -> bool:
        """Whether a person may have it processed again: it was the courier's, it is still there, and nobody is at it."""
        return self.state in self.REPLAYABLE and self.purged_at is None


@lru_cache(maxsize=1)
def _columns() -> Mapping[str, Callable[[object], Any]]:
    """Field name → what the database takes for a value of it, or for its default."""
    fields = [field for field in WebhookDelivery._meta.concrete_fields if not field.primary_key]
    return {field.name: partial(_prepared, field) for field in fields}


def _prepared(field: "models.Field[Any, Any]", value: object) -> Any:
    given = field.get_default() if value is None else value
    return field.get_db_prep_save(given, connection)


@lru_cache(maxsize=1)
def _insert() -> str:
    quoted = connection.ops.quote_name
    fields = [field for field in WebhookDelivery._meta.concrete_fields if not field.primary_key]
    names = ", ".join(quoted(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    table = quoted(WebhookDelivery._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING {quoted('id')}"  # noqa: S608 — our names


class ParkedNumber(models.Model):
    """A waybill number that a push spoke of before we knew it: found again when the waybill is booked."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="parked")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+")
    number = models.CharField("运单号", max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = "待认领运单号"
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="logistics_parked_once")]
        indexes = [models.Index(fields=["carrier", "number"], name="logistics_parked_number")]

    def __str__(self) -> str:
        return self.number


class ForgeryTally(models.Model):
    """How many pushes of one clock hour at one account were not the courier's, and how many of them were kept.

    `alarmed_at`: when they were too many; `seen_at`: when an administrator said that they know.
    """

    account = models.ForeignKey(
        CarrierAccount, on_delete=models.PROTECT, related_name="forgeries", verbose_name="账户"
    )
    hour = models.DateTimeField("时段")
    count = models.PositiveIntegerField("次数", default=0)
    kept = models.PositiveIntegerField("保留", default=0)
    kept_bytes = models.PositiveBigIntegerField("保留字节", default=0)
    last_fault = models.CharField("最近原因", max_length=200, blank=True)
    last_at = models.DateTimeField("最近时间", null=True, blank=True)
    alarmed_at = models.DateTimeField("告警时间", null=True, blank=True)
    seen_at = models.DateTimeField("知悉时间", null=True, blank=True)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, verbose_name="知悉人"
    )
    told_at = models.DateTimeField("入账时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "验签失败统计"
        ordering = ["-hour"]
        constraints = [
            models.UniqueConstraint(fields=["account", "hour"], name="logistics_forgeries_of_hour"),
            models.CheckConstraint(
                condition=Q(kept__lte=models.F("count")), name="logistics_forgeries_kept_of_count"
            ),
        ]
        indexes = [
            models.Index(
                fields=["hour"],
                condition=Q(alarmed_at__isnull=False, seen_at__isnull=True),
                name="logistics_forgeries_unseen",
            ),
            models.Index(
                fields=["hour"], condition=Q(told_at__isnull=True), name="logistics_forgeries_untold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.hour:%Y-%m-%d %H}"
