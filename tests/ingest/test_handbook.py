"""一册 and 一集: what is reviewed goes into the next edition, which then never changes; examples carry nobody's data."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from ingest.models import Case, Example, HandbookEdition, HandbookEntry, Problem
from ingest.rules import CaseState
from ingest.services.examples import ExampleWords, decide_example, propose_example
from ingest.services.handbook import (
    edition_pdf,
    publish_edition,
    read_handbook,
    review_entry,
    standing,
)
from registry.models import Event, ServiceCentre
from registry.paper.issue import print_slip
from registry.permissions import NotYours
from registry.rules.handbook import EntryState, ExampleState
from registry.time import local_day
from storage.errors import Refused
from tests.cast import APPLICANT, NOW, Cast, assemble, further_on, open_case

MAY = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
WORDS = ExampleWords(
    "一次收件，两地同办", "企业在外地迁址，材料分在两处。", "窗口代办，原件到付寄出。", "少跑一趟。"
)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def entry(cast: Cast, question: str = "章程要原件吗", state: EntryState = EntryState.READY) -> HandbookEntry:
    problem = Problem.objects.create(
        number=f"WT-{Problem.objects.count()}",
        kind="material",
        state="solved",
        owner_office=cast.taizhou,
        due_on=local_day(NOW),
        created_at=NOW,
    )
    return HandbookEntry.objects.create(
        problem=problem,
        kind="material",
        item=cast.item,
        question=question,
        answer="复印件即可",
        state=state.value,
    )


def publish(cast: Cast, now: datetime = NOW) -> HandbookEdition:
    centre = ServiceCentre.objects.get(code="centre-331000")
    return publish_edition(centre=centre, actor=cast.administrator, now=now)


def closed(cast: Cast) -> Case:
    return further_on(open_case(cast), CaseState.CLOSED, closed_at=NOW)


def test_only_what_an_editor_reviewed_is_published(cast: Cast) -> None:
    draft = entry(cast, "甲问", EntryState.DRAFT)
    entry(cast, "乙问", EntryState.DROPPED)
    with pytest.raises(Refused, match="还没有已审定的问答"):
        publish(cast)
    review_entry(
        entry=draft, question="甲问？", answer="甲答。", decision="ready", actor=cast.administrator, now=NOW
    )
    publish(cast)
    shelf = read_handbook(key="", text="", actor=cast.clerk)
    assert shelf is not None
    assert [(row.chapter, row.question, row.answer) for row in shelf.answers] == [
        ("材料不同", "甲问？", "甲答。")
    ]
    assert shelf.number == "通办册字〔2026〕00001号"


def test_an_answer_that_was_taken_back_is_not_taken_in(cast: Cast) -> None:
    dropped = entry(cast, state=EntryState.DROPPED)
    Problem.objects.update(state="reopened")
    with pytest.raises(Refused, match="重新打开"):
        review_entry(
            entry=dropped, question="问", answer="答", decision="ready", actor=cast.administrator, now=NOW
        )
    dropped.refresh_from_db()
    assert dropped.state == EntryState.DROPPED
    assert not Event.objects.filter(kind="handbook.reviewed").exists()


def test_an_edition_belongs_to_may_or_november_and_comes_out_once(cast: Cast) -> None:
    entry(cast)
    assert standing(local_day(NOW)).edition.label == "2025年11月版"
    assert standing(local_day(NOW)).late
    assert publish(cast).label == "2025年11月版"
    with pytest.raises(Refused, match="2025年11月版已经出版"):
        publish(cast, NOW + timedelta(days=1))
    assert standing(local_day(NOW)).published
    assert publish(cast, MAY).label == "2026年5月版"
    assert [edition.key for edition in HandbookEdition.objects.all()] == ["2026-05", "2025-11"]


@pytest.mark.usefixtures("objects")
def test_an_older_edition_stays_as_it_was_printed(cast: Cast) -> None:
    kept = entry(cast, "章程要原件吗")
    first = publish(cast)
    assert first.slip is not None
    before = edition_pdf(key="2025-11", actor=cast.officer)[1]
    slip = print_slip(slip=first.slip, now=NOW)
    assert slip.sha256 == hashlib.sha256(before).hexdigest(), "the same bytes before and after it was kept"
    review_entry(
        entry=kept,
        question="章程怎么交",
        answer="扫描件",
        decision="ready",
        actor=cast.administrator,
        now=MAY,
    )
    publish(cast, MAY)
    old, new = (read_handbook(key=key, text="", actor=cast.clerk) for key in ("2025-11", ""))
    assert old is not None
    assert new is not None
    assert (old.answers[0].question, new.answers[0].question) == ("章程要原件吗", "章程怎么交")
    assert edition_pdf(key="2025-11", actor=cast.officer)[1] == before


def test_the_handbook_is_searched_by_every_word(cast: Cast) -> None:
    entry(cast, "章程要原件吗")
    entry(cast, "周末收件吗")
    publish(cast)

    def found(text: str) -> list[str]:
        shelf = read_handbook(key="", text=text, actor=cast.clerk)
        assert shelf is not None
        return [row.question for row in shelf.answers]

    assert found("章程 复印件") == ["章程要原件吗"]
    assert found("资质 周末") == ["周末收件吗"], "the item's name counts too"
    assert found("章程 周末") == []
    assert read_handbook(key="1999-05", text="", actor=cast.clerk) is None


def test_a_question_for_everybody_names_nobody(cast: Cast) -> None:
    draft = entry(cast, state=EntryState.DRAFT)
    with pytest.raises(Refused, match="手机号码"):
        review_entry(
            entry=draft,
            question="问",
            answer="打 13800138000",
            decision="ready",
            actor=cast.administrator,
            now=NOW,
        )
    assert HandbookEntry.objects.get().state == EntryState.DRAFT


@pytest.mark.parametrize("who", ["clerk", "officer", "finance", "auditor"])
def test_only_the_editor_edits(who: str, cast: Cast) -> None:
    actor, draft = getattr(cast, who), entry(cast)
    centre = ServiceCentre.objects.get(code="centre-331000")
    with pytest.raises(NotYours):
        review_entry(entry=draft, question="问", answer="答", decision="ready", actor=actor, now=NOW)
    with pytest.raises(NotYours):
        publish_edition(centre=centre, actor=actor, now=NOW)


def test_finance_and_audit_have_no_part_in_the_handbook(cast: Cast) -> None:
    entry(cast)
    publish(cast)
    for actor in (cast.finance, cast.auditor):
        with pytest.raises(NotYours):
            read_handbook(key="", text="", actor=actor)
        with pytest.raises(NotYours):
            edition_pdf(key="", actor=actor)


def test_a_closed_case_is_told_approved_and_goes_with_the_handbook(cast: Cast) -> None:
    example = propose_example(case=closed(cast), words=WORDS, actor=cast.clerk, now=NOW)
    assert (example.state, example.place) == ("proposed", cast.zhuji.name)
    entry(cast)
    decide_example(example=example, approved=True, reason="", actor=cast.administrator, now=NOW)
    publish(cast)
    shelf = read_handbook(key="", text="迁址", actor=cast.officer)
    assert shelf is not None
    (told,) = shelf.examples
    assert (told.title, told.item) == (WORDS.title, cast.item.name)
    assert example.case.number not in str(told)


def test_a_running_case_is_no_example(cast: Cast) -> None:
    with pytest.raises(Refused, match="归结后才能提为案例"):
        propose_example(case=open_case(cast), words=WORDS, actor=cast.clerk, now=NOW)


@pytest.mark.parametrize(
    "leak",
    [
        APPLICANT.name,
        APPLICANT.address,
        "91330681 MA2XW00000",
        "13912345678",
        "331002199003077736",
    ],
)
def test_nothing_of_the_applicant_is_carried_over(leak: str, cast: Cast) -> None:
    words = ExampleWords(WORDS.title, f"{WORDS.situation}{leak}", WORDS.solution, WORDS.effect)
    with pytest.raises(Refused) as refused:
        propose_example(case=closed(cast), words=words, actor=cast.clerk, now=NOW)
    assert leak not in refused.value.message
    assert not Example.objects.exists()


def test_a_rejected_one_says_why_and_may_be_mended(cast: Cast) -> None:
    case = closed(cast)
    example = propose_example(case=case, words=WORDS, actor=cast.clerk, now=NOW)
    with pytest.raises(Refused, match="请等待审定"):
        propose_example(case=case, words=WORDS, actor=cast.clerk, now=NOW)
    with pytest.raises(Refused, match="写明理由"):
        decide_example(example=example, approved=False, reason=" ", actor=cast.administrator, now=NOW)
    decide_example(example=example, approved=False, reason="做法写得太略", actor=cast.administrator, now=NOW)
    with pytest.raises(Refused, match="刚刚已被处理"):
        decide_example(example=example, approved=True, reason="", actor=cast.administrator, now=NOW)
    again = propose_example(case=case, words=WORDS, actor=cast.clerk, now=NOW)
    assert (again.pk, again.state, again.reason) == (example.pk, ExampleState.PROPOSED, "")
    assert Event.objects.filter(kind="example.proposed").count() == 2


def test_strangers_neither_propose_nor_decide(cast: Cast) -> None:
    case = closed(cast)
    for actor in (cast.other_clerk, cast.other_officer, cast.finance, cast.administrator):
        with pytest.raises(NotYours):
            propose_example(case=case, words=WORDS, actor=actor, now=NOW)
    example = propose_example(case=case, words=WORDS, actor=cast.officer, now=NOW)
    for actor in (cast.clerk, cast.officer, cast.auditor):
        with pytest.raises(NotYours):
            decide_example(example=example, approved=True, reason="", actor=actor, now=NOW)
