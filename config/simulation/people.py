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
    Route("ZJ-KS-05", "331000-01", ("330681-rsj",), Mode.ONLINE),
    Route("PT-QY-01", "350302-01", ("350300-ybj",), Mode.ONLINE),
    Route("ZJ-KS-07", "331000-01", ("330681-rsj", "330681-ybj"), Mode.JOINT),
    Route("ZJ-KS-07", "370402-01", ("330681-ybj", "330681-rsj"), Mode.JOINT),
    Route("PT-QY-01", "350302-01", ("350300-ybj",), Mode.WINDOW_ACCEPT),
)


@dataclass(frozen=True)
class People:
    """One person at each window and office, two who keep the books of each centre that pays, and those of the back rooms.

    `platforms`: the key of the province's platform for each window, which files what applicants hand in there (全程网办).
    """

    clerks: tuple[Actor, ...]
    platforms: tuple[Actor, ...]
    officers: tuple[Actor, ...]
    finance: tuple[Actor, ...]
    administrator: Actor
    auditor: Actor
    _at: dict[tuple[str, int], Actor] = field(default_factory=dict)

    def paying_centres(self) -> tuple[int, ...]:
        """Keys of the centres that bear postage."""
        return tuple(dict.fromkeys(one.centre_id for one in self.finance if one.centre_id is not None))

    def finance_of(self, centre_id: int) -> tuple[Actor, Actor]:
        """The two of a centre: what one prepares, the other closes."""
        first, second = (one for one in self.finance if one.centre_id == centre_id)
        return first, second

    def at(self, kind: str, place_id: int) -> Actor | None:
        """Who answers for a window or an office; nobody for an applicant."""
        return self._at.get((kind, place_id))

    def platform_of(self, window_id: int) -> Actor:
        """The platform's key for a window."""
        return next(one for one in self.platforms if one.window_id == window_id)

    def everybody(self) -> tuple[Actor, ...]:
        return (
            *self.clerks,
            *self.platforms,
            *self.officers,
            *self.finance,
            self.administrator,
            self.auditor,
        )


def assemble() -> People:
    """Accounts without a password: nobody logs in here. Needs the reference data."""
    clerks = tuple(
        _person(f"clerk-{code}", Role.CLERK, window=Window.objects.get(code=code)) for code in WINDOWS
    )
    officers = tuple(
        _person(f"officer-{code}", Role.OFFICER, office=Office.objects.get(code=code)) for code in OFFICES
    )
    paying = ServiceCentre.objects.filter(offices__code__in=OFFICES).distinct().order_by("code")
    places = {(Party.WINDOW.value, one.window_id): one for one in clerks if one.window_id is not None}
    places |= {(Party.OFFICE.value, one.office_id): one for one in officers if one.office_id is not None}
    return People(
        clerks=clerks,
        platforms=tuple(_platform(code) for code in WINDOWS),
        officers=officers,
        finance=tuple(
            _person(f"{name}-{centre.code}", Role.FINANCE, centre=centre)
            for centre in paying
            for name in ("books", "closing")
        ),
        administrator=_person("administrator", Role.ADMINISTRATOR),
        auditor=_person("auditor", Role.AUDITOR),
        _at=places,
    )


def _platform(code: str) -> Actor:
    return Actor(
        kind="integration",
        id=f"key-{code}",
        label=f"platform-{code}",
        role=Role.INTEGRATION.value,
        window_id=Window.objects.values_list("pk", flat=True).get(code=code),
        scopes=frozenset({"platform"}),
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
