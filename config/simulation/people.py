"""Who stands where in a simulated world, and the roads that cases may lawfully take between them."""

from dataclasses import dataclass, field

from logistics.rules.parcels import Party
from registry.actors import Actor
from registry.models import Office, ServiceCentre, User, Window
from registry.terms import Mode, Role

WINDOWS = ("330681-01", "331000-01", "350302-01", "370402-01")
OFFICES = ("331000-zjj", "331081-zjj", "331082-zjj", "330681-rsj", "330681-ybj", "350300-ybj")


@dataclass(frozen=True)
class Route:
    """An item, the window that takes it in, the offices that decide it, the lead first, and the way of putian §四."""

    item: str
    window: str
    offices: tuple[str, ...]
    mode: Mode


ROUTES = (
    Route("TZ-ZJ-001", "330681-01", ("331000-zjj",), Mode.WINDOW_FORWARD),
    Route("TZ-ZJ-001", "330681-01", ("331081-zjj",), Mode.WINDOW_FORWARD),
    Route("TZ-ZJ-001", "331000-01", ("331082-zjj",), Mode.WINDOW_FORWARD),
    Route("ZJ-KS-05", "331000-01", ("330681-rsj",), Mode.WINDOW_ACCEPT),
    Route("ZJ-KS-05", "370402-01", ("330681-rsj",), Mode.WINDOW_ACCEPT),
    Route("ZJ-KS-05", "370402-01", ("330681-rsj",), Mode.ONLINE),
    Route("ZJ-KS-07", "331000-01", ("330681-rsj", "330681-ybj"), Mode.JOINT),
    Route("ZJ-KS-07", "370402-01", ("330681-ybj", "330681-rsj"), Mode.JOINT),
    Route("PT-QY-01", "350302-01", ("350300-ybj",), Mode.WINDOW_ACCEPT),
)


@dataclass(frozen=True)
class People:
    """One person at each window and office, and those of the back rooms."""

    clerks: tuple[Actor, ...]
    officers: tuple[Actor, ...]
    finance: Actor
    administrator: Actor
    auditor: Actor
    _at: dict[tuple[str, int], Actor] = field(default_factory=dict)

    def at(self, kind: str, place_id: int) -> Actor | None:
        """Who answers for a window or an office; nobody for an applicant."""
        return self._at.get((kind, place_id))

    def everybody(self) -> tuple[Actor, ...]:
        return (*self.clerks, *self.officers, self.finance, self.administrator, self.auditor)


def assemble() -> People:
    """Accounts without a password: nobody logs in here. Needs the reference data."""
    clerks = tuple(
        _person(f"clerk-{code}", Role.CLERK, window=Window.objects.get(code=code)) for code in WINDOWS
    )
    officers = tuple(
        _person(f"officer-{code}", Role.OFFICER, office=Office.objects.get(code=code)) for code in OFFICES
    )
    centre = ServiceCentre.objects.get(code="centre-331000")
    places = {(Party.WINDOW.value, one.window_id): one for one in clerks if one.window_id is not None}
    places |= {(Party.OFFICE.value, one.office_id): one for one in officers if one.office_id is not None}
    return People(
        clerks=clerks,
        officers=officers,
        finance=_person("finance", Role.FINANCE, centre=centre),
        administrator=_person("administrator", Role.ADMINISTRATOR),
        auditor=_person("auditor", Role.AUDITOR),
        _at=places,
    )


def _person(
    username: str,
    role: Role,
    *,
    window: Window | None = None,
    office: Office | None = None,
    centre: ServiceCentre | None = None,
) -> Actor:
    user = User(username=username, role=role.value, window=window, office=office, centre=centre)
    user.set_unusable_password()
    user.save()
    return Actor.of(user)
