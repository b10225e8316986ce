"""承运商计费: what a courier's interface says that it charges for a waybill, kept beside what we expect."""

from django.db import models

from logistics.models.waybills import PAYERS, SETTLINGS, Waybill


class CarrierFee(models.Model):
    """One amount as the courier told it. A hint, never a bill: only the statement is paid.

    What is told again differently is a row of its own; the latest of a kind holds (highest `version`, then the last told).
    """

    waybill = models.ForeignKey(Waybill, on_delete=models.PROTECT, related_name="fees", verbose_name="运单")
    kind = models.CharField("费用", max_length=40)
    version = models.PositiveIntegerField("版本")
    amount_fen = models.BigIntegerField("金额（分）")
    billed_weight_g = models.PositiveIntegerField("计费重量（克）")
    payer = models.CharField("付款方", max_length=12, choices=PAYERS)
    settling = models.CharField("结算", max_length=10, choices=SETTLINGS)
    charged_on = models.DateField("计费日期")
    told_at = models.DateTimeField("查得时间")

    class Meta:
        verbose_name = verbose_name_plural = "承运商计费"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["waybill", "kind", "version", "amount_fen"], name="logistics_fee_told_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.waybill_id}/{self.kind}"
