"""What each slip says: one model per kind, which masks what the paper must not show in full.

Names of applicants stand in full only on papers that are handed to that applicant; identity numbers, phones and
addresses never do. Times are aware; money is integer fen.
"""

from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from registry.masking import mask_address, mask_id_number, mask_name, mask_phone, mask_phones_in
from registry.paper.kinds import SlipKind

MaskedName = Annotated[str, AfterValidator(mask_name)]
MaskedPhone = Annotated[str, AfterValidator(mask_phone)]
MaskedIdNumber = Annotated[str, AfterValidator(mask_id_number)]
MaskedAddress = Annotated[str, AfterValidator(mask_address)]
Words = Annotated[str, AfterValidator(mask_phones_in)]
"""Free text of others (a courier's scan, a reason), in which mobile numbers are masked."""


class Part(BaseModel):
    """A value inside a slip."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Slip(Part):
    """What all slips share. `number` and `code` (text of the QR) are filled when the slip is issued."""

    kind: ClassVar[SlipKind]

    number: str = ""
    code: str = ""
    case_number: str = ""
    issuer: str
    """Who puts the seal: window, office or centre."""


class MaterialLine(Part):
    """One paper handed in. `form` is 原件, 复印件, 电子件…; `original` marks what has to come back."""

    name: str
    form: str
    original: bool = False
    copies: int = Field(default=1, ge=0)
    pages: int = Field(default=0, ge=0)
    deferred_until: date | None = None
    remark: Words = ""


class OfApplicant(Slip):
    """A slip about one application, handed to the applicant or the agent."""

    item_name: str
    item_code: str = ""
    applicant_name: str
    applicant_id_number: MaskedIdNumber = ""
    applicant_phone: MaskedPhone = ""
    agent_name: str = ""
    window: str
    office: str
    enquiry_phone: str = ""
    """Public telephone of the window or office."""


class Acceptance(OfApplicant):
    """受理承诺单: accepted, decided by a deadline (putian §四(二))."""

    kind = SlipKind.ACCEPTANCE

    mode: str
    accepted_at: AwareDatetime
    promised_days: int = Field(ge=0)
    """Working days."""
    deadline: date
    delivery: str
    delivery_address: MaskedAddress = ""
    materials: tuple[MaterialLine, ...]


class Receipt(OfApplicant):
    """收件凭证: what was handed in, before anybody accepted it."""

    kind = SlipKind.RECEIPT

    mode: str
    received_at: AwareDatetime
    materials: tuple[MaterialLine, ...]


class MissingLine(Part):
    """One thing that is missing or wrong, and what to hand in."""

    name: str
    fault: Words
    demand: Words


class Notice(OfApplicant):
    """一次性告知书: everything that is missing, said once."""

    kind = SlipKind.NOTICE

    noticed_at: AwareDatetime
    missing: tuple[MissingLine, ...] = Field(min_length=1)
    supplement_by: date | None = None
    clock_paused: bool = True


class Shortfall(OfApplicant):
    """收件前一次性告知书: everything that the applicant has to bring before the case can be submitted."""

    kind = SlipKind.SHORTFALL

    told_at: AwareDatetime
    missing: tuple[MissingLine, ...] = Field(min_length=1)


class Refusal(OfApplicant):
    """不予受理决定书: reasons, law and what may be done against it (after 首问责任, taizhou-2023 §三(三)2)."""

    kind = SlipKind.REFUSAL

    decided_at: AwareDatetime
    reasons: tuple[Words, ...] = Field(min_length=1)
    legal_basis: str = "《中华人民共和国行政许可法》第三十二条"
    review_body: str = ""
    """Who hears an application for reconsideration; a general wording when unknown."""
    court: str = ""


class Trace(Part):
    """One scan of the courier."""

    at: AwareDatetime
    words: Words


class DeliveryProof(OfApplicant):
    """送达回证: what reached whom, when and how."""

    kind = SlipKind.DELIVERY_PROOF

    documents: tuple[str, ...] = Field(min_length=1)
    method: str
    delivered_at: AwareDatetime
    recipient: str
    """Who took it, in the words of the courier or the window, e.g. 本人."""
    carrier: str = ""
    waybill: str = ""
    address: MaskedAddress = ""
    traces: tuple[Trace, ...] = ()
    rating_link: str = ""
    """Where the applicant may grade (好差评, zhuji §五(三), zaozhuang §三(三)): an opaque code, nothing about anybody."""


class PackedLine(Part):
    """One paper in an envelope. The applicant is masked: envelopes are opened by others than the officer."""

    case_number: str
    applicant_name: MaskedName
    item_name: str = ""
    name: str
    form: str = "原件"
    copies: int = Field(default=1, ge=1)
    pages: int = Field(default=0, ge=0)


class PackingList(Slip):
    """材料移交清单: lies in the parcel and is ticked by who opens it."""

    kind = SlipKind.PACKING_LIST

    parcel_number: str
    leg: str
    sender: str
    sender_contact: MaskedName = ""
    receiver: str
    receiver_contact: MaskedName = ""
    carrier: str = ""
    waybill: str = ""
    payment_term: str = ""
    payer: str = ""
    packed_at: AwareDatetime
    contents: tuple[PackedLine, ...] = Field(min_length=1)


class HandedLine(Part):
    """One sealed parcel on its way to the carrier; nobody is named. `weight` in grams."""

    parcel_number: str
    waybill: str
    originals: int = Field(ge=1)
    weight: int = Field(ge=1)


class Handover(Slip):
    """交接清单: what a carrier's collector takes at one pick-up, signed by both.

    `signature` is the path of what was drawn on the screen, on a pad of 1000 by 400; empty where paper is signed.
    """

    kind = SlipKind.HANDOVER

    list_number: str
    sender: str
    carrier: str
    collector: MaskedName = ""
    signed_at: AwareDatetime | None = None
    signature: str = Field(default="", pattern=r"^(M\d{1,4} \d{1,3}(L\d{1,4} \d{1,3})*)*$")
    lines: tuple[HandedLine, ...] = Field(min_length=1)


class OfficeAmount(Part):
    """What one office's parcels cost a centre in the month, in fen. payable = billed - disputed + corrections."""

    office: str
    parcels: int = Field(ge=0)
    billed: int
    disputed: int = 0
    corrections: int = 0
    payable: int

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.payable != self.billed - self.disputed + self.corrections:
            raise ValueError("payable is billed less disputed plus corrections")
        return self


