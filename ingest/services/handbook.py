"""一册: reviewing questions and answers, publishing an edition each May and November, reading them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from ingest.models import HandbookEdition, HandbookEntry
from ingest.services.examples import approved_examples
from registry.actors import Actor
from registry.events import record
from registry.models import ServiceCentre
from registry.paper.issue import issue, slip_pdf
from registry.paper.kinds import SlipKind
from registry.paper.slips import Handbook, HandbookAnswer, HandbookExample
from registry.permissions import check_may
from registry.rules.handbook import Edition, EntryState, edition_for, is_late
from registry.rules.problems import ProblemKind, ProblemState
from registry.rules.talk import checked_words
from registry.time import local_day
from storage.errors import Refused

LONGEST = 2000
_DECIDED = {"ready": EntryState.READY, "drop": EntryState.DROPPED, "save": EntryState.DRAFT}


@dataclass(frozen=True)
class Shelf:
    """One edition as it is read: what a search left of it, and how many there are in all."""

    edition: HandbookEdition
    number: str
    answers: list[HandbookAnswer]
    examples: list[HandbookExample]
    entries: int


@dataclass(frozen=True)
class Standing:
    """Where the handbook stands today: the edition whose turn it is, whether it is out, and since when it should be."""

    edition: Edition
    published: bool
    late: bool
    ready: int
    drafts: int


def review_entry(
    *, entry: HandbookEntry, question: str, answer: str, decision: str, actor: Actor, now: datetime
) -> HandbookEntry:
    """An editor puts a question and its answer into words that help anybody, and takes them in or not.

    Refused while the report it came of is open again: the answer was taken back.
    """
    check_may(actor, "handbook.edit", entry)
    if decision not in _DECIDED:
        raise Refused("entry_decision", "请选择收录、不收录或只保存。")
    state = _DECIDED[decision]
    changes = {
        "question": checked_words(question, what="问题", longest=LONGEST),
        "answer": checked_words(answer, what="解答", longest=LONGEST),
        "state": state,
        "edited_by": actor.label,
        "edited_at": now,
    }
    with transaction.atomic():
        solved = HandbookEntry.objects.filter(pk=entry.pk, problem__state=ProblemState.SOLVED)
        if not solved.update(**changes):
            raise Refused("entry_reopened", "反馈单已重新打开，原答复不再有效，等再次解决后再审定。")
        record(
            kind="handbook.reviewed",
            actor=actor,
            subject=entry,
            now=now,
            data={"state": state.value},
        )
    entry.refresh_from_db()
    return entry


def publish_edition(*, centre: ServiceCentre, actor: Actor, now: datetime) -> HandbookEdition:
    """每年5月、11月编制更新通办常见问题解答知识手册 (taizhou-2023 §三(三)1): all that is ready, frozen and numbered."""
    check_may(actor, "handbook.edit")
    edition = edition_for(local_day(now))
    entries = list(_ready())
    if not entries:
        raise Refused("edition_empty", "还没有已审定的问答，先审定几条再出版。")
    with transaction.atomic():
        made, fresh = HandbookEdition.objects.get_or_create(
            year=edition.year,
            month=edition.month,
            defaults={"published_by": actor.label, "published_at": now},
        )
        if not fresh:
            raise Refused("edition_known", f"{edition.label}已经出版，旧版不改；新审定的问答收入下一版。")
        slip = issue(
            kind=SlipKind.HANDBOOK,
            subject=made,
            data=_content(edition, entries, issuer=centre.name),
            actor=actor,
            now=now,
            centre=centre,
        )
        HandbookEdition.objects.filter(pk=made.pk).update(slip=slip)
        record(
            kind="handbook.published",
            actor=actor,
            subject=made,
            now=now,
            data={"edition": edition.key, "number": slip.number, "entries": len(entries)},
        )
    made.refresh_from_db()
    return made


def read_handbook(*, key: str, text: str, actor: Actor) -> Shelf | None:
    """An edition ("2026-05", empty for the newest) with what holds every word of the search; None before the first."""
    check_may(actor, "handbook.read")
    edition = _edition(key)
    if edition is None or edition.slip is None:
        return None
    content = Handbook.model_validate(edition.slip.data)
    words = text.upper().split()
    return Shelf(
        edition=edition,
        number=content.number,
        answers=[
            row for row in content.answers if _holds(words, row.question, row.answer, row.chapter, row.item)
        ],
        examples=[
            row
            for row in content.examples
            if _holds(words, row.title, row.situation, row.solution, row.effect)
        ],
        entries=len(content.answers),
    )


def edition_pdf(*, key: str, actor: Actor) -> tuple[HandbookEdition, bytes]:
    """The edition as PDF. Raises Refused when there is none."""
    check_may(actor, "handbook.read")
    edition = _edition(key)
    if edition is None or edition.slip is None:
        raise Refused("edition_none", "这一版手册还没有出版。")
    return edition, slip_pdf(edition.slip)


def standing(today: date) -> Standing:
    """What the editor has before them, in three queries."""
    edition = edition_for(today)
    published = HandbookEdition.objects.filter(year=edition.year, month=edition.month).exists()
    return Standing(
        edition=edition,
        published=published,
        late=not published and is_late(edition, today),
        ready=HandbookEntry.objects.filter(state=EntryState.READY).count(),
        drafts=HandbookEntry.objects.filter(state=EntryState.DRAFT).count(),
    )


def _ready() -> QuerySet[HandbookEntry]:
    rows = HandbookEntry.objects.filter(state=EntryState.READY).select_related("item")
    return rows.order_by("kind", "item__name", "pk")


def _content(edition: Edition, entries: list[HandbookEntry], *, issuer: str) -> Handbook:
    order = [kind.value for kind in ProblemKind]
    return Handbook(
        issuer=issuer,
        edition=edition.label,
        answers=tuple(
            HandbookAnswer(
                chapter=ProblemKind(entry.kind).label,
                item=entry.item.name if entry.item else "",
                question=entry.question,
                answer=entry.answer,
            )
            for entry in sorted(entries, key=lambda entry: order.index(entry.kind))
        ),
        examples=tuple(
            HandbookExample(
                title=example.title,
                item=example.case.item.name,
                place=example.place,
                situation=example.situation,
                solution=example.solution,
                effect=example.effect,
            )
            for example in approved_examples()
        ),
    )


def _edition(key: str) -> HandbookEdition | None:
    editions = HandbookEdition.objects.select_related("slip__stored")
    if not key:
        return editions.first()
    year, _, month = key.partition("-")
    if not (year.isdecimal() and month.isdecimal()):
        return None
    return editions.filter(year=int(year[:4]), month=int(month[:2])).first()


def _holds(words: list[str], *texts: str) -> bool:
    whole = "\n".join(texts).upper()
    return all(word in whole for word in words)
