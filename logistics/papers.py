"""What the slips about parcels say: packing list, list for the collector, and the proof of arrival."""

from collections.abc import Iterable
from datetime import datetime

from ingest.models import Case, Original, ResultFile
from ingest.services.rating import link_to_print
from ingest.slips import About, about
from logistics.models import HandoverLine, HandoverList, Parcel, ParcelItem
from logistics.postage.payment import decide_payment
from logistics.rules.payers import Leg
from logistics.services.ends import name_of
from registry.models import MaterialRequirement
from registry.paper.slips import DeliveryProof, HandedLine, Handover, PackedLine, PackingList, Trace
from registry.time import local_day

ARRIVED = frozenset({ParcelItem.Finding.PRESENT.value, ParcelItem.Finding.DAMAGED.value})


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
    """送达回证 for a parcel that the applicant received: of what came out of it, not of what was found elsewhere before."""
    waybill = parcel.waybills.filter(state="booked").select_related("carrier").first()
    scans = waybill.scans() if waybill else []
    return DeliveryProof(
        **_proven(case),
        documents=tuple(item.original.name for item in _items(parcel) if item.finding in ARRIVED),
        method="邮寄",
        delivered_at=delivered_at,
        recipient="以承运商签收记录为准",
        carrier=waybill.carrier.name if waybill else "",
        waybill=waybill.number if waybill else "",
        address=case.applicant_address,
        traces=tuple(Trace(at=scan.at, words=scan.words) for scan in scans),
    )


def counter_proof_of(original: Original, *, case: Case, handed_at: datetime) -> DeliveryProof:
    """送达回证 for a paper that the window hands to the applicant, to be signed by whoever takes it."""
    return DeliveryProof(
        **_proven(case),
        documents=(original.name,),
        method="窗口领取",
        delivered_at=handed_at,
        recipient="以本回证签字为准",
    )


def fetched_proof_of(file: ResultFile, *, fetched_at: datetime) -> DeliveryProof:
    """送达回证 for a file that the applicant's side fetched."""
    return DeliveryProof(
        **_proven(file.handling.case),
        documents=(file.name,),
        method="电子送达",
        delivered_at=fetched_at,
        recipient=f"以系统下载记录为准（文件 SHA-256 前 16 位 {file.stored.sha256[:16]}）",
    )


class Proven(About):
    """The same of every 送达回证, with who answers for it."""

    issuer: str
    office: str
    enquiry_phone: str
    rating_link: str


def _proven(case: Case) -> Proven:
    office = case.lead_office()
    return Proven(
        **about(case),
        issuer=office.name,
        office=office.name,
        enquiry_phone=office.phone or office.centre.phone,
        rating_link=link_to_print(case),
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