class LegAmount(Part):
    """The same month by leg, in fen."""

    leg: str
    parcels: int = Field(ge=0)
    payable: int


class BilledLine(Part):
    """One waybill of the appendix; no person is named. `weight` in grams, `amount` in fen."""

    day: date
    waybill: str
    case_number: str = ""
    office: str
    leg: str
    weight: int = Field(ge=0)
    amount: int


class Settlement(Slip):
    """寄递费用结算单: what one centre owes one carrier for one month (putian §五(七))."""

    kind = SlipKind.SETTLEMENT

    centre: str
    carrier: str
    account_tail: str = ""
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    offices: tuple[OfficeAmount, ...]
    legs: tuple[LegAmount, ...] = ()
    lines: tuple[BilledLine, ...] = ()
    total: int
    remarks: tuple[Words, ...] = ()
    prepared_by: MaskedName = ""
    approved_by: MaskedName = ""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.total != sum(office.payable for office in self.offices):
            raise ValueError("the total is the sum of the offices")
        if self.legs and self.total != sum(leg.payable for leg in self.legs):
            raise ValueError("the total is the sum of the legs")
        return self


class DisputedLine(Part):
    """One difference as the carrier reads it. `stake` is what it puts in question, `claimed` what the letter asks for.

    Several differences may speak of one billed line; together they never claim more than the line. Money in fen.
    """

    row: int = Field(ge=0)
    waybill: str = ""
    difference: str
    ours: Words
    theirs: Words
    stake: int = Field(ge=0)
    claimed: int = Field(ge=0)
    reason: Words

    @model_validator(mode="after")
    def _within_the_stake(self) -> Self:
        if self.claimed > self.stake:
            raise ValueError("no more is claimed than is at stake")
        return self


class Dispute(Slip):
    """邮资账单争议函: what a centre does not accept of a carrier's statement, to be answered line by line."""

    kind = SlipKind.DISPUTE

    centre: str
    carrier: str
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    statement_lines: int = Field(ge=0)
    statement_amount: int
    statement_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    lines: tuple[DisputedLine, ...] = Field(min_length=1)
    further: int = Field(default=0, ge=0)
    further_claimed: int = Field(default=0, ge=0)
    """How many differences stand in the workbook only, and what is claimed for them."""
    total: int = Field(ge=0)
    answer_by: date
    enquiry_phone: str = ""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.total != sum(line.claimed for line in self.lines) + self.further_claimed:
            raise ValueError("the total is the sum of what is claimed")
        return self


class HandbookAnswer(Part):
    """One question with its answer; `chapter` is the kind of problem it came of."""

    chapter: str
    item: str = ""
    question: Words
    answer: Words


class HandbookExample(Part):
    """One case of the collection, told without anybody's data."""

    title: Words
    item: str
    place: str
    situation: Words
    solution: Words
    effect: Words


class Handbook(Slip):
    """通办常见问题解答知识手册, one edition (taizhou-2023 §三(三)1), with the case collection behind it."""

    kind = SlipKind.HANDBOOK

    edition: str
    answers: tuple[HandbookAnswer, ...] = Field(min_length=1)
    examples: tuple[HandbookExample, ...] = ()


MODELS: dict[SlipKind, type[Slip]] = {
    model.kind: model
    for model in (
        Acceptance,
        Receipt,
        Notice,
        PackingList,
        DeliveryProof,
        Settlement,
        Refusal,
        Dispute,
        Handbook,
        Handover,
        Shortfall,
    )
}
