"""What every page's frame needs: who is signed in and where that role works."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from config.pages.places import places_of
from registry.calendar import current_calendar
from registry.deadlines import deadline_policies
from registry.models import User
from registry.rules.deadlines import DeadlineRules, rules_for
from registry.terms import Role
from registry.time import local_day


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
    user = getattr(request, "user", None)
    known: dict[str, Any] = {
        "product_name": "通办",
        "calendar": SimpleLazyObject(current_calendar),
        "deadline_rules": SimpleLazyObject(lambda: rules_of(user)),
    }
    if isinstance(user, User):
        route = request.resolver_match.route if request.resolver_match else ""
        known["chrome"] = Chrome(
            person=str(user),
            place=_workplace(user),
            places=[
                Entry(place.label, place.icon, place.url, place.holds(request.path, route))
                for place in places_of(user.role)
            ],
            can_search=user.role in (Role.CLERK, Role.OFFICER),
        )
    return known


def rules_of(user: object) -> DeadlineRules:
    """The rules for deadlines at this reader's place: from how many days left one asks for attention."""
    place = (user.office or user.window) if isinstance(user, User) else None
    today = local_day(timezone.now())
    return rules_for(place.region_id if place else "", today, deadline_policies())


def _workplace(user: User) -> str:
    place = user.window or user.office or user.centre
    return str(place) if place else Role(user.role).label if user.role in Role.values() else ""
