"""Who pays for this parcel: the directory and the case as the policy's rules see them."""

from datetime import date

from ingest.models import Case, Handling
from ingest.rules import HandlingState
from logistics.models import Parcel, PostageException, PostagePolicy
from logistics.postage.regions import region_in
from logistics.rules.parcels import Party
from logistics.rules.payers import PUTIAN, Centre, Decision, Leg, OfficeFacts, Policy, Shipment, decide
from logistics.rules.policies import ExceptionState, Granted, decide_exception
from logistics.services.ends import centre_at
from registry.models import Office, ServiceCentre, Window
from registry.terms import Mode
from storage.errors import Refused


def decide_payment(*, parcel: Parcel, on: date) -> Decision:
    """Payer, payment term and the reason in words, under the policy in force that day.

    Called when a waybill is ordered and again when the parcel is charged. Raises NoPayer.
    """
    case = case_of(parcel)
    shipment = shipment_of(parcel, case)
    granted = granted_for(case, shipment)
    if granted is not None:
        return decide_exception(shipment, granted)
    paying = shipment.receiver or shipment.sender or next(iter(shipment.deciding), None)
    return decide(shipment, policy_for(paying.centre.id if paying else None, on))


def policy_for(centre_id: int | None, on: date) -> Policy:
    """The centre's own policy in force, else the general one, else putian §五(七) as it stands."""
    in_force = PostagePolicy.objects.in_force(on)
    row = in_force.filter(centre_id=centre_id).first() if centre_id is not None else None
    row = row or in_force.filter(centre__isnull=True).first()
    return row.as_policy() if isinstance(row, PostagePolicy) else PUTIAN


def case_of(parcel: Parcel) -> Case:
    """The case whose papers are in the parcel. Raises Refused when it is empty."""
    if Party.APPLICANT in {parcel.sender_kind, parcel.receiver_kind}:
        pk = parcel.receiver_id if parcel.receiver_kind == Party.APPLICANT else parcel.sender_id
        return Case.objects.select_related("item", "window__region").get(pk=pk)
    first = parcel.items.select_related("original__case__item", "original__case__window__region").first()
    if first is None:
        raise Refused("empty_parcel", "寄件里还没有原件，请先装件再计费。")
    return first.original.case


def granted_for(case: Case, shipment: Shipment) -> Granted | None:
    """The approved exception for this leg of the case."""
    found = (
        PostageException.objects.filter(
            case=case, leg=shipment.leg.value, state=ExceptionState.APPROVED.value
        )
        .select_related("centre__region")
        .first()
    )
    if found is None:
        return None
    offices = [office.id for office in shipment.deciding if office.centre.id == found.centre_id]
    return Granted(
        number=found.pk,
        centre=centre_of(found.centre),
        office_id=offices[0] if offices else None,
        reason=found.reason,
        approver=found.decided_by,
    )


def shipment_of(parcel: Parcel, case: Case) -> Shipment:
    """What the policy looks at."""
    handlings = case.handlings.select_related("office__centre__region", "office__region").order_by(
        "-is_lead", "pk"
    )
    deciding = those_who_decide(list(handlings))
    sender = _office_at(parcel.sender_kind, parcel.sender_id)
    receiver = _office_at(parcel.receiver_kind, parcel.receiver_id)
    concerned = receiver or sender or next(iter(deciding), None)
    sending_centre = centre_at(parcel.sender_kind, parcel.sender_id)
    return Shipment(
        leg=Leg(parcel.leg),
        mode=case.mode,
        deciding=tuple(facts_of(office) for office in deciding),
        sender=facts_of(sender) if sender else None,
        receiver=facts_of(receiver) if receiver else None,
        covered=is_covered(case, concerned),
        sending_centre=centre_of(sending_centre) if sending_centre else None,
    )


def those_who_decide(handlings: list[Handling]) -> tuple[Office, ...]:
    """The offices whose decision the case brings, in their order; one that refused or was withdrawn from pays no share
    of it. Where nobody is left, all of them: papers still go back.
    """
    ended = {HandlingState.REFUSED, HandlingState.WITHDRAWN}
    living = [handling for handling in handlings if handling.state not in ended]
    return tuple(handling.office for handling in living or handlings)


def is_covered(case: Case, office: Office | None) -> bool:
    """In the catalogue, and taken in at a window outside the office's region (putian §五(七))."""
    if office is None or case.item.negative:
        return False
    return case.mode == Mode.ONLINE or case.window.region_id != office.region_id


def _office_at(kind: str, pk: int) -> Office | None:
    if kind != Party.OFFICE:
        return None
    return Office.objects.select_related("centre__region", "region").get(pk=pk)


def facts_of(office: Office) -> OfficeFacts:
    """An office as the rules see it."""
    return OfficeFacts(office.pk, office.name, office.level, centre_of(office.centre))


def centre_of(centre: ServiceCentre) -> Centre:
    """A centre as the rules see it."""
    return Centre(centre.pk, centre.name, centre.region.level)


def region_code_at(kind: str, pk: int, case: Case) -> str:
    """The GB/T 2260 code of an end. An applicant whose address names no known region lives where the case began."""
    if kind == Party.OFFICE:
        return Office.objects.get(pk=pk).region_id
    if kind == Party.WINDOW:
        return Window.objects.get(pk=pk).region_id
    return region_in(case.applicant_address) or case.window.region_id
