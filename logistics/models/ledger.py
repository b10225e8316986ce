"""The postage ledger: double entry, balanced by the shape of its rows.

A posting names the account it debits and the account it credits, both required, with one positive amount. So no
sequence of inserts can put the books out of balance, on any database; what remains is to forbid edits (see
`storage.append_only`).
"""

from django.db import models
from django.db.models import F, Q, Sum

from logistics.models.carriers import Carrier
from registry.actors import Actor
from registry.models import Office, ServiceCentre
from registry.permissions import Reach


class LedgerAccount(models.Model):
    """账户 of one centre: its expense by office, and what it owes, expects or withholds by carrier."""

    class Kind(models.TextChoices):
        EXPENSE = "expense", "邮资费用"
        ACCRUAL = "accrual", "应计邮资"
        PAYABLE = "payable", "应付承运商"
        WITHHELD = "withheld", "争议暂扣"
        VARIANCE = "variance", "计费差异"

    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    centre = models.ForeignKey(ServiceCentre, on_delete=models.PROTECT, related_name="ledger_accounts")
    office = models.ForeignKey(Office, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "邮资账户"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "centre", "office", "carrier"],
                name="logistics_ledger_account",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(kind="expense", carrier__isnull=True)
                | (~Q(kind="expense") & Q(office__isnull=True, carrier__isnull=False)),
                name="logistics_ledger_account_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.centre_id}/{self.office_id or self.carrier_id}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_CENTRE and actor.centre_id is not None:
            return Q(centre_id=actor.centre_id)
        return Q(pk__in=())

    def balance_fen(self) -> int:
        """Debits less credits."""
        debits = self.debits.aggregate(total=Sum("amount_fen"))["total"] or 0
        credits_ = self.credits.aggregate(total=Sum("amount_fen"))["total"] or 0
        return int(debits - credits_)


class LedgerEntry(models.Model):
    """记账凭证: why money moved. `subject` names the row that caused it; one cause has one entry."""

    subject = models.CharField("来源", max_length=80, unique=True)
    words = models.CharField("摘要", max_length=200)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "记账凭证"

    def __str__(self) -> str:
        return self.subject


class Posting(models.Model):
    """分录: one amount from the credited to the debited account."""

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="postings")
    debit = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="debits", verbose_name="借方"
    )
    credit = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="credits", verbose_name="贷方"
    )
    amount_fen = models.PositiveBigIntegerField("金额（分）")

    class Meta:
        verbose_name = verbose_name_plural = "分录"
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="logistics_posting_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="logistics_posting_two_accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.amount_fen}"
