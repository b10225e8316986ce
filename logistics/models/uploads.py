"""上传的对账单: a file on its way to becoming a statement, and how far its reading has come."""

from django.db import models
from django.db.models import Q

from logistics.models.billing import MONTH, Statement, own_centre
from logistics.models.carriers import Carrier
from logistics.rules.uploads import UploadState
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import Reach
from storage.models import StoredObject


class StatementUpload(models.Model):
    """One file that finance handed in. `lines_read` moves while it is read; `fault` is a sentence for whoever sent it."""

    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+", verbose_name="承运商")
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="中心"
    )
    month = models.CharField("账期", max_length=7)
    stored = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, related_name="+", verbose_name="原文件"
    )
    state = models.CharField(
        "状态", max_length=10, choices=UploadState.choices(), default=UploadState.WAITING.value
    )
    fault = models.CharField("原因", max_length=300, blank=True)
    lines_read = models.PositiveIntegerField("已读行数", default=0)
    statement = models.ForeignKey(
        Statement,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="uploads",
        verbose_name="对账单",
    )
    uploaded_by = models.CharField("上传人", max_length=100)
    uploaded_at = models.DateTimeField("上传时间")

    class Meta:
        verbose_name = verbose_name_plural = "上传的对账单"
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "stored"],
                condition=Q(state__in=[UploadState.WAITING.value, UploadState.READING.value]),
                name="logistics_upload_once",
            ),
            models.CheckConstraint(condition=Q(month__regex=MONTH), name="logistics_upload_month"),
            models.CheckConstraint(
                condition=Q(state__in=UploadState.values()), name="logistics_upload_state"
            ),
            models.CheckConstraint(
                condition=Q(state=UploadState.IMPORTED.value, statement__isnull=False)
                | (~Q(state=UploadState.IMPORTED.value) & Q(statement__isnull=True)),
                name="logistics_upload_became",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.carrier_id}/{self.month}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor)
