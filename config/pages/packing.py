"""What of a case lies here and where it may go: the choices of the packing page."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from ingest.models import Case, Handling, Original
from ingest.services.stops import deliverer, onward
from logistics.models import Parcel, ParcelItem
from logistics.rules.parcels import ParcelState
from logistics.rules.payers import Leg
from logistics.services.ends import End, end_of
from registry.actors import Actor
from registry.masking import mask_name
from registry.models import Office
from registry.permissions import visible
from registry.terms import Delivery, Mode, Role


@dataclass(frozen=True)
class Way:
    """One leg that fits this reader and this case, with both ends."""

    leg: Leg
    sender: End
    receiver: End
    to: str

    @property
    def key(self) -> str:
        return f"{self.leg.value}:{type(self.receiver).__name__.lower()}:{self.receiver.pk}"

    @property
    def label(self) -> str:
        return self.leg.label


def packable(case: Case, actor: Actor) -> QuerySet[Original]:
    """Originals of the case that lie at this reader's window or office and are in no open parcel."""
    here = {
        Role.CLERK.value: (Original.Place.WINDOW, actor.window_id),
        Role.OFFICER.value: (Original.Place.OFFICE, actor.office_id),
    }
    place, place_id = here[actor.role]
    taken = ParcelItem.objects.filter(holds=True).values("original")
    mine = visible(actor, "original.see", case.originals.filter(place=place, place_id=place_id or 0))
    return mine.exclude(pk__in=taken).order_by("kind", "pk")


def open_bags(ways: list[Way]) -> list[Parcel]:
    """Parcels still being packed that go one of these ways: papers of another case may join them."""
    going = Q(pk__in=())
    for way in ways:
        (sender_kind, sender_id), (receiver_kind, receiver_id) = end_of(way.sender), end_of(way.receiver)
        going |= Q(
            leg=way.leg.value,
            sender_kind=sender_kind.value,
            sender_id=sender_id,
            receiver_kind=receiver_kind.value,
            receiver_id=receiver_id,
        )
    packing = Parcel.objects.filter(going, state=ParcelState.PACKING)
    return list(packing.annotate(count=Count("items")).order_by("pk"))


def leg_choices(case: Case, actor: Actor) -> list[Way]:
    """The likely one first."""
    handlings = list(case.handlings.select_related("office").order_by("-is_lead", "pk"))
    wanted = [going.office_id for original in packable(case, actor) if (going := onward(original))]
    if actor.role == Role.CLERK:
        # Where the papers that lie here are needed first comes first.
        handlings.sort(key=lambda handling: handling.office_id not in wanted)
        return _from_window(case, handlings)
    office = Office.objects.filter(pk=actor.office_id or 0).first()
    if office is None:
        return []
    ways = _from_office(case, handlings, office)
    going_on = [way for way in ways if way.leg == Leg.TRANSFER and way.receiver.pk in wanted]
    return going_on + [way for way in ways if way not in going_on]


def _from_window(case: Case, handlings: list[Handling]) -> list[Way]:
    window = case.window
    legs = [Leg.MATERIALS, Leg.SUPPLEMENT]
    if any(handling.state == "supplement" for handling in handlings):
        legs.reverse()
    return [Way(leg, window, handling.office, handling.office.name) for leg in legs for handling in handlings]


def _from_office(case: Case, handlings: list[Handling], office: Office) -> list[Way]:
    applicant = f"申请人 {mask_name(case.applicant_name)}"
    by_window: list[tuple[End, str]] = [(case.window, case.window.name), (case, applicant)]
    by_mail: list[tuple[End, str]] = [(case, applicant), (case.window, case.window.name)]
    receivers = by_window if case.delivery == Delivery.WINDOW else by_mail
    # A result goes where the applicant wants it; originals go home by either way.
    results_to = receivers[:1] if case.delivery in {Delivery.WINDOW, Delivery.MAIL} else receivers
    result = Leg.JOINT_RESULT if case.mode == Mode.JOINT else Leg.RESULT
    own = next((handling for handling in handlings if handling.office_id == office.pk), None)
    legs = [result, Leg.ORIGINAL_RETURN] if own and own.state == "decided" else [Leg.ORIGINAL_RETURN, result]
    ways = [
        Way(leg, office, receiver, to)
        for leg in legs
        for receiver, to in (results_to if leg == result else receivers)
    ]
    others = [handling.office for handling in handlings if handling.office_id != office.pk]
    onward_ways = [Way(Leg.TRANSFER, office, other, other.name) for other in others]
    if case.mode == Mode.JOINT and own and own.state == "decided" and deliverer(handlings).pk != own.pk:
        # Its result goes to the lead office first, which delivers everything together.
        return onward_ways + [way for way in ways if way.leg != Leg.JOINT_RESULT]
    return ways + onward_ways
