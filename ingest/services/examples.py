"""一集: proposing a closed case as an example in words that name nobody, and deciding whether it is taken in."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from ingest.models import Case, Example
from ingest.rules import CaseState
from registry.actors import Actor
from registry.events import record
from registry.models import Office, Window
from registry.permissions import check_may
from registry.rules.handbook import ExampleState, check_nothing_personal
from registry.rules.talk import checked_words, fitting
from storage.errors import Refused


@dataclass(frozen=True)
class ExampleWords:
    """What somebody wrote about the case; nothing is taken from the case itself."""

    title: str
    situation: str
    solution: str
    effect: str


def propose_example(*, case: Case, words: ExampleWords, actor: Actor, now: datetime) -> Example:
    """及时对经典的“跨区域通办”案例进行总结 (taizhou-2023 §三(三)1). One proposal for each case; a rejected one may be mended."""
    check_may(actor, "example.propose", case)
    if case.state != CaseState.CLOSED:
        raise Refused("example_state", "办件归结后才能提为案例。")
    told = _checked(words, case)
    with transaction.atomic():
        example, fresh = Example.objects.get_or_create(
            case=case,
            defaults={**told, "place": _place(actor), "proposed_by": actor.label, "proposed_at": now},
        )
        if not fresh:
            again = Example.objects.filter(pk=example.pk, state=ExampleState.REJECTED).update(
                **told,
                state=ExampleState.PROPOSED,
                place=_place(actor),
                proposed_by=actor.label,
                proposed_at=now,
                reason="",
            )
            if not again:
                raise Refused("example_known", "这件已经提为案例，请等待审定。")
            example.refresh_from_db()
        record(kind="example.proposed", actor=actor, subject=example, now=now, case_number=case.number)
    return example


def decide_example(*, example: Example, approved: bool, reason: str, actor: Actor, now: datetime) -> Example:
    """The editor takes it into the collection, or says why not."""
    check_may(actor, "handbook.edit", example)
    reason = fitting(reason, what="不收录的理由")
    if not approved and not reason:
        raise Refused("example_reason", "不收录请写明理由，提出人可以修改后再提。")
    target = ExampleState.APPROVED if approved else ExampleState.REJECTED
    with transaction.atomic():
        moved = Example.objects.filter(pk=example.pk, state=ExampleState.PROPOSED).update(
            state=target, decided_by=actor.label, decided_at=now, reason=reason
        )
        if not moved:
            raise Refused("stale", "这个案例刚刚已被处理，请刷新页面。")
        record(
            kind="example.decided",
            actor=actor,
            subject=example,
            now=now,
            data={"state": target.value},
        )
    example.refresh_from_db()
    return example


def approved_examples() -> QuerySet[Example]:
    """The collection, oldest first; the case is known by its item alone."""
    return Example.objects.filter(state=ExampleState.APPROVED).select_related("case__item").order_by("pk")


def _checked(words: ExampleWords, case: Case) -> dict[str, str]:
    """The four texts without anything by which the applicant could be known."""
    told = {
        "title": checked_words(words.title, what="标题", longest=60),
        "situation": checked_words(words.situation, what="情况"),
        "solution": checked_words(words.solution, what="做法"),
        "effect": checked_words(words.effect, what="成效"),
    }
    known = (case.applicant_name, case.applicant_id_number, case.applicant_phone, case.applicant_address)
    for text in told.values():
        check_nothing_personal(text, known=(*known, case.number), what="案例")
    return told


def _place(actor: Actor) -> str:
    if actor.window_id is not None:
        return Window.objects.get(pk=actor.window_id).name
    if actor.office_id is not None:
        return Office.objects.get(pk=actor.office_id).name
    return actor.label
