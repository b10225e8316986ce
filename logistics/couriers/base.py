"""The one interface to every courier, and the values that pass through it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qsl

from logistics.rules.tracking import Scan


class Payer(StrEnum):
    """Who pays; apart from how it is settled and on which account (three separate facts everywhere)."""

    SENDER = "sender"
    RECEIVER = "receiver"
    THIRD_PARTY = "third_party"


class Settling(StrEnum):
    """How it is paid: in cash at the counter or the door, or on a monthly account."""

    CASH = "cash"
    MONTHLY = "monthly"


class Proof(StrEnum):
    """What shows that a push comes from the courier."""

    SIGNED = "signed"
    PATH = "path"


@dataclass(frozen=True)
class Payment:
    """Payer, settlement and the account that is charged (empty for cash)."""

    payer: Payer
    settling: Settling
    account: str = ""


@dataclass(frozen=True)
class Party:
    """One end of a parcel's way. Personal data: never printed, never logged."""

    name: str = field(repr=False)
    phone: str = field(repr=False)
    province: str
    city: str
    county: str
    address: str = field(repr=False)
    organisation: str = ""


@dataclass(frozen=True)
class Order:
    """A request for one waybill. `reference` is our parcel number: the same reference never makes a second waybill."""

    reference: str
    sender: Party
    receiver: Party
    payment: Payment
    weight_g: int
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    contents: str = "文件"
    remark: str = ""


@dataclass(frozen=True)
class Quote:
    """What the courier would charge (fen) and how many days it promises (0: nothing said)."""

    amount_fen: int
    days: int = 0


@dataclass(frozen=True)
class Booking:
    """A waybill the courier has made for a reference; `routing` is what its label must show besides the number."""

    waybill_number: str
    reference: str
    routing: Mapping[str, str] = field(default_factory=dict)
    cancelled: bool = False


@dataclass(frozen=True)
class LabelFile:
    """A label as the courier draws it."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Subscription:
    """A wish to be told about a waybill. `phone_tail` (last four digits) is asked for by some carriers."""

    waybill_number: str
    reference: str
    callback_url: str
    company: str = ""
    from_city: str = ""
    to_city: str = ""
    phone_tail: str = field(default="", repr=False)


@dataclass(frozen=True)
class Report:
    """What a courier says about one waybill, by push or by query.

    `snapshot`: the scans are the carrier's whole list, so what it leaves out was taken back. `company`: the code under
    which the carrier now follows the number, when it corrected ours. `ended`: no more pushes will come;
    `resubscribe`: it gave up without a final scan, ask again (not before 30 minutes).
    """

    waybill_number: str
    scans: tuple[Scan, ...]
    reference: str = ""
    snapshot: bool = False
    company: str = ""
    ended: bool = False
    resubscribe: bool = False
    expected_at: datetime | None = None


@dataclass(frozen=True)
class ChargeLine:
    """One amount the courier bills. A higher `version` of the same waybill and kind replaces the lower (红冲)."""

    waybill_number: str
    kind: str
    amount_fen: int
    billed_weight_g: int
    payer: Payer
    settling: Settling
    account: str
    charged_on: date
    version: int = 1


@dataclass(frozen=True)
class RawRequest:
    """A push exactly as it came in. Header names are lower case."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: str = field(default="", repr=False)

    def form(self) -> dict[str, str]:
        """The body as form fields, decoded once; the last of equal names wins."""
        text = self.body.decode("utf-8", errors="strict")
        return dict(parse_qsl(text, keep_blank_values=True))

    @property
    def digest(self) -> str:
        """SHA-256 of the body, hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Acknowledgement:
    """The answer a courier wants to see; anything else makes it send again."""

    body: bytes
    status: int = 200
    media_type: str = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Retired:
    """Secrets that were replaced but are still honoured until a moment, so that rotation loses no push."""

    credentials: Mapping[str, str] = field(repr=False)
    until: datetime = field()


@dataclass(frozen=True)
class Account:
    """A centre's account with a courier, opened: number, secrets, and options such as `base_url`."""

    number: str = field(repr=False)
    credentials: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    retired: tuple[Retired, ...] = field(default=(), repr=False)

    def accepted(self, name: str, *, now: datetime) -> list[str]:
        """The values of a secret that are honoured now: the current one, then unexpired old ones."""
        honoured = [self.credentials, *(old.credentials for old in self.retired if now < old.until)]
        return [value for secrets in honoured if (value := secrets.get(name, ""))]


class Courier(Protocol):
    """What every adapter offers. All methods that ask the courier raise `CourierError`; none opens a transaction.

    `creates_once`: `create` may be called again for a reference whose fate is unknown, and gives the same waybill.
    """

    code: str
    creates_once: bool

    def quote(self, order: Order) -> Quote:
        """The price the courier names for an order."""
        ...

    def create(self, order: Order) -> Booking:
        """A waybill for the order; asking again with the same reference gives the same waybill."""
        ...

    def find(self, reference: str) -> Booking | None:
        """The waybill the courier holds for a reference of ours, if any."""
        ...

    def cancel(self, waybill_number: str, *, reference: str, reason: str) -> None:
        """Gives the waybill of our reference back; a waybill that is already cancelled is no error."""
        ...

    def label(self, waybill_number: str) -> LabelFile:
        """The courier's own label."""
        ...

    def subscribe(self, subscription: Subscription) -> None:
        """Asks for pushes; subscribing twice is no error."""
        ...

    def query(self, subscription: Subscription) -> Report:
        """What the courier knows now: the safety net when pushes stop."""
        ...

    def verify(self, raw: RawRequest, *, now: datetime) -> Proof:
        """Shows in constant time that the push is the courier's, or raises `Forged`."""
        ...

    def delivery_key(self, raw: RawRequest) -> str:
        """The same for every repetition of one push."""
        ...

    def parse_push(self, raw: RawRequest) -> list[Report]:
        """What a verified push says, or `BadPush`."""
        ...

    def acknowledge(self, raw: RawRequest, *, accepted: bool, now: datetime) -> Acknowledgement:
        """The exact answer to a push."""
        ...

    def fetch_charges(self, month: date, *, waybills: Sequence[str] = ()) -> list[ChargeLine]:
        """What the courier bills for the month that `month` lies in.

        Some couriers cannot list a month and answer only for the `waybills` that are named, whatever their month.
        """
        ...
