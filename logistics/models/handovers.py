"""交接清单: what was handed to one carrier's collector at one pick-up, signed once and then left as it is."""

from django.db import models
from django.db.models import Q

from logistics.models.carriers import Carrier
from logistics.models.parcels import Parcel
from logistics.rules.handovers import EntryKind, HandoverState, Signing
from logistics.rules.parcels import Party
from registry.actors import Actor
from registry.permissions import Reach
from storage.encryption import EncryptedTextField
from storage.models import StoredObject


class HandoverList(models.Model):
    """One list. `version` counts its changes, so that a signature names the very lines that were seen.

    `signature` is the picture of what was drawn on the screen. A list that is no longer open never changes again.
    """

    number = models.CharField("清单编号", max_length=40, unique=True)
    sender_kind = models.CharField("交出方", max_length=10, choices=Party.choices())
    sender_id = models.PositiveBigIntegerField("交出方编号")
    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, related_name="handovers", verbose_name="承运商"
    )
    state = models.CharField(
        "状态", max_length=8, choices=HandoverState.choices(), default=HandoverState.OPEN.value
    )
    version = models.PositiveIntegerField("改动次数", default=0)
    opened_at = models.DateTimeField("开单时间")
    opened_by = models.CharField("开单人", max_length=100)
    signing = models.CharField("签收方式", max_length=8, choices=Signing.choices(), blank=True)
    collector = EncryptedTextField("揽收员", blank=True)
    signature = models.ForeignKey(
        StoredObject,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="签名",
    )
    signed_at = models.DateTimeField("签收时间", null=True, blank=True)
    signed_before = models.CharField("交出人", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "交接清单"
        constraints = [
            models.UniqueConstraint(
                fields=["sender_kind", "sender_id", "carrier"],
                condition=Q(state="open"),
                name="logistics_handover_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=HandoverState.values()), name="logistics_handover_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="signed") | (Q(signed_at__isnull=False) & ~Q(signing="")),
                name="logistics_handover_signed",
            ),
            models.CheckConstraint(
                condition=~Q(signing="screen") | Q(signature__isnull=False),
                name="logistics_handover_signature",
            ),
        ]
        indexes = [models.Index(fields=["sender_kind", "sender_id", "-id"], name="logistics_handover_sender")]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """Own at the end that hands over; whoever receives one of its parcels has no business with the others."""
        if reach == Reach.OWN_WINDOW and actor.window_id is not None:
            return Q(sender_kind=Party.WINDOW.value, sender_id=actor.window_id)
        if reach == Reach.OWN_OFFICE and actor.office_id is not None:
            return Q(sender_kind=Party.OFFICE.value, sender_id=actor.office_id)
        return Q(pk__in=())


class HandoverLine(models.Model):
    """One parcel on a list, as it was when it was scanned. `stands` falls when it is taken off or the list dropped."""

    handover = models.ForeignKey(
        HandoverList, on_delete=models.PROTECT, related_name="lines", verbose_name="交接清单"
    )
    position = models.PositiveIntegerField("序号")
    parcel = models.ForeignKey(
        Parcel, on_delete=models.PROTECT, related_name="handover_lines", verbose_name="寄件"
    )
    waybill_number = models.CharField("运单号", max_length=40)
    originals = models.PositiveIntegerField("原件数")
    weight_g = models.PositiveIntegerField("重量（克）")
    stands = models.BooleanField("在单", default=True)
    frozen = models.BooleanField("已定", default=False)
    scanned_at = models.DateTimeField("扫入时间")

    class Meta:
        verbose_name = verbose_name_plural = "交接清单明细"
        ordering = ["handover", "position"]
        constraints = [
            models.UniqueConstraint(fields=["handover", "position"], name="logistics_handover_position"),
            models.UniqueConstraint(
                fields=["parcel"], condition=Q(stands=True), name="logistics_parcel_on_one_list"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handover_id}/{self.position}"


class HandoverEntry(models.Model):
    """What was added to a signed list: a picture of the signed sheet, or a correction in words. Append-only."""

    handover = models.ForeignKey(
        HandoverList, on_delete=models.PROTECT, related_name="entries", verbose_name="交接清单"
    )
    kind = models.CharField("种类", max_length=12, choices=EntryKind.choices())
    words = models.CharField("说明", max_length=200, blank=True)
    stored = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="图像"
    )
    rotation = models.PositiveSmallIntegerField("扶正需顺时针旋转", default=0)
    by_label = models.CharField("登记人", max_length=100)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "交接清单补记"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["handover", "stored"],
                condition=Q(stored__isnull=False),
                name="logistics_handover_sheet_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="sheet", stored__isnull=False) | (Q(kind="correction") & ~Q(words="")),
                name="logistics_handover_entry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.handover_id}/{self.kind}"
