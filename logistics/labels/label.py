"""What a waybill label says, already masked, and the paper sizes that it is printed on."""

import re
from dataclasses import dataclass, field

from registry.masking import is_mobile, mask_address, mask_name, mask_phone


@dataclass(frozen=True)
class Size:
    """Label paper in millimetres. Below `tear` lies the part that stays with the parcel's receiver."""

    name: str
    width: int
    height: int
    tear: int


W100H150 = Size("100x150", 100, 150, 90)
W100H180 = Size("100x180", 100, 180, 110)
W76H130 = Size("76x130", 76, 130, 82)
SIZES: dict[str, Size] = {size.name: size for size in (W100H150, W100H180, W76H130)}


@dataclass(frozen=True)
class Party:
    """One end of the way as printed. Make it with `person` (masked) or `organisation` (a public body, in full)."""

    name: str
    phone: str
    address: str

    @classmethod
    def person(cls, *, name: str, phone: str, address: str) -> "Party":
        """A private person: name, phone and the door of the address are hidden."""
        return cls(name=mask_name(name), phone=mask_phone(phone), address=mask_address(address))

    @classmethod
    def organisation(cls, *, name: str, contact: str, phone: str, address: str) -> "Party":
        """A window or office: its name, address and desk telephone are public; who works there and a mobile are not."""
        shown = mask_phone(phone) if is_mobile(phone) else phone
        return cls(name=f"{name} {mask_name(contact)}".strip(), phone=shown, address=address)


@dataclass(frozen=True)
class Label:
    """Everything printed on one label.

    `waybill` is the carrier's number (printable ASCII), `code` our opaque token for the QR, `payment_term` the words
    到付 / 寄付月结 / 寄付现结, `account` the paying centre's account with the carrier, of which only the tail is
    printed, `routing` the carrier's sorting code (may be empty), `weight` grams or None when not yet weighed.
    """

    carrier: str
    waybill: str
    code: str
    payment_term: str
    payer: str
    account: str
    sender: Party
    receiver: Party
    leg: str
    parcel_number: str
    cases: int
    items: int
    weight: int | None = None
    routing: str = ""
    product: str = "政务服务 通办寄件"
    notes: str = field(default="内装政务服务材料，请勿折叠、拆阅")

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9A-Za-z-]{6,32}", self.waybill):
            raise ValueError("a waybill number has 6 to 32 letters and digits")
        if not re.fullmatch(r"[0-9A-Z $%*+./:-]+", self.code):
            raise ValueError("a code on a label keeps to the QR alphanumeric characters")

    @property
    def account_tail(self) -> str:
        """The last four characters of the account, which is what a courier compares."""
        return f"尾号 {self.account[-4:]}" if self.account else ""

    @property
    def weight_words(self) -> str:
        """Kilograms to the hundredth, as scales at counters show them."""
        return "待称重" if self.weight is None else f"{self.weight / 1000:.2f} kg"

    @property
    def waybill_groups(self) -> str:
        """The number in groups of four digits for eyes, e.g. “EB 0007 1761 8HK”."""
        head = re.match(r"[A-Za-z]*", self.waybill)
        letters = head.group() if head else ""
        rest = self.waybill[len(letters) :]
        return " ".join(part for part in (letters, *re.findall(r".{1,4}", rest)) if part)
