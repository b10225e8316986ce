"""Clerks at their windows: they open cases, take in papers, submit, accept, hand out and close."""

from datetime import datetime
from typing import Protocol

from config.simulation.acts.paperwork import upload_page
from config.simulation.papers import hand_in_pages
from config.simulation.people import ROUTES
from config.simulation.world import Deed, World
from ingest.models import Case, Handling, Material, Original
from ingest.rules import CaseState, HandlingState, IdentityPerson
from ingest.services.answering import answer_points
from ingest.services.delivery import close, start_delivery
from ingest.services.handlings import accept, may_still_notify, notify, resubmit
from ingest.services.identifying import identify_by_sight
from ingest.services.intake import Applicant, create_case, submit, take_in_original
from ingest.services.results import waits_for_fetching
from ingest.services.stops import onward
from ingest.services.withdrawing import withdraw
from logistics.services.endings import hand_to_applicant
from registry.actors import Actor
from registry.models import Office, ServiceItem, Window
from registry.rules.questionnaire import Answer, points_of
from registry.terms import Delivery, Mode

AT_ONCE = 14
"""Cases under way at one time: enough to share bags and messages, few enough that each gets on."""
UNDER_WAY = (
    CaseState.DRAFT,
    CaseState.SUBMITTED,
    CaseState.PRE_REVIEW,
    CaseState.ACCEPTED,
    CaseState.SUPPLEMENT,
    CaseState.DECIDED,
    CaseState.DELIVERING,
)
MOST_ORIGINALS = 3


class CaseService(Protocol):
    """An act on a case that needs no more than who and when."""

    def __call__(self, *, case: Case, actor: Actor, now: datetime) -> Case: ...


def open_case(world: World) -> Deed | None:
    """The next applicant comes to a window, or to the platform's page of it."""
    opened = Case.objects.count()
    if opened >= world.wanted or Case.objects.filter(state__in=UNDER_WAY).count() >= AT_ONCE:
        return None
    route = world.dice.choice(ROUTES)
    clerk = next(one for one in world.people.clerks if one.label.endswith(route.window))
    if route.mode == Mode.ONLINE:
        clerk = world.people.platform_of(clerk.window_id or 0)
    delivery = world.dice.choice((Delivery.MAIL, Delivery.MAIL, Delivery.WINDOW, Delivery.ELECTRONIC))
    return Deed(
        name="open case",
        who=clerk.label,
        what=f"{route.item} for {'+'.join(route.offices)}, {route.mode.value}",
        do=lambda: create_case(
            item=ServiceItem.objects.get(code=route.item, version=1),
            window=Window.objects.get(code=route.window),
            offices=[Office.objects.get(code=code) for code in route.offices],
            mode=route.mode,
            applicant=_applicant(opened + 1),
            delivery=delivery,
            agent_consent=True,
            actor=clerk,
            now=world.clock.now(),
        ),
    )


def work_at_window(world: World) -> Deed | None:
    """A clerk takes one of the window's cases up, whatever it waits for."""
    clerk = world.dice.choice(world.people.clerks)
    case = world.one_row(Case.objects.filter(window=clerk.window_id, state__in=UNDER_WAY))
    if case is None:
        return None
    if world.chance(0.01):
        return _withdraw(world, case, clerk)
    if world.chance(0.03) and (open_to_notice := _open_to_notice(world, case)) is not None:
        return _notify(world, open_to_notice, clerk)
    match case.state:
        case CaseState.DRAFT if case.mode == Mode.ONLINE and world.dice.random() < 0.9:
            return _draft_online(world, case, world.people.platform_of(case.window_id))
        case CaseState.DRAFT:
            return _draft(world, case, clerk)
        case CaseState.SUBMITTED if case.mode == Mode.WINDOW_ACCEPT:
            return _accept(world, case, clerk)
        case CaseState.SUPPLEMENT:
            return _resubmit(world, case, clerk)
        case CaseState.DECIDED if not case.originals.filter(kind=Original.Kind.RESULT).exists():
            # 电子送达: there is no paper that tells of itself that it is on its way.
            return _of_case(world, "start delivery", case, clerk, start_delivery)
        case CaseState.DELIVERING if _stays_open_by_itself(case) and not (
            waits_for_fetching(case) and not world.chance(0.05)
        ):
            return _of_case(world, "close", case, clerk, close)
        case _:
            return None


def hand_out(world: World) -> Deed | None:
    """An applicant takes at the counter what lies there for them."""
    clerk = world.dice.choice(world.people.clerks)
    here = Original.objects.filter(place=Original.Place.WINDOW, place_id=clerk.window_id or 0)
    lying = here.exclude(parcel_items__holds=True).exclude(case__state=CaseState.DRAFT)
    original = world.one_row(lying.select_related("case"))
    if original is None or not _is_for_applicant(original):
        return None
    pk = original.pk
    return Deed(
        name="hand out",
        who=clerk.label,
        what=f"{original.case.number} {original.name}",
        do=lambda: hand_to_applicant(
            original=Original.objects.select_related("case").get(pk=pk), actor=clerk, now=world.clock.now()
        ),
    )


def _is_for_applicant(original: Original) -> bool:
    if original.kind == Original.Kind.RESULT:
        return True
    return onward(original) is None


def _stays_open_by_itself(case: Case) -> bool:
    """Nothing will come home that would close the case: a person has to say that it is over."""
    papers = case.originals
    gone = papers.filter(place=Original.Place.GONE).exists()
    return gone or not papers.filter(kind=Original.Kind.RESULT).exists()


