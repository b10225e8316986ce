"""Slips that an act entitles people to: issued from the case as it stands, then printed."""

from collections.abc import Iterable
from datetime import datetime

from ingest.models import Case, Handling, Original
from ingest.slips import acceptance_of, notice_of, receipt_of, refusal_of
from logistics.models import Parcel
from logistics.papers import ARRIVED, counter_proof_of, delivery_proof_of, packing_list_of
from logistics.rules.parcels import Party
from logistics.services.ends import thing_at
from registry.actors import SYSTEM
from registry.models import Event, Office, Slip, Window
from registry.paper.issue import issue, print_slip
from registry.paper.kinds import SlipKind
from registry.paper.slips import Slip as SlipContent


def issue_receipt(event: Event, part: str, now: datetime) -> None:
    receipt_for(Case.objects.select_related("item", "window").get(pk=event.subject_id), at=event.at)


def receipt_for(case: Case, *, at: datetime) -> Slip:
    """收件凭证 of a submission, printed. Asked again, the same slip."""
    office = case.lead_office()
    slip = issue(
        kind=SlipKind.RECEIPT,
        subject=case,
        data=receipt_of(case, received_at=at),
        actor=SYSTEM,
        now=at,
        window=case.window,
        office=office,
    )
    return print_slip(slip=slip, now=at)


def issue_acceptance(event: Event, part: str, now: datetime) -> None:
    handling = _handling(event)
    _print(SlipKind.ACCEPTANCE, handling, acceptance_of(handling), event)


def issue_notice(event: Event, part: str, now: datetime) -> None:
    handling = _handling(event)
    asked = Event.objects.filter(
        kind=event.kind,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        sequence__lte=event.sequence,
    )
    notice = notice_of(handling, noticed_at=event.at, by_window="grant" in event.data)
    _print(SlipKind.NOTICE, handling, notice, event, revision=asked.count())


def issue_refusal(event: Event, part: str, now: datetime) -> None:
    handling = _handling(event)
    _print(SlipKind.REFUSAL, handling, refusal_of(handling, decided_at=event.at), event)


def issue_packing_list(event: Event, part: str, now: datetime) -> None:
    """A parcel that was opened and sealed again has another list."""
    parcel = Parcel.objects.get(pk=event.subject_id)
    sealed = Event.objects.filter(
        kind=event.kind,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        pk__lte=event.pk,
    )
    sender = thing_at(parcel.sender_kind, parcel.sender_id)
    slip = issue(
        kind=SlipKind.PACKING_LIST,
        subject=parcel,
        data=packing_list_of(parcel, packed_at=event.at),
        actor=SYSTEM,
        now=event.at,
        revision=sealed.count(),
        window=sender if isinstance(sender, Window) else None,
        office=sender if isinstance(sender, Office) else None,
    )
    print_slip(slip=slip, now=event.at)


def issue_delivery_proof(event: Event, part: str, now: datetime) -> None:
    parcel = Parcel.objects.get(pk=event.subject_id)
    if parcel.receiver_kind != Party.APPLICANT or not parcel.items.filter(finding__in=ARRIVED).exists():
        return
    case = Case.objects.select_related("item", "window").get(pk=parcel.receiver_id)
    office = case.lead_office()
    slip = issue(
        kind=SlipKind.DELIVERY_PROOF,
        subject=parcel,
        data=delivery_proof_of(parcel, case=case, delivered_at=parcel.delivered_at or event.at),
        actor=SYSTEM,
        now=event.at,
        window=case.window,
        office=office,
    )
    print_slip(slip=slip, now=event.at)


def handed_out(event: Event) -> Iterable[str]:
    """One job for a paper that went from a window into the applicant's hands, none for any other way."""
    (here, _), (there, _) = event.data["from"], event.data["to"]
    by_hand = here == Original.Place.WINDOW and not event.data["parcel"]
    return ("",) if by_hand and there == Original.Place.APPLICANT else ()


def issue_counter_proof(event: Event, part: str, now: datetime) -> None:
    """A paper that came back and was handed out again has another proof."""
    original = Original.objects.get(pk=event.subject_id)
    case = Case.objects.select_related("item", "window").get(pk=original.case_id)
    times = original.custody.filter(to_place=Original.Place.APPLICANT, at__lte=event.at).count()
    slip = issue(
        kind=SlipKind.DELIVERY_PROOF,
        subject=original,
        data=counter_proof_of(original, case=case, handed_at=event.at),
        actor=SYSTEM,
        now=event.at,
        revision=max(times, 1),
        window=case.window,
        office=case.lead_office(),
    )
    print_slip(slip=slip, now=event.at)


def print_issued(event: Event, part: str, now: datetime) -> None:
    """Whoever issued the slip usually prints it at once; this makes sure of it."""
    print_slip(slip=Slip.objects.get(pk=event.subject_id), now=now)


def _handling(event: Event) -> Handling:
    return Handling.objects.select_related("case__item", "case__window", "office").get(pk=event.subject_id)


def _print(kind: SlipKind, handling: Handling, data: SlipContent, event: Event, *, revision: int = 1) -> None:
    slip = issue(
        kind=kind,
        subject=handling,
        data=data,
        actor=SYSTEM,
        now=event.at,
        revision=revision,
        window=handling.case.window,
        office=handling.office,
    )
    print_slip(slip=slip, now=event.at)
