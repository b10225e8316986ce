"""What the slips about parcels say: packing list, list for the collector, and the proof of arrival."""

from collections.abc import Iterable
from datetime import datetime

from ingest.models import Case, Original
from logistics.models import HandoverLine, HandoverList, Parcel, ParcelItem
from logistics.postage.payment import decide_payment
from logistics.rules.payers import Leg
from logistics.services.ends import name_of
from registry.models import MaterialRequirement
from registry.paper.slips import DeliveryProof, HandedLine, Handover, PackedLine, PackingList, Trace
from registry.time import local_day


def packing_list_of(parcel: Parcel, *, packed_at: datetime) -> PackingList:
    """材料移交清单: lies in the envelope and is ticked by who opens it."""
    decision = decide_payment(parcel=parcel, on=local_day(packed_at))
    lines = tuple(_packed(item) for item in _items(parcel))
    numbers = sorted({line.case_number for line in lines})
    return PackingList(
        issuer=name_of(parcel.sender_kind, parcel.sender_id),
        case_number=numbers[0] if len(numbers) == 1 else "",
        parcel_number=parcel.number,
        leg=Leg(parcel.leg).label,
        sender=name_of(parcel.sender_kind, parcel.sender_id),
        receiver=name_of(parcel.receiver_kind, parcel.receiver_id),
        payment_term=decision.term.label,
        payer=decision.words,
        packed_at=packed_at,
        contents=lines,
    )


def handover_of(
    handover: HandoverList,
    lines: Iterable[HandoverLine],
    *,
    collector: str = "",
    signed_at: datetime | None = None,
    signature: str = "",
) -> Handover:
    """交接清单, to be signed on paper, or as it was signed on the screen (`signature` is the path that was drawn)."""
    sender = name_of(handover.sender_kind, handover.sender_id)
    return Handover(
        issuer=sender,
        list_number=handover.number,
        sender=sender,
        carrier=handover.carrier.name,
        collector=collector,
        signed_at=signed_at,
        signature=signature,
        lines=tuple(
            HandedLine(
                parcel_number=line.parcel.number,
                waybill=line.waybill_number,
                originals=line.originals,
                weight=line.weight_g,
            )
            for line in lines
        ),
    )


def delivery_proof_of(parcel: Parcel, *, case: Case, delivered_at: datetime) -> DeliveryProof:
    """送达回证 for a parcel that the applicant received."""
    waybill = parcel.waybills.filter(state="booked").select_related("carrier").first()
    office = case.lead_office()
    scans = waybill.scans() if waybill else []
    return DeliveryProof(
        case_number=case.number,
        issuer=office.name,
        item_name=case.item.name,
        item_code=case.item.code,
        applicant_name=case.applicant_name,
        applicant_id_number=case.applicant_id_number,
        applicant_phone=case.applicant_phone,
        window=case.window.name,
        office=office.name,
        enquiry_phone=office.phone or office.centre.phone,
        documents=tuple(item.original.name for item in _items(parcel)),
        method="邮寄",
        delivered_at=delivered_at,
        recipient="以承运商签收记录为准",
        carrier=waybill.carrier.name if waybill else "",
        waybill=waybill.number if waybill else "",
        address=case.applicant_address,
        traces=tuple(Trace(at=scan.at, words=scan.words) for scan in scans),
    )


def _items(parcel: Parcel) -> list[ParcelItem]:
    return list(parcel.items.select_related("original__case__item", "original__material__requirement"))


def _packed(item: ParcelItem) -> PackedLine:
    original = item.original
    form = "审批结果"
    if original.kind == Original.Kind.MATERIAL and original.material:
        form = str(MaterialRequirement.Form(original.material.requirement.form).label)
    return PackedLine(
        case_number=original.case.number,
        applicant_name=original.case.applicant_name,
        item_name=original.case.item.name,
        name=original.name,
        form=form,
    )
