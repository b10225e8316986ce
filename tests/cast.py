"""A small cast: a clerk in Zhuji, an officer in Taizhou, and the people around them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.models import Case
from ingest.rules import CaseState
from ingest.services.intake import Applicant, create_case
from registry.actors import Actor
from registry.models import Office, ServiceCentre, ServiceItem, User, Window
from registry.reference.load import load_reference
from registry.terms import Delivery, Mode, Role
from tests.kept import Kept

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
"""A Tuesday morning, 10:00 at Shanghai, far from any holiday."""

APPLICANT = Applicant(
    name="诸暨市暨通建筑有限公司",
    id_number="91330681MA2XW00000",
    phone="13800138000",
    address="诸暨市暨阳街道一号",
)

ZHUJI, TAIZHOU_WINDOW = "330681-01", "331000-01"
TAIZHOU, WENLING = "331000-zjj", "331081-zjj"


@dataclass(frozen=True)
class Cast:
    """The places of the reference data that most tests play in, and who works there."""

    zhuji: Window
    taizhou_window: Window
    taizhou: Office
    wenling: Office
    item: ServiceItem
    clerk: Actor
    other_clerk: Actor
    officer: Actor
    other_officer: Actor
    finance: Actor
    second_finance: Actor
    administrator: Actor
    auditor: Actor


def assemble() -> Cast:
    """Load the reference data and give each role a person. Needs the database."""
    PLACES_AND_PEOPLE.lay_out()
    people = {user.username: Actor.of(user) for user in User.objects.all()}
    return Cast(
        zhuji=Window.objects.get(code=ZHUJI),
        taizhou_window=Window.objects.get(code=TAIZHOU_WINDOW),
        taizhou=Office.objects.get(code=TAIZHOU),
        wenling=Office.objects.get(code=WENLING),
        item=ServiceItem.objects.get(code="TZ-ZJ-001"),
        clerk=people["clerk"],
        other_clerk=people["other-clerk"],
        officer=people["officer"],
        other_officer=people["other-officer"],
        finance=people["finance"],
        second_finance=people["second-finance"],
        administrator=people["administrator"],
        auditor=people["auditor"],
    )


def _places_and_people() -> None:
    load_reference()
    centre = ServiceCentre.objects.get(code="centre-331000")
    person("clerk", Role.CLERK, window=Window.objects.get(code=ZHUJI))
    person("other-clerk", Role.CLERK, window=Window.objects.get(code=TAIZHOU_WINDOW))
    person("officer", Role.OFFICER, office=Office.objects.get(code=TAIZHOU))
    person("other-officer", Role.OFFICER, office=Office.objects.get(code=WENLING))
    person("finance", Role.FINANCE, centre=centre)
    person("second-finance", Role.FINANCE, centre=centre)
    person("administrator", Role.ADMINISTRATOR)
    person("auditor", Role.AUDITOR)


PLACES_AND_PEOPLE = Kept(_places_and_people)
"""The world of the cast."""


def person(
    username: str,
    role: Role,
    *,
    window: Window | None = None,
    office: Office | None = None,
    centre: ServiceCentre | None = None,
) -> Actor:
    user, _ = User.objects.get_or_create(
        username=username,
        defaults={"role": role.value, "window": window, "office": office, "centre": centre},
    )
    return Actor.of(user)


def open_case(cast: Cast, *, offices: list[Office] | None = None, now: datetime = NOW) -> Case:
    """A draft in 收受分离 from the Zhuji window to the Taizhou office."""
    return create_case(
        item=cast.item,
        window=cast.zhuji,
        offices=offices or [cast.taizhou],
        mode=Mode.WINDOW_FORWARD,
        applicant=APPLICANT,
        delivery=Delivery.MAIL,
        agent_consent=True,
        actor=cast.clerk,
        now=now,
    )


def further_on(case: Case, state: CaseState, **columns: object) -> Case:
    """The same case in a state to which nobody brought it: its row alone, submitted on the day."""
    Case.objects.filter(pk=case.pk).update(state=state, submitted_at=NOW, **columns)
    case.refresh_from_db()
    return case
