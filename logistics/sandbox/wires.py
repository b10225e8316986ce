"""What the desks of the Chinese couriers share: parties, payments and orders as those write them."""

import io
import json
from typing import Annotated

import pikepdf
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from logistics.couriers.base import Payer, Settling
from logistics.couriers.neutral.wire import OrderWire, PartyWire, PaymentWire
from registry.paper.symbols import code128_bars

Filled = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _written_out(text: str) -> str:
    if "*" in text:
        raise ValueError("masked data cannot be delivered to")
    return text


Written = Annotated[Filled, AfterValidator(_written_out)]
"""Names, telephones and addresses: carriers refuse masked ones in orders."""


class Wire(BaseModel):
    """Unknown fields are ignored, as the couriers do."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def order_of(
    *,
    reference: str,
    sender: PartyWire,
    receiver: PartyWire,
    payer: Payer,
    account: str,
    weight_g: int,
    sides_mm: tuple[int, int, int] = (0, 0, 0),
) -> OrderWire:
    """An order as the sandbox keeps it; without an account it is paid in cash."""
    settling = Settling.MONTHLY if account else Settling.CASH
    length, width, height = sides_mm
    return OrderWire(
        reference=reference,
        sender=sender,
        receiver=receiver,
        payment=PaymentWire(payer=payer, settling=settling, account=account),
        weight_g=weight_g,
        length_mm=length,
        width_mm=width,
        height_mm=height,
    )


def compact(value: object) -> str:
    """JSON without spaces, Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def yuan(fen: int) -> str:
    """Fen as the text that couriers write: 1550 → 15.50."""
    return f"{fen // 100}.{fen % 100:02d}"


def label_pdf(number: str) -> bytes:
    """A PDF of 100 × 150 mm with the number in large type and as Code 128."""
    millimetre = 72 / 25.4
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(100 * millimetre, 150 * millimetre))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name("/Helvetica-Bold")
    )
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    module = 0.375 * millimetre
    bars = " ".join(
        f"{24 + offset * module:.3f} 300 {width * module:.3f} 42 re"
        for offset, width in code128_bars(number).bars
    )
    text = f"{bars} f BT /F1 24 Tf 24 360 Td ({number}) Tj ET"
    page.Contents = pdf.make_stream(text.encode("ascii"))
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()
