"""面单: what the label of a parcel's waybill says, and the label on the paper that is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.models import Case
from logistics.labels import (
    SIZES,
    Label,
    Party,
    Size,
    Unfit,
    as_pdf,
    as_png,
    as_sheets,
    as_tspl,
    as_zpl,
    beside_carrier,
)
from logistics.models import Parcel, Waybill
from logistics.rules.parcels import NotNow, WaybillState
from logistics.rules.payers import Leg, PaymentTerm
from logistics.services.ends import courier_party, thing_at
from logistics.services.waybills import fetch_carrier_label
from registry.actors import Actor
from registry.permissions import check_may
from storage.errors import Refused
from storage.services import open_verified

SHEET = "a4"
PDF = "application/pdf"
MOST_ON_SHEETS = 60
"""Labels printed on A4 in one go: three seconds' work, and more than a counter sends in a morning."""


@dataclass(frozen=True)
class Printed:
    """A label as it goes to a printer: bytes, their type, and how a file of it is called at the end."""

    content: bytes
    media_type: str
    suffix: str


FORMS: Mapping[str, Callable[[Label, Size], Printed]] = {
    "pdf": lambda label, size: Printed(as_pdf([label], size), PDF, "pdf"),
    "png-203": lambda label, size: Printed(as_png(label, size, dpi=203), "image/png", "png"),
    "png-300": lambda label, size: Printed(as_png(label, size, dpi=300), "image/png", "png"),
    "zpl-203": lambda label, size: _program(as_zpl(label, size, dpi=203).encode("ascii"), "zpl"),
    "zpl-300": lambda label, size: _program(as_zpl(label, size, dpi=300).encode("ascii"), "zpl"),
    "tspl-203": lambda label, size: _program(as_tspl(label, size, dpi=203), "tspl"),
    "tspl-300": lambda label, size: _program(as_tspl(label, size, dpi=300), "tspl"),
}
"""What a printer takes: a page, a picture for its head, or commands in its own language."""


def print_label(*, parcel: Parcel, size: str, actor: Actor, form: str = "pdf") -> Printed:
    """The label in one of FORMS: `size` is one of the label papers, or `a4` for cutting out of a sheet (PDF only).

    The same parcel and waybill give the same bytes. Raises NotNow while there is no waybill.
    """
    check_may(actor, "label.print", parcel)
    label = label_of(parcel)
    if form not in FORMS or (size == SHEET and form != "pdf"):
        raise Refused("label_form", "没有这种打印方式；A4 只能按 PDF 打印。")
    if size == SHEET:
        return Printed(as_sheets([label], SIZES["100x150"]), PDF, "pdf")
    if size not in SIZES:
        raise Refused("label_size", "没有这种面单规格，请改选 100×150、100×180、76×130 或 A4。")
    return FORMS[form](label, SIZES[size])


def print_sheets(*, parcels: Sequence[Parcel], size: str, actor: Actor) -> Printed:
    """The labels of several parcels on A4 for cutting, as many on a sheet as fit, in their order.

    Raises NotNow for one without a waybill, Refused when there is none, or too many, or no such paper.
    """
    for parcel in parcels:
        check_may(actor, "label.print", parcel)
    if size not in SIZES:
        raise Refused("label_size", "没有这种面单规格，请改选 100×150、100×180 或 76×130。")
    if not 0 < len(parcels) <= MOST_ON_SHEETS:
        raise Refused(
            "label_sheets", f"一次可在 A4 纸上打印 1 至 {MOST_ON_SHEETS} 张面单，请在寄件页面逐件打印。"
        )
    return Printed(as_sheets([label_of(parcel) for parcel in parcels], SIZES[size]), PDF, "pdf")


def print_carrier_label(*, parcel: Parcel, actor: Actor, now: datetime) -> Printed:
    """The carrier's own label on A4 with our code beside it; the carrier is asked once, then it is kept.

    Call outside a transaction. Raises NotNow without a waybill, NotOffered or another CourierError when the carrier
    gives none, Refused when what it gives cannot be printed so.
    """
    check_may(actor, "label.print", parcel)
    label = label_of(parcel)
    waybill = _booked(parcel)
    stored = waybill.label or fetch_carrier_label(waybill=waybill, now=now)
    try:
        return Printed(beside_carrier(open_verified(stored), label), PDF, "pdf")
    except Unfit as error:
        raise Refused("carrier_label_unfit", _why_unfit(error)) from error


def _why_unfit(error: Unfit) -> str:
    if error.code == "too_many_beside":
        return f"承运商给出的面单不能这样打印：{error.sentence}"
    return "承运商给出的面单不是 PDF，或一张 A4 纸放不下，请在承运商系统打印。"


def label_of(parcel: Parcel) -> Label:
    """The words of the label, an applicant masked."""
    waybill = _booked(parcel)
    items = list(parcel.items.select_related("original"))
    return Label(
        carrier=waybill.carrier.name,
        waybill=waybill.number,
        code=parcel.token_text,
        payment_term=PaymentTerm(waybill.term).label,
        payer=waybill.account.centre.name,
        account=waybill.account.number,
        sender=_party(parcel.sender_kind, parcel.sender_id),
        receiver=_party(parcel.receiver_kind, parcel.receiver_id),
        leg=Leg(parcel.leg).label,
        parcel_number=parcel.number,
        cases=len({item.original.case_id for item in items}),
        items=len(items),
        weight=parcel.weight_g,
        routing=str(waybill.routing.get("route_code", "")),
    )


def _booked(parcel: Parcel) -> Waybill:
    waybill = (
        Waybill.objects.filter(parcel=parcel, state=WaybillState.BOOKED.value)
        .select_related("carrier", "account__centre", "account__carrier", "label")
        .first()
    )
    if waybill is None:
        raise NotNow("parcel_no_waybill", "该寄件还没有运单号，请先下单再打印面单。")
    return waybill


def _program(content: bytes, suffix: str) -> Printed:
    return Printed(content, "application/octet-stream", suffix)


def _party(kind: str, pk: int) -> Party:
    party = courier_party(kind, pk)
    if isinstance(thing_at(kind, pk), Case):
        return Party.person(name=party.name, phone=party.phone, address=party.address)
    return Party.organisation(name=party.name, contact="", phone=party.phone, address=party.address)
