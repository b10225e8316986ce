"""What applicants in 全程网办 really send: their envelopes, what is in each, and what was told of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from logistics.models import Parcel
from logistics.services.announcing import CourierWord


class Where(StrEnum):
    """Where a bag really is, whatever anybody wrote down. BACK: at the sender again, after it was on the road."""

    SENDER = "sender"
    COURIER = "courier"
    RECEIVER = "receiver"
    BACK = "back"
    GONE = "gone"


@dataclass
class Envelope:
    """`inside`: keys of the originals in it, whatever is told. `stands`: courier and number on its label; `said`: what the
    applicant tells, which may be mistyped, None when they tell nothing.
    """

    case: int
    inside: frozenset[int]
    stands: CourierWord
    said: CourierWord | None
    where: Where = Where.SENDER

    def is_of(self, parcel: Parcel) -> bool:
        """Whether the parcel is what was told of this envelope, mistyped or not."""
        numbers = {self.stands.number, self.said.number if self.said else ""}
        return parcel.sender_id == self.case and bool(parcel.told_number) and parcel.told_number in numbers


@dataclass
class Envelopes:
    """All that applicants closed so far; those that are neither here nor there any more are forgotten."""

    made: int = 0
    all: list[Envelope] = field(default_factory=list)

    def next_number(self) -> str:
        """The number on the label that the courier's counter gives out next."""
        self.made += 1
        return f"12{self.made:011d}"

    def of(self, parcel: Parcel) -> Envelope | None:
        return next((one for one in self.all if one.is_of(parcel)), None)

    def of_case(self, case: int) -> list[Envelope]:
        return [one for one in self.all if one.case == case]

    def forget(self, gone: Iterable[Envelope]) -> None:
        """Its papers are with the applicant again, or others were made in their place."""
        dropped = {id(one) for one in gone}
        self.all = [one for one in self.all if id(one) not in dropped]
