"""Results as files: offices issue them and take wrong ones back, applicants choose otherwise and fetch, windows look."""

import io
import time

from django.db.models import QuerySet

from config.simulation.acts.paperwork import draw_page
from config.simulation.world import Deed, World
from ingest.models import Case, Handling, ResultFile
from ingest.rules import ENDED, CaseState, HandlingState
from ingest.services.choosing import change_choices, may_still_choose
from ingest.services.results import (
    attach_result,
    fetch_by_slip,
    keep_result,
    look_at_result,
    void_result,
)
from ingest.slips import receipt_of
from registry.actors import SYSTEM, Actor
from registry.models import Slip
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.terms import Delivery, Mode
from registry.tokens import Purpose, write
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import store_bytes

DECIDED = (CaseState.DECIDED.value, CaseState.DELIVERING.value)
ISSUED_AT = time.gmtime(0)
"""Written into each issued file, so that the same seed issues the same bytes."""


def work_on_result(world: World) -> Deed | None:
    """An officer issues a file where one is owed, and now and then beside a paper or as a second; or takes one back."""
    officer = world.dice.choice(world.people.officers)
    decided = Handling.objects.filter(office=officer.office_id, state=HandlingState.DECIDED.value)
    handling = world.one_row(decided.exclude(case__state__in=sorted(ENDED)).select_related("case", "office"))
    if handling is None:
        return None
    standing = handling.result_files.filter(voided_at__isnull=True)
    file = standing.filter(fetched_at__isnull=True).order_by("pk").first()
    if file is not None and world.chance(0.1):
        return _take_back(world, handling, file, officer)
    owed = handling.case.delivery == Delivery.ELECTRONIC and handling.decision == "approved"
    if (owed and not standing.exists()) or world.chance(0.02):
        return _issue(world, handling, officer)
    return None


def fetch(world: World) -> Deed | None:
    """The applicant fetches what lies ready, with the slip and the whole number, or at the platform; some mistype."""
    file = world.one_row(_unfetched())
    if file is None:
        return None
    case = file.handling.case
    if case.delivery != Delivery.ELECTRONIC and not world.chance(0.1):
        return None
    if case.mode == Mode.ONLINE and world.dice.random() < 0.5:
        return _look(world, "fetch at platform", case, file, world.people.platform_of(case.window_id))
    wrong = world.chance(0.08)
    phone = "13900000000" if wrong else case.applicant_phone
    pk = file.pk

    def do() -> None:
        now = world.clock.now()
        fetch_by_slip(token=_slip_of(world, case.pk), phone=phone, pk=pk, caller=f"case {case.pk}", now=now)

    about = f"{case.number} {file.name}{', wrong number' if wrong else ''}"
    return Deed("fetch result", "applicant", about, do)


def look(world: World) -> Deed | None:
    """A window or an office opens a file, which delivers nothing."""
    file = world.one_row(ResultFile.objects.select_related("handling__case"))
    if file is None or not world.chance(0.3):
        return None
    clerk = next(one for one in world.people.clerks if one.window_id == file.handling.case.window_id)
    officer = next(one for one in world.people.officers if one.office_id == file.handling.office_id)
    return _look(world, "look at result", file.handling.case, file, world.dice.choice((clerk, officer)))


def choose(world: World) -> Deed | None:
    """An applicant wants the result in another way than before."""
    clerk = world.dice.choice(world.people.clerks)
    open_ones = Case.objects.filter(window=clerk.window_id).exclude(state__in=sorted(ENDED))
    case = world.one_row(open_ones)
    if case is None or not world.chance(0.15):
        return None
    if not may_still_choose(case) and not world.chance(0.1):
        return None
    wanted = world.dice.choice([one for one in Delivery if one != case.delivery])
    return Deed(
        name="change choice",
        who=clerk.label,
        what=f"{case.number} {wanted.value}",
        do=lambda: change_choices(
            case=Case.objects.get(pk=case.pk),
            delivery=wanted.value,
            agent_consent=True,
            actor=clerk,
            now=world.clock.now(),
        ),
    )


def _unfetched() -> QuerySet[ResultFile]:
    """What may be fetched, and is not; in 多地联办 the others are still held, and asking for them is refused."""
    lying = ResultFile.objects.filter(voided_at__isnull=True, fetched_at__isnull=True)
    return lying.filter(handling__case__state__in=DECIDED).select_related("handling__case")


def _issue(world: World, handling: Handling, officer: Actor) -> Deed:
    pk, count = handling.pk, handling.result_files.count()
    case = handling.case
    content = _pdf(f"{case.number} {handling.office.code} {count + 1}")
    looked_at = world.is_on_paper(case.number)

    def do() -> None:
        now = world.clock.now()
        stored = _keep(world, content, looked_at=looked_at)
        world.issued.add(stored.sha256)
        attach_result(
            handling=Handling.objects.select_related("case", "office").get(pk=pk),
            name="电子证照",
            stored=stored,
            actor=officer,
            now=now,
        )

    return Deed("attach result", officer.label, f"{case.number} {count + 1}", do)


def _take_back(world: World, handling: Handling, file: ResultFile, officer: Actor) -> Deed:
    pk = file.pk
    return Deed(
        name="void result",
        who=officer.label,
        what=f"{handling.case.number} {file.name}",
        do=lambda: void_result(file=_fresh(pk), actor=officer, now=world.clock.now()),
    )


def _look(world: World, name: str, case: Case, file: ResultFile, actor: Actor) -> Deed:
    pk = file.pk
    return Deed(
        name=name,
        who=actor.label,
        what=f"{case.number} {file.name}",
        do=lambda: look_at_result(file=_fresh(pk), actor=actor, now=world.clock.now()),
    )


def _keep(world: World, content: bytes, *, looked_at: bool) -> StoredObject:
    """Looked at by the limited child for the few cases with real pages, as it takes a while; else only kept."""
    now = world.clock.now()
    if not looked_at:
        return store_bytes(content=content, kind=Kind.RESULT, media_type="application/pdf", now=now)
    with scratch("simulated") as folder:
        path = folder / "result.pdf"
        path.write_bytes(content)
        return keep_result(path=path, now=now)


def _slip_of(world: World, case_pk: int) -> str:
    """The code on the receipt, which is numbered now where none of its pages is played."""
    case = Case.objects.select_related("item", "window").get(pk=case_pk)
    known = Slip.objects.filter(case_number=case.number, kind=SlipKind.RECEIPT.value).first()
    if known is None:
        data = receipt_of(case, received_at=world.clock.now())
        known = issue(
            kind=SlipKind.RECEIPT,
            subject=case,
            data=data,
            actor=SYSTEM,
            now=world.clock.now(),
            window=case.window,
        )
    return write(Purpose.SLIP, known.code).text


def _pdf(words: str) -> bytes:
    written = io.BytesIO()
    draw_page(words).save(written, format="PDF", creationDate=ISSUED_AT, modDate=ISSUED_AT)
    return written.getvalue()


def _fresh(pk: int) -> ResultFile:
    return ResultFile.objects.select_related("handling__case", "handling__office", "stored").get(pk=pk)
