"""What every page's frame needs: who is signed in and where that role works."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config.pages.places import places_of
from registry.calendar import current_calendar
from registry.models import User
from registry.terms import Role


@dataclass(frozen=True)
class Entry:
    label: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True)
class Chrome:
    person: str
    place: str
    places: list[Entry]
    can_search: bool


def chrome(request: HttpRequest) -> dict[str, Any]:
    """The product's name, the calendar (asked for once, if at all), and for the signed-in their name, workplace and places."""
    known: dict[str, Any] = {"product_name": "通办", "calendar": SimpleLazyObject(current_calendar)}
    user = getattr(request, "user", None)
    if isinstance(user, User):
        known["chrome"] = Chrome(
            person=str(user),
            place=_workplace(user),
            places=[
                Entry(place.label, place.icon, place.url, request.path.startswith(place.url))
                for place in places_of(user.role)
            ],
            can_search=user.role in (Role.CLERK, Role.OFFICER),
        )
    return known


def _workplace(user: User) -> str:
    place = user.window or user.office or user.centre
    return str(place) if place else Role(user.role).label if user.role in Role.values() else ""
