"""The two ends of a parcel: which window, office or applicant, and what the courier needs to know of them."""

from django.db.models import Model

from ingest.models import Case, Original
from logistics.couriers.base import Party as CourierParty
from logistics.models import Parcel
from logistics.rules.parcels import Party
from registry.actors import Actor
from registry.models import Office, Region, ServiceCentre, Window
from registry.permissions import NotYours
from registry.terms import Level
from storage.errors import Refused

End = Window | Office | Case


def end_of(thing: End) -> tuple[Party, int]:
    """Kind and id of an end; a case stands for its applicant."""
    match thing:
        case Window():
            return Party.WINDOW, thing.pk
        case Office():
            return Party.OFFICE, thing.pk
        case Case():
            return Party.APPLICANT, thing.pk


def thing_at(kind: str, pk: int) -> End:
    """The window, office or case of an end."""
    models: dict[str, type[Model]] = {Party.WINDOW: Window, Party.OFFICE: Office, Party.APPLICANT: Case}
    thing = models[kind]._default_manager.get(pk=pk)
    if not isinstance(thing, Window | Office | Case):
        raise TypeError(kind)
    return thing


def name_of(kind: str, pk: int) -> str:
    """The name of an end as lists show it; an applicant is not named."""
    thing = thing_at(kind, pk)
    return f"办件 {thing.number} 的申请人" if isinstance(thing, Case) else thing.name


def place_of(kind: str) -> str:
    """The place an original is at when this end holds it."""
    return {
        Party.WINDOW: Original.Place.WINDOW.value,
        Party.OFFICE: Original.Place.OFFICE.value,
        Party.APPLICANT: Original.Place.APPLICANT.value,
    }[Party(kind)]


def desk_of(actor: Actor) -> tuple[str, int]:
    """Kind and id of the window or office where somebody works. Raises NotYours for those who work at neither."""
    if actor.window_id is not None:
        return Party.WINDOW.value, actor.window_id
    if actor.office_id is not None:
        return Party.OFFICE.value, actor.office_id
    raise NotYours


def is_sender(actor: Actor, parcel: Parcel) -> bool:
    """Whether the actor stands at the sending end. The system stands everywhere."""
    return _stands_at(actor, parcel.sender_kind, parcel.sender_id)


def is_receiver(actor: Actor, parcel: Parcel) -> bool:
    """Whether the actor stands at the receiving end."""
    return _stands_at(actor, parcel.receiver_kind, parcel.receiver_id)


def centre_at(kind: str, pk: int) -> ServiceCentre | None:
    """The centre of a window or office; None for an applicant."""
    thing = thing_at(kind, pk)
    return None if isinstance(thing, Case) else thing.centre


def courier_party(kind: str, pk: int) -> CourierParty:
    """Name, telephone and address for the courier; a window or office without its own has its centre's.

    Raises Refused when the address or the telephone is missing.
    """
    thing = thing_at(kind, pk)
    if isinstance(thing, Case):
        party = CourierParty(
            name=thing.applicant_name,
            phone=thing.applicant_phone,
            province="",
            city="",
            county="",
            address=thing.applicant_address,
        )
    else:
        party = CourierParty(
            name=thing.name,
            phone=thing.phone or thing.centre.phone,
            address=thing.address or thing.centre.address,
            organisation=thing.name,
            **_region_names(thing.region),
        )
    if not party.address or not party.phone:
        raise Refused("address_missing", f"{name_of(kind, pk)}的地址或电话未登记，请补全后再下单。")
    return party


def _stands_at(actor: Actor, kind: str, pk: int) -> bool:
    if actor.kind == "system":
        return True
    mine = {Party.WINDOW: actor.window_id, Party.OFFICE: actor.office_id}.get(Party(kind))
    return mine is not None and mine == pk


def _region_names(region: Region) -> dict[str, str]:
    names = {"province": "", "city": "", "county": ""}
    above: Region | None = region
    while above is not None:
        if above.level in (Level.PROVINCE, Level.CITY, Level.COUNTY):
            names[above.level] = above.name
        above = above.parent
    return names
