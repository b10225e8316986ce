"""运单, and what the courier says about them."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from logistics.couriers.base import Payer, Settling
from logistics.models.carriers import Carrier, CarrierAccount
from logistics.models.inbox import WebhookDelivery
from logistics.models.parcels import Parcel
from logistics.rules.parcels import WaybillState
from logistics.rules.payers import PaymentTerm
from logistics.rules.tracking import Scan, Snapshot, TrackingKind
from storage.encryption import EncryptedTextField
from storage.models import StoredObject

PAYERS = [(Payer.SENDER, "寄方"), (Payer.RECEIVER, "收方"), (Payer.THIRD_PARTY, "第三方")]
SETTLINGS = [(Settling.CASH, "现结"), (Settling.MONTHLY, "月结")]
LIVING = (WaybillState.REQUESTED.value, WaybillState.BOOKED.value, WaybillState.CANCELLING.value)


class Waybill(models.Model):
    """运单. `reference` is what the courier knows us by: asking twice with it never makes a second waybill.

    `latest_kind` and `latest_at` repeat what the standing tracking events say, for lists. `leading_*` describe the
    newest full list of a carrier that pushes snapshots. `asked_at`: when the courier was last asked about it, answered or
    not; `fees_asked_at` the same for what it charges. `tried_at`: when somebody last took up an order, a cancellation or a
    subscription that was not through. `push_path`: digest of the account's push path that the courier was last told.
    """

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="waybills", verbose_name="寄件")
    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, related_name="waybills", verbose_name="承运商"
    )
    account = models.ForeignKey(
        CarrierAccount, on_delete=models.PROTECT, related_name="waybills", verbose_name="账户"
    )
    reference = models.CharField("客户单号", max_length=60, unique=True)
    number = models.CharField("运单号", max_length=40, blank=True)
    state = models.CharField(
        "状态", max_length=12, choices=WaybillState.choices(), default=WaybillState.REQUESTED
    )
    term = models.CharField("付款方式", max_length=16, choices=PaymentTerm.choices())
    payer = models.CharField("付款方", max_length=12, choices=PAYERS)
    settling = models.CharField("结算", max_length=10, choices=SETTLINGS)
    routing = models.JSONField("面单路由信息", default=dict, blank=True)
    label = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, verbose_name="面单"
    )
    company = models.CharField("跟踪所用公司编码", max_length=40, blank=True)
    latest_kind = models.CharField("最新状态", max_length=20, choices=TrackingKind.choices(), blank=True)
    latest_at = models.DateTimeField("最新状态时间", null=True, blank=True)
    expected_at = models.DateTimeField("预计送达", null=True, blank=True)
    leading_keys = models.JSONField(default=list, blank=True)
    leading_newest = models.DateTimeField(null=True, blank=True)
    subscribed_at = models.DateTimeField("订阅时间", null=True, blank=True)
    subscriptions = models.PositiveSmallIntegerField("订阅次数", default=0)
    push_path = models.CharField("订阅所用推送路径", max_length=64, blank=True)
    heard_at = models.DateTimeField("最近收到轨迹", null=True, blank=True)
    asked_at = models.DateTimeField("最近查询", null=True, blank=True)
    fees_asked_at = models.DateTimeField("最近查询计费", null=True, blank=True)
    tried_at = models.DateTimeField("最近续办", null=True, blank=True)
    requested_at = models.DateTimeField("下单时间")
    booked_at = models.DateTimeField("取得运单号时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "运单"
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "number"], condition=~Q(number=""), name="logistics_waybill_number"
            ),
            models.UniqueConstraint(
                fields=["parcel"], condition=Q(state__in=LIVING), name="logistics_one_living_waybill"
            ),
            models.CheckConstraint(
                condition=Q(state__in=WaybillState.values()), name="logistics_waybill_state"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[WaybillState.BOOKED.value, WaybillState.CANCELLING.value])
                | (~Q(number="") & Q(booked_at__isnull=False)),
                name="logistics_waybill_booked",
            ),
        ]

    def __str__(self) -> str:
        return self.number or self.reference

    def scans(self) -> list[Scan]:
        """Everything the courier ever said, as values."""
        return [event.scan() for event in self.events.all()]

    def leading(self) -> Snapshot | None:
        """The newest full list."""
        if self.leading_newest is None:
            return None
        return Snapshot(keys=frozenset(self.leading_keys), newest=self.leading_newest)


class TrackingEvent(models.Model):
    """物流轨迹: one courier scan. Append-only: a scan that was taken back is voided by a later row, never removed."""

    waybill = models.ForeignKey(Waybill, on_delete=models.PROTECT, related_name="events", verbose_name="运单")
    key = models.CharField("去重标识", max_length=80)
    kind = models.CharField("状态", max_length=20, choices=TrackingKind.choices())
    at = models.DateTimeField("发生时间")
    received_at = models.DateTimeField("收到时间")
    code = models.CharField("承运商代码", max_length=40, blank=True)
    words = EncryptedTextField("承运商原文", blank=True)
    place = models.CharField("地点", max_length=200, blank=True)
    reverses_key = models.CharField("撤销的轨迹", max_length=80, blank=True)
    reverses_codes = models.JSONField("撤销的代码", default=list, blank=True)
    delivery = models.ForeignKey(
        WebhookDelivery,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name="推送",
    )

    class Meta:
        verbose_name = verbose_name_plural = "物流轨迹"
        ordering = ["at", "key"]
        constraints = [
            models.UniqueConstraint(fields=["waybill", "key"], name="logistics_tracking_once"),
        ]
        indexes = [models.Index(fields=["waybill", "at"], name="logistics_tracking_timeline")]

    def __str__(self) -> str:
        return f"{self.waybill_id}/{self.kind}"

    def scan(self) -> Scan:
        """As a value."""
        return Scan(
            key=self.key,
            kind=TrackingKind(self.kind),
            at=self.at,
            words=self.words,
            place=self.place,
            code=self.code,
            reverses_key=self.reverses_key,
            reverses_codes=tuple(self.reverses_codes),
        )

    @classmethod
    def of(
        cls, scan: Scan, *, waybill: Waybill, now: datetime, delivery: WebhookDelivery | None
    ) -> "TrackingEvent":
        """The row of a scan, not saved."""
        return cls(
            waybill=waybill,
            key=scan.key,
            kind=scan.kind.value,
            at=scan.at,
            received_at=now,
            code=scan.code,
            words=scan.words,
            place=scan.place,
            reverses_key=scan.reverses_key,
            reverses_codes=list(scan.reverses_codes),
            delivery=delivery,
        )
