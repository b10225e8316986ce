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

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
"""A Tuesday morning, 10:00 at Shanghai, far from any holiday."""

APPLICANT = Applicant(
    name="诸暨市暨通建筑有限公司",
    id_number="91330681MA2XW00000",
    phone="13800138000",
    address="诸暨市暨阳街道一号",
)


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
    load_reference()
    zhuji = Window.objects.get(code="330681-01")
    taizhou_window = Window.objects.get(code="331000-01")
    taizhou = Office.objects.get(code="331000-zjj")
    wenling = Office.objects.get(code="331081-zjj")
    centre = ServiceCentre.objects.get(code="centre-331000")
    return Cast(
        zhuji=zhuji,
        taizhou_window=taizhou_window,
        taizhou=taizhou,
        wenling=wenling,
        item=ServiceItem.objects.get(code="TZ-ZJ-001"),
        clerk=person("clerk", Role.CLERK, window=zhuji),
        other_clerk=person("other-clerk", Role.CLERK, window=taizhou_window),
        officer=person("officer", Role.OFFICER, office=taizhou),
        other_officer=person("other-officer", Role.OFFICER, office=wenling),
        finance=person("finance", Role.FINANCE, centre=centre),
        second_finance=person("second-finance", Role.FINANCE, centre=centre),
        administrator=person("administrator", Role.ADMINISTRATOR),
        auditor=person("auditor", Role.AUDITOR),
    )


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
