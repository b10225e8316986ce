"""寄件: envelopes with a packing list, the custody of what is inside, and what went wrong on the way."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ingest.models import Original
from logistics.rules.parcels import ON_THE_ROAD, OPEN, IncidentKind, ParcelState, Party
from logistics.rules.payers import Leg
from registry.actors import Actor
from registry.permissions import Reach
from registry.tokens import Purpose, write
from storage.models import StoredObject


def _at_the_desk(actor: Actor, reach: Reach, prefix: str) -> Q:
    """Rows whose `prefix` kind and id name the actor's window or office."""
    if reach == Reach.OWN_WINDOW and actor.window_id is not None:
        return Q(**{f"{prefix}kind": Party.WINDOW.value, f"{prefix}id": actor.window_id})
    if reach == Reach.OWN_OFFICE and actor.office_id is not None:
        return Q(**{f"{prefix}kind": Party.OFFICE.value, f"{prefix}id": actor.office_id})
    return Q(pk__in=())


def _at_either_end(actor: Actor, reach: Reach, prefix: str = "") -> Q:
    # What is still being packed elsewhere is nobody's business at the other end.
    # What an applicant sends is told to its receiver from the start, also that it will not come after all.
    coming = _at_the_desk(actor, reach, f"{prefix}receiver_") & (
        ~Q(**{f"{prefix}state__in": [ParcelState.PACKING.value, ParcelState.CANCELLED.value]})
        | Q(**{f"{prefix}sender_kind": Party.APPLICANT.value})
    )
    return _at_the_desk(actor, reach, f"{prefix}sender_") | coming


class ParcelQuerySet(models.QuerySet["Parcel"]):
    """Questions about parcels."""

    def on_the_road(self) -> "ParcelQuerySet":
        """Handed over and not yet received."""
        return self.filter(state__in=ON_THE_ROAD)

    def arriving_at(self, office_id: int) -> "ParcelQuerySet":
        """On the way to an office."""
        return self.on_the_road().filter(receiver_kind=Party.OFFICE.value, receiver_id=office_id)


