"""对账与结算: what the courier bills, what is wrong with it, and what a centre settles."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import models
from django.db.models import F, Q

from logistics.models.carriers import Carrier, CarrierAccount
from logistics.models.postage import Charge
from logistics.rules.checks import WHOLE, Billed, Code
from logistics.rules.disputes import WITHHELD, DiscrepancyState
from logistics.rules.payers import Leg, PaymentTerm
from registry.actors import Actor
from registry.models import Office, ServiceCentre
from registry.permissions import Reach
from registry.terms import Mode
from storage.models import StoredObject

MONTH = r"^20\d\d-(0[1-9]|1[0-2])$"


class StatementState(models.TextChoices):
    IMPORTED = "imported", "已导入"
    CHECKING = "checking", "核对中"
    RECONCILED = "reconciled", "已核对"


class Statement(models.Model):
    """承运商对账单: the file as evidence, and how it was read. `totals`: its totals rows, stated and summed."""

    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, related_name="statements", verbose_name="承运商"
    )
    centre = models.ForeignKey(
        ServiceCentre,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="statements",
        verbose_name="中心",
    )
    month = models.CharField("账期", max_length=7)
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, verbose_name="原文件")
    sha256 = models.CharField("SHA-256", max_length=64)
    encoding = models.CharField("编码", max_length=12)
    columns = models.JSONField("列对应", default=dict)
    line_count = models.PositiveIntegerField("行数", default=0)
    amount_fen = models.BigIntegerField("合计（分）", default=0)
    totals = models.JSONField("合计行", default=list, blank=True)
    state = models.CharField(
        "状态", max_length=10, choices=StatementState.choices, default=StatementState.IMPORTED
    )
    imported_at = models.DateTimeField("导入时间")
    reconciled_at = models.DateTimeField("核对时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "承运商对账单"
        constraints = [
            models.UniqueConstraint(fields=["carrier", "sha256"], name="logistics_statement_once"),
            models.CheckConstraint(condition=Q(month__regex=MONTH), name="logistics_statement_month"),
        ]

    def __str__(self) -> str:
        return f"{self.carrier_id}/{self.month}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor)

    @property
    def period(self) -> tuple[str, str]:
        """What orders statements, whatever order they were imported in."""
        return (self.month, self.sha256)


class StatementLine(models.Model):
    """对账单明细: one billed line, exactly as read. Append-only."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    row = models.PositiveIntegerField("行号")
    waybill_number = models.CharField("运单号", max_length=40, blank=True)
    amount_fen = models.BigIntegerField("金额（分）")
    kind = models.CharField("费用类型", max_length=20, default=WHOLE)
    posted_on = models.DateField("收寄日期", null=True, blank=True)
    weight_g = models.PositiveIntegerField("计费重量（克）", null=True, blank=True)
    freight_fen = models.BigIntegerField("运费（分）", null=True, blank=True)
    other_fen = models.BigIntegerField("其他费（分）", null=True, blank=True)
    term = models.CharField("付款方式", max_length=20, blank=True)
    account = models.ForeignKey(
        CarrierAccount,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="结算账号",
    )
    account_label = models.CharField("账单上的账号（遮盖）", max_length=120, blank=True)
    currency = models.CharField("币种", max_length=8, blank=True)
    version = models.PositiveIntegerField("费用版本", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "对账单明细"
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "row"], name="logistics_statement_row"),
        ]
        indexes = [models.Index(fields=["waybill_number", "statement"], name="logistics_line_waybill")]

    def __str__(self) -> str:
        return f"{self.statement_id}#{self.row}"

    def as_billed(self, period: tuple[str, str]) -> Billed:
        """As a value for the checks."""
        return billed_of([getattr(self, column) for column in BILLED_COLUMNS], period)


BILLED_COLUMNS = (
    "row",
    "waybill_number",
    "amount_fen",
    "kind",
    "posted_on",
    "weight_g",
    "freight_fen",
    "other_fen",
    "term",
    "account_label",
    "currency",
    "version",
)
"""The columns of a line in the order of the fields of `Billed`."""
_MAKE_BILLED: Callable[..., Billed] = Billed


def billed_of(values: Iterable[Any], period: tuple[str, str]) -> Billed:
    """A line as a value, from its `BILLED_COLUMNS`."""
    return _MAKE_BILLED(*values, period)


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def withheld(self) -> "DiscrepancyQuerySet":
        """Those whose stake is not paid for now."""
        return self.filter(state__in=WITHHELD)


