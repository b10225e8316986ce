"""卷宗: one signed file for each version of a handling's materials, what became of it, who took a copy, and how the
paper that arrived compares with it."""

from django.db import models
from django.db.models import Q

from dossier.arrivals import ArrivalState, ArrivalVerdict, Outcome
from ingest.models import Handling, Original
from registry.actors import Actor
from registry.models import User
from registry.permissions import Reach
from registry.terms import Term
from registry.time import to_the_minute
from storage.models import StoredObject


class DossierState(Term):
    BUILDING = "building", "制作中"
    SIGNED = "signed", "已签章"


class Occasion(Term):
    """Why the file of a dossier grew."""

    SUBMITTED = "submitted", "窗口签章"
    RECEIVED = "received", "部门签收"
    DECIDED = "decided", "结果确认"
    RENEWED = "renewed", "续加时间戳"


class Dossier(models.Model):
    """One version. The row exists before the file does, so that a build that died is taken up with the same clock
    and code. `stored`, `sha256`, `size` and `signature_count` tell of the newest revision of the file. `leaves` are its captured pages in order, each
    [material, page of the PDF, SHA-256]: what differs between versions is told without opening the files."""

    handling = models.ForeignKey(
        Handling, on_delete=models.PROTECT, related_name="dossiers", verbose_name="办理环节"
    )
    version = models.PositiveSmallIntegerField("版次")
    state = models.CharField(
        "状态", max_length=10, choices=DossierState.choices(), default=DossierState.BUILDING
    )
    token = models.CharField("二维码标识", max_length=16, unique=True)
    made_at = models.DateTimeField("组卷时间")
    stored = models.ForeignKey(
        StoredObject,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="文件",
    )
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    size = models.PositiveBigIntegerField("字节数", default=0)
    page_count = models.PositiveIntegerField("页数", default=0)
    leaves = models.JSONField("材料页", default=list, blank=True)
    signature_count = models.PositiveSmallIntegerField("签章和时间戳数", default=0)
    level = models.CharField("签章级别", max_length=6, blank=True)
    stamp_ends_at = models.DateTimeField("时间戳证书到期", null=True, blank=True)
    renewal_tried_at = models.DateTimeField("最近续加时间戳的尝试", null=True, blank=True)
    signed_at = models.DateTimeField("签章时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "卷宗"
        ordering = ["handling", "version"]
        constraints = [
            models.UniqueConstraint(fields=["handling", "version"], name="dossier_version_once"),
            models.CheckConstraint(condition=Q(state__in=DossierState.values()), name="dossier_state"),
            models.CheckConstraint(
                condition=Q(state="building", stored__isnull=True) | Q(state="signed", stored__isnull=False),
                name="dossier_signed_has_file",
            ),
        ]
        indexes = [models.Index(fields=["stamp_ends_at"], name="dossier_stamp_ends")]

    def __str__(self) -> str:
        return f"{self.handling_id} v{self.version}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(handling__case__window_id=actor.window_id) & Q(handling__case__window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            mine = Q(handling__office_id=actor.office_id) & Q(handling__office_id__isnull=False)
            return mine & Q(handling__case__submitted_at__isnull=False)
        return Q(pk__in=())


class DossierRevision(models.Model):
    """The file after each signature. Append-only: earlier files stay in the store as they were."""

    dossier = models.ForeignKey(
        Dossier, on_delete=models.PROTECT, related_name="revisions", verbose_name="卷宗"
    )
    number = models.PositiveSmallIntegerField("序号")
    occasion = models.CharField("缘由", max_length=10, choices=Occasion.choices())
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, related_name="+", verbose_name="文件")
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField("字节数")
    signature_count = models.PositiveSmallIntegerField("签章和时间戳数")
    created_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "卷宗文件"
        ordering = ["dossier", "number"]
        constraints = [
            models.UniqueConstraint(fields=["dossier", "number"], name="dossier_revision_once"),
            models.CheckConstraint(condition=Q(occasion__in=Occasion.values()), name="dossier_occasion"),
        ]

    def __str__(self) -> str:
        return f"{self.dossier_id}#{self.number}"


