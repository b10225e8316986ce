"""结算编制: a month laid before a second person, and what came of it."""

from django.db import models
from django.db.models import F, Q

from logistics.models.billing import MONTH, Settlement, own_centre
from logistics.models.carriers import Carrier
from logistics.rules.settling import ProposalState
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import Reach


class SettlementProposal(models.Model):
    """结算编制: what one person worked out. `digest` names its lines; the settlement is made of exactly those."""

    centre = models.ForeignKey(ServiceCentre, on_delete=models.PROTECT, related_name="+", verbose_name="中心")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+", verbose_name="承运商")
    month = models.CharField("账期", max_length=7)
    state = models.CharField(
        "状态", max_length=10, choices=ProposalState.choices(), default=ProposalState.PREPARED.value
    )
    line_count = models.PositiveIntegerField("行数")
    billed_fen = models.BigIntegerField("账单金额（分）")
    withheld_fen = models.BigIntegerField("争议暂扣（分）")
    released_fen = models.BigIntegerField("往期调整（分）")
    payable_fen = models.BigIntegerField("应付金额（分）")
    accrued_count = models.PositiveIntegerField("已妥投未计费件数")
    accrued_fen = models.BigIntegerField("已妥投未计费（分）")
    digest = models.CharField("明细摘要", max_length=64)
    prepared_by_id = models.CharField("编制人标识", max_length=40, blank=True)
    prepared_by = models.CharField("编制人", max_length=100)
    prepared_at = models.DateTimeField("编制时间")
    decided_by_id = models.CharField("复核人标识", max_length=40, blank=True)
    decided_by = models.CharField("复核人", max_length=100, blank=True)
    decided_at = models.DateTimeField("复核时间", null=True, blank=True)
    reason = models.CharField("理由", max_length=200, blank=True)
    settlement = models.OneToOneField(
        Settlement,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="proposal",
        verbose_name="结算单",
    )

    class Meta:
        verbose_name = verbose_name_plural = "结算编制"
        constraints = [
            models.UniqueConstraint(
                fields=["centre", "carrier", "month"],
                condition=Q(state="prepared"),
                name="logistics_proposal_waiting_once",
            ),
            models.CheckConstraint(condition=Q(month__regex=MONTH), name="logistics_proposal_month"),
            models.CheckConstraint(
                condition=Q(state__in=ProposalState.values()), name="logistics_proposal_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(decided_by_id=F("prepared_by_id")),
                name="logistics_proposal_two_people",
            ),
            models.CheckConstraint(
                condition=Q(settlement__isnull=True) | Q(state="approved"),
                name="logistics_proposal_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.centre_id}/{self.carrier_id}/{self.month}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor)
