"""Writing the ledger: which accounts a charge, a settled line or a decided dispute moves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from logistics.models import Carrier, LedgerAccount, LedgerEntry, Posting
from registry.models import Office, ServiceCentre

K = LedgerAccount.Kind


@dataclass(frozen=True)
class Move:
    """One amount in fen, from the credited to the debited account. A negative amount turns round; zero is nothing."""

    debit: LedgerAccount
    credit: LedgerAccount
    amount_fen: int


class Books:
    """The accounts of one centre with one carrier."""

    def __init__(self, *, centre: ServiceCentre, carrier: Carrier) -> None:
        self._centre = centre
        self._carrier = carrier
        self._known: dict[tuple[str, int | None], LedgerAccount] = {}

    def expense(self, office: Office | None) -> LedgerAccount:
        return self._account(K.EXPENSE, office=office)

    @property
    def accrual(self) -> LedgerAccount:
        return self._account(K.ACCRUAL)

    @property
    def payable(self) -> LedgerAccount:
        return self._account(K.PAYABLE)

    @property
    def withheld(self) -> LedgerAccount:
        return self._account(K.WITHHELD)

    @property
    def variance(self) -> LedgerAccount:
        return self._account(K.VARIANCE)

    def expected(self, office: Office | None, amount_fen: int) -> list[Move]:
        """A parcel was charged (or, negative, the charge was reversed)."""
        return [Move(self.expense(office), self.accrual, amount_fen)]

    def billed(self, *, expected_fen: int, billed_fen: int, withheld_fen: int) -> list[Move]:
        """A line was settled: the accrual becomes a debt, the difference shows, the disputed part is held back."""
        return [
            Move(self.accrual, self.payable, expected_fen),
            Move(self.variance, self.payable, billed_fen - expected_fen),
            Move(self.payable, self.withheld, withheld_fen),
        ]

    def accepted(self, amount_fen: int) -> list[Move]:
        """A difference that was held back is owed after all."""
        return [Move(self.withheld, self.payable, amount_fen)]

    def credited(self, amount_fen: int) -> list[Move]:
        """The carrier gave up what was held back."""
        return [Move(self.withheld, self.variance, amount_fen)]

    def _account(self, kind: str, office: Office | None = None) -> LedgerAccount:
        key = (kind, office.pk if office else None)
        if key not in self._known:
            self._known[key], _ = LedgerAccount.objects.get_or_create(
                kind=kind,
                centre=self._centre,
                office=office,
                carrier=None if kind == K.EXPENSE else self._carrier,
            )
        return self._known[key]


class Tally:
    """Adds moves up by their two accounts: a settlement of any length is one entry of a few postings."""

    def __init__(self) -> None:
        self._sums: Counter[tuple[LedgerAccount, LedgerAccount]] = Counter()

    def add(self, *moves: Move) -> None:
        for move in moves:
            self._sums[move.debit, move.credit] += move.amount_fen

    def moves(self) -> list[Move]:
        return [Move(debit, credit, amount) for (debit, credit), amount in self._sums.items()]


def post(*, subject: str, words: str, moves: Iterable[Move], now: datetime) -> LedgerEntry | None:
    """Write one entry. Nothing when no money moves. `subject` is unique: the same cause is never entered twice."""
    postings = [(move, abs(move.amount_fen)) for move in moves if move.amount_fen]
    if not postings:
        return None
    entry = LedgerEntry.objects.create(subject=subject, words=words, at=now)
    Posting.objects.bulk_create(
        Posting(
            entry=entry,
            debit=move.debit if move.amount_fen > 0 else move.credit,
            credit=move.credit if move.amount_fen > 0 else move.debit,
            amount_fen=amount,
        )
        for move, amount in postings
    )
    return entry