class DossierDownload(models.Model):
    """Who was given the file, when and what for."""

    dossier = models.ForeignKey(
        Dossier, on_delete=models.PROTECT, related_name="downloads", verbose_name="卷宗"
    )
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="下载人")
    actor_label = models.CharField("主体名称", max_length=100)
    purpose = models.CharField("用途", max_length=60)
    stamped = models.BooleanField("加盖使用范围", default=False)
    sha256 = models.CharField("SHA-256", max_length=64)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "卷宗下载"
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.dossier_id} {to_the_minute(self.at)}"


class ArrivalComparison(models.Model):
    """到件比对: one rescan of an original that arrived, held against the signed pages of its material.

    `leaves` are the keys of those pages in the dossier's order; `result` is an `Outcome`: boxes and shares, no text.
    """

    original = models.ForeignKey(
        Original, on_delete=models.PROTECT, related_name="comparisons", verbose_name="原件"
    )
    dossier = models.ForeignKey(
        Dossier, on_delete=models.PROTECT, related_name="comparisons", verbose_name="卷宗"
    )
    sha256 = models.CharField("扫描件 SHA-256", max_length=64)
    leaves = models.JSONField("卷宗页", default=list)
    state = models.CharField(
        "状态", max_length=8, choices=ArrivalState.choices(), default=ArrivalState.WAITING.value
    )
    result = models.JSONField("比对结果", default=dict, blank=True)
    asked_by = models.CharField("扫描人", max_length=100)
    asked_at = models.DateTimeField("扫描时间")
    compared_at = models.DateTimeField("比对时间", null=True, blank=True)
    verdict = models.CharField("结论", max_length=12, choices=ArrivalVerdict.choices(), blank=True)
    reason = models.CharField("理由", max_length=200, blank=True)
    judged_by = models.CharField("认定人", max_length=100, blank=True)
    judged_at = models.DateTimeField("认定时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "到件比对"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["original", "dossier", "sha256"], name="dossier_rescan_once"),
            models.CheckConstraint(
                condition=Q(state__in=ArrivalState.values()), name="dossier_arrival_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="judged") | (Q(judged_at__isnull=False) & ~Q(verdict="")),
                name="dossier_arrival_judged",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["", "same"]) | ~Q(reason=""), name="dossier_arrival_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_id}/{self.sha256[:12]}"

    @property
    def outcome(self) -> Outcome:
        """What the machine found; nothing while it still compares."""
        return Outcome.from_json(self.result) if self.result else Outcome((), ())

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """Own where the original's handling is the office's."""
        if reach == Reach.OWN_OFFICE and actor.office_id is not None:
            return Q(dossier__handling__office_id=actor.office_id)
        return Q(pk__in=())


class ArrivedPage(models.Model):
    """One page of a rescan. Append-only: the bytes and their place in the stack never change."""

    comparison = models.ForeignKey(
        ArrivalComparison, on_delete=models.PROTECT, related_name="pages", verbose_name="到件比对"
    )
    number = models.PositiveIntegerField("页码")
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, related_name="+", verbose_name="图像")
    width = models.PositiveIntegerField("宽（像素）")
    height = models.PositiveIntegerField("高（像素）")
    rotation = models.PositiveSmallIntegerField("扶正需顺时针旋转", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "到件页"
        ordering = ["comparison", "number"]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "number"], name="dossier_arrived_page_once")
        ]

    def __str__(self) -> str:
        return f"{self.comparison_id}#{self.number}"


class AuditAnchor(models.Model):
    """A day's sum of the audit trail, as it lies stamped and locked in the archive. Append-only."""

    number = models.PositiveIntegerField("序号", unique=True)
    upto = models.BigIntegerField("至第几条记录")
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, related_name="+", verbose_name="锚点")
    stamp = models.ForeignKey(StoredObject, on_delete=models.PROTECT, related_name="+", verbose_name="时间戳")
    made_at = models.DateTimeField("锚定时间")

    class Meta:
        verbose_name = verbose_name_plural = "审计锚点"
        ordering = ["-number"]

    def __str__(self) -> str:
        return str(self.number)