class Parcel(models.Model):
    """寄件. The ends are a window, an office, or (`applicant`) the applicant of the case whose id it names.

    `told_carrier` and `told_number` are an applicant's own words about a parcel that we did not order. Such a parcel has no
    weight before it arrives.
    """

    number = models.CharField("寄件编号", max_length=40, unique=True)
    code = models.CharField("二维码标识", max_length=16, unique=True)
    leg = models.CharField("寄件类型", max_length=20, choices=Leg.choices())
    state = models.CharField(
        "状态", max_length=12, choices=ParcelState.choices(), default=ParcelState.PACKING
    )
    sender_kind = models.CharField("寄件方", max_length=10, choices=Party.choices())
    sender_id = models.PositiveBigIntegerField("寄件方编号")
    receiver_kind = models.CharField("收件方", max_length=10, choices=Party.choices())
    receiver_id = models.PositiveBigIntegerField("收件方编号")
    weight_g = models.PositiveIntegerField("重量（克）", null=True, blank=True)
    length_mm = models.PositiveIntegerField("长（毫米）", default=0)
    width_mm = models.PositiveIntegerField("宽（毫米）", default=0)
    height_mm = models.PositiveIntegerField("高（毫米）", default=0)
    told_carrier = models.CharField("申请人所报快递公司", max_length=60, blank=True)
    told_number = models.CharField("申请人所报运单号", max_length=40, blank=True)
    created_at = models.DateTimeField("装件时间")
    sealed_at = models.DateTimeField("封装时间", null=True, blank=True)
    handed_over_at = models.DateTimeField("交寄时间", null=True, blank=True)
    delivered_at = models.DateTimeField("承运商送达时间", null=True, blank=True)
    received_at = models.DateTimeField("签收核对时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)

    objects = ParcelQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "寄件"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ParcelState.values()), name="logistics_parcel_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[ParcelState.PACKING.value, ParcelState.CANCELLED.value])
                | Q(weight_g__gt=0, sealed_at__isnull=False)
                | Q(sender_kind=Party.APPLICANT.value),
                name="logistics_parcel_weighed",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        ParcelState.PACKING.value,
                        ParcelState.SEALED.value,
                        ParcelState.CANCELLED.value,
                    ]
                )
                | Q(handed_over_at__isnull=False),
                name="logistics_parcel_handed_over",
            ),
            models.CheckConstraint(
                condition=~Q(state=ParcelState.RECEIVED.value) | Q(received_at__isnull=False),
                name="logistics_parcel_received",
            ),
        ]
        indexes = [
            models.Index(fields=["sender_kind", "sender_id", "state"], name="logistics_parcel_sender"),
            models.Index(fields=["receiver_kind", "receiver_id", "state"], name="logistics_parcel_receiver"),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """Own when at either end; the receiver sees it once it is sealed."""
        return _at_either_end(actor, reach)

    @property
    def token_text(self) -> str:
        """The text of its QR code, made with the newest key."""
        return write(Purpose.PARCEL, self.code).text

    @property
    def is_from_applicant(self) -> bool:
        """Whether an applicant sends it: nobody of ours packed, weighed or scanned it."""
        return self.sender_kind == Party.APPLICANT

    @property
    def is_open(self) -> bool:
        """Whether it holds its originals, or will."""
        return self.state in OPEN

    @property
    def volume_mm3(self) -> int:
        """Volume, 0 when it was not measured."""
        return self.length_mm * self.width_mm * self.height_mm


class ParcelItem(models.Model):
    """One row of the packing list. `holds` falls when the parcel is done with it."""

    class Finding(models.TextChoices):
        """What the receiver found."""

        UNSEEN = "unseen", "未核对"
        PRESENT = "present", "在"
        DAMAGED = "damaged", "破损"
        MISSING = "missing", "缺"

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="items", verbose_name="寄件")
    original = models.ForeignKey(
        Original, on_delete=models.PROTECT, related_name="parcel_items", verbose_name="原件"
    )
    holds = models.BooleanField("占用中", default=True)
    finding = models.CharField("核对结果", max_length=8, choices=Finding.choices, default=Finding.UNSEEN)
    added_at = models.DateTimeField("装入时间")
    checked_at = models.DateTimeField("核对时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "寄件清单"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["parcel", "original"], name="logistics_item_once"),
            models.UniqueConstraint(
                fields=["original"], condition=Q(holds=True), name="logistics_original_in_one_parcel"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parcel_id}/{self.original_id}"


class CustodyEvent(models.Model):
    """交接: an original went from one place to the next. Append-only; the numbers of one original have no gap."""

    class Proof(models.TextChoices):
        """What shows it."""

        SCAN = "scan", "扫码"
        TICK = "tick", "清单核对"
        SIGNATURE = "signature", "当面签收"
        REPORT = "report", "报告"
        FILED = "filed", "归档登记"

    original = models.ForeignKey(
        Original, on_delete=models.PROTECT, related_name="custody", verbose_name="原件"
    )
    sequence = models.PositiveIntegerField("序号")
    from_place = models.CharField("来自", max_length=10, choices=Original.Place.choices)
    from_id = models.PositiveBigIntegerField("来自对象")
    to_place = models.CharField("去往", max_length=10, choices=Original.Place.choices)
    to_id = models.PositiveBigIntegerField("去往对象")
    parcel = models.ForeignKey(
        Parcel, on_delete=models.PROTECT, null=True, blank=True, related_name="custody", verbose_name="寄件"
    )
    handover = models.ForeignKey(
        "logistics.HandoverList",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="custody",
        verbose_name="交接清单",
    )
    proof = models.CharField("凭据", max_length=10, choices=Proof.choices)
    photo = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, verbose_name="照片"
    )
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, verbose_name="经手人"
    )
    by_label = models.CharField("经手人名称", max_length=100)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "交接记录"
        ordering = ["original", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["original", "sequence"], name="logistics_custody_sequence"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="logistics_custody_from_one"),
            models.CheckConstraint(
                condition=~Q(from_place=models.F("to_place"), from_id=models.F("to_id")),
                name="logistics_custody_moves",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_id}#{self.sequence}"


class Incident(models.Model):
    """异常: something a person has to answer for, with an owner and a due time.

    It is about a parcel, or about an original at its owner's desk: one that is not there (`missing_at_desk`), or one that
    lies there for too long (`overdue`, which of what is on its way is about the parcel).
    """

    class State(models.TextChoices):
        """Its short life."""

        OPEN = "open", "待处理"
        RESOLVED = "resolved", "已处理"

    kind = models.CharField("种类", max_length=20, choices=IncidentKind.choices())
    parcel = models.ForeignKey(
        Parcel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="incidents",
        verbose_name="寄件",
    )
    original = models.ForeignKey(
        Original,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="incidents",
        verbose_name="原件",
    )
    owner_kind = models.CharField("责任方", max_length=10, choices=Party.choices())
    owner_id = models.PositiveBigIntegerField("责任方编号")
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField("发现时间")
    due_at = models.DateTimeField("处理期限")
    resolved_at = models.DateTimeField("处理时间", null=True, blank=True)
    resolution = models.CharField("处理结果", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "物流异常"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "parcel", "original"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="logistics_incident_once",
            ),
            models.CheckConstraint(
                condition=Q(state="open") | Q(resolved_at__isnull=False), name="logistics_incident_resolved"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["missing_at_desk", "overdue"], parcel__isnull=True, original__isnull=False
                )
                | Q(kind="overdue", parcel__isnull=False, original__isnull=True)
                | (~Q(kind__in=["missing_at_desk", "overdue"]) & Q(parcel__isnull=False)),
                name="logistics_incident_about",
            ),
        ]
        indexes = [models.Index(fields=["owner_kind", "owner_id", "state"], name="logistics_incident_owner")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.parcel_id}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """Own when the parcel is; what vanished from a desk belongs to that desk."""
        return _at_either_end(actor, reach, "parcel__") | (
            Q(parcel__isnull=True) & _at_the_desk(actor, reach, "owner_")
        )