def _draft(world: World, case: Case, clerk: Actor) -> Deed:
    taken = case.originals.count()
    mailed = list(
        case.materials.filter(requirement__form="original", originals__isnull=True).order_by("position")
    )
    if mailed and taken < MOST_ORIGINALS and world.dice.random() < 0.8:
        return _take_in(world, case, mailed[0], clerk)
    if case.mode != Mode.ONLINE and not case.identity_checks.exists():
        return Deed(
            name="identify",
            who=clerk.label,
            what=case.number,
            do=lambda: identify_by_sight(
                case=Case.objects.get(pk=case.pk),
                person=IdentityPerson.APPLICANT,
                document="护照",
                reason="外籍证件",
                actor=clerk,
                now=world.clock.now(),
            ),
        )
    if world.is_on_paper(case.number):
        page = upload_page(world, case, clerk)
        if page is not None:
            return page
    else:
        hand_in_pages(case, now=world.clock.now())
    points = points_of(case.item.review_points)
    if case.mode == Mode.WINDOW_ACCEPT and points and not case.answers.exists():
        given = {point.code: Answer(point.expect) for point in points}
        return Deed(
            name="answer points",
            who=clerk.label,
            what=case.number,
            do=lambda: answer_points(
                case=Case.objects.get(pk=case.pk), answers=given, actor=clerk, now=world.clock.now()
            ),
        )
    return _of_case(world, "submit", case, clerk, submit)


def _draft_online(world: World, case: Case, platform: Actor) -> Deed:
    """The platform files it; which of its papers the applicant has to send it says by their positions."""
    if world.is_on_paper(case.number):
        page = upload_page(world, case, platform)
        if page is not None:
            return page
    else:
        hand_in_pages(case, now=world.clock.now())
    positions = list(case.materials.order_by("position").values_list("position", flat=True))
    on_paper = [position for position in positions if world.dice.random() < 0.7]
    return Deed(
        name="submit online",
        who=platform.label,
        what=f"{case.number} on paper {on_paper}",
        do=lambda: submit(
            case=Case.objects.get(pk=case.pk), on_paper=on_paper, actor=platform, now=world.clock.now()
        ),
    )


def _take_in(world: World, case: Case, material: Material, clerk: Actor) -> Deed:
    handlings = list(case.handlings.order_by("-is_lead", "pk"))
    stops = world.dice.sample(handlings, world.dice.randint(1, len(handlings)))
    way = [handling.pk for handling in stops]
    verified = world.dice.random() < 0.5
    return Deed(
        name="take in original",
        who=clerk.label,
        what=f"{case.number} {material.name}",
        do=lambda: take_in_original(
            material=Material.objects.select_related("case").get(pk=material.pk),
            name="",
            verified=verified,
            actor=clerk,
            now=world.clock.now(),
            way=[Handling.objects.select_related("office").get(pk=pk) for pk in way],
        ),
    )


def _accept(world: World, case: Case, clerk: Actor) -> Deed | None:
    handling = case.handlings.filter(state=HandlingState.PENDING).first()
    if handling is None:
        return None
    return Deed(
        name="accept at window",
        who=clerk.label,
        what=case.number,
        do=lambda: accept(
            handling=Handling.objects.select_related("case", "office").get(pk=handling.pk),
            actor=clerk,
            now=world.clock.now(),
        ),
    )


def _open_to_notice(world: World, case: Case) -> Handling | None:
    """One of the handlings of which the window may say what is missing, if the office granted it."""
    handlings = case.handlings.select_related("case").order_by("pk")
    return world.one_of([handling for handling in handlings if may_still_notify(handling)])


def _notify(world: World, handling: Handling, clerk: Actor) -> Deed:
    pk = handling.pk
    return Deed(
        name="notify at window",
        who=clerk.label,
        what=handling.case.number,
        do=lambda: notify(
            handling=Handling.objects.select_related("case__item", "case__window", "office").get(pk=pk),
            reason="申请表缺少签名",
            actor=clerk,
            now=world.clock.now(),
        ),
    )


def _resubmit(world: World, case: Case, clerk: Actor) -> Deed | None:
    waiting = world.one_row(case.handlings.filter(state=HandlingState.SUPPLEMENT))
    if waiting is None:
        return None
    pk = waiting.pk
    return Deed(
        name="resubmit",
        who=clerk.label,
        what=case.number,
        do=lambda: resubmit(
            handling=Handling.objects.select_related("case", "office").get(pk=pk),
            actor=clerk,
            now=world.clock.now(),
        ),
    )


def _withdraw(world: World, case: Case, clerk: Actor) -> Deed:
    return Deed(
        name="withdraw",
        who=clerk.label,
        what=case.number,
        do=lambda: withdraw(
            case=Case.objects.get(pk=case.pk), reason="申请人撤回", actor=clerk, now=world.clock.now()
        ),
    )


def _of_case(world: World, name: str, case: Case, clerk: Actor, service: CaseService) -> Deed:
    return Deed(
        name=name,
        who=clerk.label,
        what=case.number,
        do=lambda: service(case=Case.objects.get(pk=case.pk), actor=clerk, now=world.clock.now()),
    )


def _applicant(number: int) -> Applicant:
    return Applicant(
        name=f"申请人{number}",
        phone=f"138{number:08d}",
        address=("诸暨市暨阳街道一号", "台州市椒江区二号", "莆田市城厢区三号")[number % 3],
    )
