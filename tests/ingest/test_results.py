"""电子送达: the office issues a file, the applicant fetches it with the slip and the whole phone number, and the case is over."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from ingest.models import Case, Handling, ResultFile
from ingest.rules import CaseState, HandlingState, NotNow, PartFacts, without_electronic_result
from ingest.services.choosing import change_choices, may_still_choose
from ingest.services.delivery import close, start_delivery
from ingest.services.enquiring import LockedOut, NoMatch
from ingest.services.handlings import accept, decide, pre_review
from ingest.services.intake import submit
from ingest.services.results import (
    MOST_FILES,
    attach_result,
    fetch_by_slip,
    files_to_fetch,
    keep_result,
    look_at_result,
    void_result,
)
from ingest.slips import receipt_of
from registry.actors import SYSTEM, Actor
from registry.models import Event, Slip
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.permissions import NotYours
from registry.terms import Delivery, Mode, Role
from registry.tokens import Purpose, write
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.services import open_verified, store_bytes
from tests.cast import APPLICANT, NOW, Cast, assemble, open_case
from tests.ingest.hostile import pdf_with_text
from tests.ingest.paper import hand_in_everything, picture
from workers.reactions import find, jobs_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
HERE = "192.0.2.1"


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """Accepted; its applicant wants the result as a file."""
    case = open_case(cast)
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    pre_review(handling=part(case), actor=cast.officer, now=NOW)
    accept(handling=part(case), actor=cast.officer, now=NOW)
    change_choices(case=case, delivery=Delivery.ELECTRONIC, agent_consent=True, actor=cast.clerk, now=NOW)
    return Case.objects.get(pk=case.pk)


def part(case: Case, office: str = "331000-zjj") -> Handling:
    return case.handlings.select_related("case", "office").get(office__code=office)


def decided(case: Case, cast: Cast, *, approved: bool = True, paper: str = "") -> None:
    decide(handling=part(case), approved=approved, result_name=paper, actor=cast.officer, now=NOW)


def stored(content: str = "licence") -> StoredObject:
    """Kept without the look that `keep_result` takes: what these tests are about comes after it."""
    return store_bytes(content=content.encode(), kind=Kind.RESULT, media_type="application/pdf", now=NOW)


def attached(case: Case, cast: Cast, content: str = "licence") -> ResultFile:
    return attach_result(
        handling=part(case), name="施工许可证", stored=stored(content), actor=cast.officer, now=NOW
    )


def work(kind: str) -> None:
    """What our own processes do about every event of a kind, slips aside."""
    for event in Event.objects.filter(kind=kind).order_by("pk"):
        for name, piece in jobs_of(event):
            if name in {"offer_results", "close_fetched", "close_delivered"}:
                find(name).do(event, piece, NOW)


def state(case: Case) -> str:
    return Case.objects.get(pk=case.pk).state


def token_of(case: Case) -> str:
    data = receipt_of(case, received_at=NOW)
    slip: Slip = issue(kind=SlipKind.RECEIPT, subject=case, data=data, actor=SYSTEM, now=NOW)
    return write(Purpose.SLIP, slip.code).text


def fetch(case: Case, file: ResultFile, phone: str = APPLICANT.phone) -> ResultFile:
    return fetch_by_slip(token=token_of(case), phone=phone, pk=file.pk, caller=HERE, now=NOW)


def test_the_file_lies_ready_is_fetched_and_the_case_is_closed(case: Case, cast: Cast) -> None:
    decided(case, cast)
    work("case.decided")
    assert state(case) == CaseState.DECIDED, "there is nothing to fetch yet"
    file = attached(case, cast)
    work("result.attached")
    assert state(case) == CaseState.DELIVERING
    taken = fetch(case, file)
    assert (taken.fetched_at, taken.fetched_by) == (NOW, "applicant")
    assert open_verified(taken.stored) == b"licence"
    work("result.fetched")
    assert state(case) == CaseState.CLOSED
    event = Event.objects.get(kind="result.fetched")
    assert (event.actor_kind, event.data["first"]) == ("applicant", True)


def test_the_tail_alone_opens_no_file_and_guessing_is_braked(case: Case, cast: Cast) -> None:
    decided(case, cast)
    file = attached(case, cast)
    with pytest.raises(Refused) as refused:
        fetch(case, file, phone=APPLICANT.phone[-4:])
    assert refused.value.code == "progress_phone"
    for _ in range(5):
        with pytest.raises(NoMatch):
            fetch(case, file, phone="139" + APPLICANT.phone[-8:])
    with pytest.raises(LockedOut):
        fetch(case, file)
    assert ResultFile.objects.get().fetched_at is None


def test_a_number_is_read_as_people_write_it(case: Case, cast: Cast) -> None:
    decided(case, cast)
    file = attached(case, cast)
    spaced = f"+86 {APPLICANT.phone[:3]} {APPLICANT.phone[3:7]}-{APPLICANT.phone[7:]}"
    assert fetch(case, file, phone=spaced) == file


def test_one_slip_opens_no_other_cases_file(case: Case, cast: Cast) -> None:
    decided(case, cast)
    file, other = attached(case, cast), open_case(cast)
    with pytest.raises(NotYours):
        fetch(other, file)


def test_a_window_does_not_deliver_what_nobody_can_fetch(case: Case, cast: Cast) -> None:
    decided(case, cast)
    with pytest.raises(NotNow, match="还没有上传电子结果") as refused:
        start_delivery(case=Case.objects.get(pk=case.pk), actor=cast.clerk, now=NOW)
    assert refused.value.code == "result_file_missing"
    attached(case, cast)
    start_delivery(case=Case.objects.get(pk=case.pk), actor=cast.clerk, now=NOW)
    # Handed over in another way: the window says so, and the case has an end.
    assert close(case=Case.objects.get(pk=case.pk), actor=cast.clerk, now=NOW).state == CaseState.CLOSED


def test_a_rejection_and_a_paper_need_no_file(case: Case, cast: Cast) -> None:
    decided(case, cast, approved=False)
    case.refresh_from_db()
    assert start_delivery(case=case, actor=cast.clerk, now=NOW).state == CaseState.DELIVERING


def test_whoever_granted_without_file_or_paper_is_named() -> None:
    def facts(office: str, **has: bool) -> PartFacts:
        return PartFacts(office, **{"approved": True, "has_paper": False, "has_file": False} | has)

    parts = [
        facts("甲"),
        facts("乙", has_file=True),
        facts("丙", has_paper=True),
        facts("丁", approved=False),
    ]
    assert without_electronic_result(parts) == ["甲"]


def test_the_choice_may_come_last(case: Case, cast: Cast) -> None:
    Case.objects.filter(pk=case.pk).update(delivery=Delivery.WINDOW)
    decided(case, cast)
    attached(case, cast)
    work("result.attached")
    assert state(case) == CaseState.DECIDED, "who comes to the window is not served by a file"
    held = Case.objects.get(pk=case.pk)
    change_choices(case=held, delivery=Delivery.ELECTRONIC, agent_consent=True, actor=cast.clerk, now=NOW)
    work("case.choices_changed")
    assert state(case) == CaseState.DELIVERING
    assert may_still_choose(Case.objects.get(pk=case.pk)), "nobody has fetched it yet"


def test_a_joint_result_is_fetched_when_every_office_has_decided(case: Case, cast: Cast) -> None:
    Case.objects.filter(pk=case.pk).update(mode=Mode.JOINT.value)
    other = Handling.objects.create(case=case, office=cast.wenling, state=HandlingState.PENDING)
    decided(case, cast)
    file = attached(case, cast)
    work("result.attached")
    assert not files_to_fetch(case).exists()
    with pytest.raises(NotYours):
        fetch(case, file)
    with pytest.raises(NotNow, match="等全部部门"):
        look_at_result(file=file, actor=cast.clerk, now=NOW)
    assert look_at_result(file=file, actor=cast.officer, now=NOW) == file.stored
    Handling.objects.filter(pk=other.pk).update(state=HandlingState.REFUSED)
    assert list(files_to_fetch(case)) == [file]


def test_what_was_wrong_is_taken_back_until_it_was_fetched(case: Case, cast: Cast) -> None:
    decided(case, cast)
    wrong = attached(case, cast, "wrong")
    work("result.attached")
    void_result(file=wrong, actor=cast.officer, now=NOW)
    with pytest.raises(NotYours):
        fetch(case, wrong)
    with pytest.raises(NotNow, match="还没有上传电子结果"):
        close(case=Case.objects.get(pk=case.pk), actor=cast.clerk, now=NOW)
    right = attached(case, cast, "right")
    fetch(case, right)
    with pytest.raises(NotNow) as refused:
        void_result(file=right, actor=cast.officer, now=NOW)
    assert refused.value.code == "result_fetched"


def test_the_same_bytes_twice_are_one_file_and_there_is_a_limit(case: Case, cast: Cast) -> None:
    with pytest.raises(NotNow, match="作出决定后"):
        attached(case, cast)
    decided(case, cast)
    assert attached(case, cast) == attached(case, cast)
    for number in range(MOST_FILES - 1):
        attached(case, cast, f"part {number}")
    with pytest.raises(NotNow, match="最多上传"):
        attached(case, cast, "one too many")
    assert Event.objects.filter(kind="result.attached").count() == MOST_FILES


def test_a_name_names_no_persons_number(case: Case, cast: Cast) -> None:
    decided(case, cast)
    for name in ("", "许可证 13800138000"):
        with pytest.raises(Refused, match="电子结果的名称"):
            attach_result(handling=part(case), name=name, stored=stored(), actor=cast.officer, now=NOW)


def test_a_platform_that_takes_it_takes_it_for_the_applicant(case: Case, cast: Cast) -> None:
    decided(case, cast)
    file = attached(case, cast)
    work("result.attached")
    platform = Actor(
        "integration",
        "k",
        "平台",
        Role.INTEGRATION.value,
        scopes=frozenset({"platform"}),
        window_id=cast.zhuji.pk,
    )
    look_at_result(file=file, actor=platform, now=NOW)
    work("result.fetched")
    assert ResultFile.objects.get().fetched_by == "platform"
    assert state(case) == CaseState.CLOSED


def test_a_window_and_an_office_look_without_delivering(case: Case, cast: Cast) -> None:
    decided(case, cast)
    file = attached(case, cast)
    for actor in (cast.clerk, cast.officer):
        look_at_result(file=file, actor=actor, now=NOW)
    assert ResultFile.objects.get().fetched_at is None
    assert Event.objects.filter(kind="result.looked_at").count() == 2
    for stranger in (cast.other_clerk, cast.other_officer, cast.finance, cast.administrator):
        with pytest.raises(NotYours):
            look_at_result(file=file, actor=stranger, now=NOW)


def test_an_issued_file_is_a_pdf_kept_byte_for_byte(tmp_path: Path) -> None:
    issued = pdf_with_text(tmp_path / "licence.pdf", "LICENCE")
    kept = keep_result(path=issued, now=NOW)
    assert open_verified(kept) == issued.read_bytes()
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(picture("a photo of it"))
    with pytest.raises(Refused, match="PDF"):
        keep_result(path=photo, now=NOW)


def test_what_was_issued_is_not_rewritten(case: Case, cast: Cast, append_only: None) -> None:
    decided(case, cast)
    file = attached(case, cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        ResultFile.objects.filter(pk=file.pk).update(name="别的")
    with pytest.raises(IntegrityError), transaction.atomic():
        ResultFile.objects.filter(pk=file.pk).delete()
