"""争议函: what a centre wrote to a carrier about a statement."""

from django.db import models

from logistics.models.billing import Statement, own_centre
from registry.actors import Actor
from registry.models import Slip
from registry.permissions import Reach
from storage.models import StoredObject


class DisputeLetter(models.Model):
    """争议函: the disputed differences of a statement as they stood when it was written. Later ones are new revisions.

    `lines` are those of `logistics.postage.disputing.Claim`; `digest` tells whether another letter would say the same.
    """

    statement = models.ForeignKey(
        Statement, on_delete=models.PROTECT, related_name="letters", verbose_name="对账单"
    )
    revision = models.PositiveSmallIntegerField("版次")
    slip = models.OneToOneField(Slip, on_delete=models.PROTECT, related_name="+", verbose_name="文书")
    lines = models.JSONField("争议明细", default=list)
    digest = models.CharField("内容摘要", max_length=64)
    claimed_fen = models.PositiveBigIntegerField("争议金额（分）")
    written_at = models.DateTimeField("出具时间")
    written_by = models.CharField("出具人", max_length=100)
    workbook = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="XLSX"
    )
    paper = models.ForeignKey(
        StoredObject,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="签章 PDF",
    )

    class Meta:
        verbose_name = verbose_name_plural = "争议函"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "revision"], name="logistics_letter_revision"),
            models.UniqueConstraint(fields=["statement", "digest"], name="logistics_letter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.revision}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> models.Q:
        return own_centre(reach, actor, "statement__")