class Discrepancy(models.Model):
    """差异: one finding with both figures and what is at stake. `row` 0 or a totals row has no line."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="discrepancies")
    line = models.ForeignKey(
        StatementLine, on_delete=models.PROTECT, null=True, blank=True, related_name="discrepancies"
    )
    row = models.PositiveIntegerField("行号")
    code = models.CharField("差异", max_length=30, choices=Code.choices())
    waybill_number = models.CharField("运单号", max_length=40, blank=True)
    ours = models.CharField("我方数据", max_length=120)
    theirs = models.CharField("账单数据", max_length=120)
    stake_fen = models.PositiveBigIntegerField("涉及金额（分）")
    state = models.CharField(
        "状态",
        max_length=10,
        choices=DiscrepancyState.choices(),
        default=DiscrepancyState.OPEN.value,
    )
    reason = models.CharField("处理理由", max_length=200, blank=True)
    credited_by = models.ForeignKey(
        StatementLine,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credits",
        verbose_name="冲减行",
    )
    found_at = models.DateTimeField("发现时间")
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "对账差异"
        ordering = ["statement", "row", "code"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "row", "code"], name="logistics_discrepancy_once"),
            models.CheckConstraint(
                condition=Q(state__in=DiscrepancyState.values()), name="logistics_discrepancy_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "cleared"]) | (~Q(reason="") & Q(decided_at__isnull=False)),
                name="logistics_discrepancy_reason",
            ),
        ]
        indexes = [models.Index(fields=["statement", "state"], name="logistics_discrepancy_state")]

    def __str__(self) -> str:
        return f"{self.statement_id}#{self.row} {self.code}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor, "statement__")


class Settlement(models.Model):
    """结算单: what one centre owes one carrier for one month. Frozen when approved; corrections go to the next."""

    number = models.CharField("结算单号", max_length=40, unique=True)
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="settlements", verbose_name="中心"
    )
    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, related_name="settlements", verbose_name="承运商"
    )
    month = models.CharField("账期", max_length=7)
    line_count = models.PositiveIntegerField("行数")
    billed_fen = models.BigIntegerField("账单金额（分）")
    withheld_fen = models.BigIntegerField("争议暂扣（分）")
    released_fen = models.BigIntegerField("往期调整（分）")
    payable_fen = models.BigIntegerField("应付金额（分）")
    accrued_count = models.PositiveIntegerField("已妥投未计费件数")
    accrued_fen = models.BigIntegerField("已妥投未计费（分）")
    prepared_at = models.DateTimeField("编制时间", null=True, blank=True)
    prepared_by = models.CharField("编制人", max_length=100, blank=True)
    closed_at = models.DateTimeField("结算时间")
    closed_by = models.CharField("复核人", max_length=100)
    frozen = models.BooleanField("已冻结", default=False)
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
        verbose_name = verbose_name_plural = "结算单"
        constraints = [
            models.UniqueConstraint(fields=["centre", "carrier", "month"], name="logistics_settlement_once"),
            models.CheckConstraint(condition=Q(month__regex=MONTH), name="logistics_settlement_month"),
            models.CheckConstraint(
                condition=Q(payable_fen=F("billed_fen") - F("withheld_fen") + F("released_fen")),
                name="logistics_settlement_sum",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor)


class SettlementLine(models.Model):
    """结算明细: one line, or one centre's and office's share of it. Holds copies, so that it never changes."""

    class Kind(models.TextChoices):
        BILLED = "billed", "本期账单"
        ACCEPTED = "accepted", "往期差异认可"

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField("序号")
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    centre = models.ForeignKey(ServiceCentre, on_delete=models.PROTECT, related_name="+")
    statement_line = models.ForeignKey(
        StatementLine, on_delete=models.PROTECT, null=True, blank=True, related_name="settled"
    )
    charge = models.ForeignKey(
        Charge, on_delete=models.PROTECT, null=True, blank=True, related_name="settled"
    )
    office = models.ForeignKey(Office, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    office_name = models.CharField("审批部门", max_length=100, blank=True)
    case_number = models.CharField("办件编号", max_length=40, blank=True)
    item_name = models.CharField("事项", max_length=200, blank=True)
    waybill_number = models.CharField("运单号", max_length=40, blank=True)
    leg = models.CharField("寄件类型", max_length=20, choices=Leg.choices(), blank=True)
    mode = models.CharField("办理模式", max_length=16, choices=Mode.choices(), blank=True)
    term = models.CharField("付款方式", max_length=16, choices=PaymentTerm.choices(), blank=True)
    expected_fen = models.BigIntegerField("应计（分）")
    billed_fen = models.BigIntegerField("账单（分）")
    withheld_fen = models.BigIntegerField("暂扣（分）")
    released_fen = models.BigIntegerField("往期调整（分）")
    payable_fen = models.BigIntegerField("应付（分）")
    words = models.CharField("说明", max_length=400, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "结算明细"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["settlement", "position"], name="logistics_settled_position"),
            models.UniqueConstraint(
                fields=["statement_line", "centre", "office"],
                condition=Q(kind="billed"),
                name="logistics_settled_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["settlement", "statement_line", "centre", "office"],
                condition=Q(kind="accepted"),
                name="logistics_released_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(payable_fen=F("billed_fen") - F("withheld_fen") + F("released_fen")),
                name="logistics_settled_sum",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.settlement_id}#{self.position}"


class ColumnName(models.Model):
    """列名对应: what a carrier calls a column, told once and remembered."""

    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="column_names")
    name = models.CharField("列名", max_length=60)
    column = models.CharField("含义", max_length=20)

    class Meta:
        verbose_name = verbose_name_plural = "对账单列名"
        constraints = [models.UniqueConstraint(fields=["carrier", "name"], name="logistics_column_once")]

    def __str__(self) -> str:
        return f"{self.name}→{self.column}"


def own_centre(reach: Reach, actor: Actor, prefix: str = "") -> Q:
    """Rows of the actor's centre."""
    if reach == Reach.OWN_CENTRE and actor.centre_id is not None:
        return Q(**{f"{prefix}centre_id": actor.centre_id})
    return Q(pk__in=())
