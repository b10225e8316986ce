"""沟通: writing to the other side about a case, taking it back, reading it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ingest.models import Case, Message, Retraction, Thread, ThreadSeen
from ingest.rules import ENDED, CaseState
from registry.actors import SYSTEM, Actor
from registry.events import record
from registry.masking import mask_numbers_in, numbers_of_persons_in
from registry.models import Office, Window
from registry.permissions import NotYours, check_may, visible, yours
from registry.rules.talk import Side, checked_words, phase_of
from storage.errors import Refused

OVER = ENDED | {CaseState.DECIDED, CaseState.DELIVERING}


@dataclass(frozen=True)
class Line:
    """One message as a reader sees it; `words` is empty when it was taken back, `hidden` when numbers are masked."""

    message: Message
    words: str
    hidden: bool
    retracted_by: str
    retracted_at: datetime | None
    mine: bool


@dataclass(frozen=True)
class Talk:
    """What was said about a case, oldest first; `unread` counts what this reader had not seen before."""

    case: Case
    lines: list[Line]
    unread: int


def write_message(
    *, case: Case, text: str, actor: Actor, now: datetime, keep_numbers: bool = False
) -> Message:
    """Say something about the case (taizhou-2023 §三(二)2). The event tells that, not what, was said."""
    thread = Thread.objects.filter(case=case).first()
    check_may(actor, "thread.write", thread or case)
    side, place = _speaker(actor)
    words = checked_words(text, keep_numbers=keep_numbers)
    with transaction.atomic():
        thread, _ = Thread.objects.get_or_create(
            case=case, defaults={"last_at": now, "last_side": side.value}
        )
        message = _add(thread, side, place, words, actor, now)
        _mark_seen(thread, actor, message.pk)
        record(
            kind="message.written",
            actor=actor,
            subject=message,
            now=now,
            case_number=case.number,
            data={"phase": message.phase, "side": side.value, "personal": message.personal},
        )
    return message


def tell_thread(*, case: Case, place: str, words: str, now: datetime) -> Message:
    """A line that nobody wrote, read by both sides like any other. Call inside the transaction of the change that it tells,
    and beside the event about it.
    """
    thread, _ = Thread.objects.get_or_create(
        case=case, defaults={"last_at": now, "last_side": Side.SYSTEM.value}
    )
    return _add(thread, Side.SYSTEM, place, words, SYSTEM, now)


def retract_message(*, message: Message, actor: Actor, now: datetime) -> Retraction:
    """撤回: only who wrote it; that it was there and by whom it was taken back stays visible."""
    check_may(actor, "thread.write", message)
    if message.by_id != actor.id:
        raise Refused("message_others", "只能撤回自己写的留言，请联系留言人撤回。")
    with transaction.atomic():
        retraction, fresh = Retraction.objects.get_or_create(
            message=message, defaults={"by": actor.label, "at": now}
        )
        if fresh:
            record(
                kind="message.retracted",
                actor=actor,
                subject=message,
                now=now,
                case_number=message.thread.case.number,
            )
    return retraction


def read_talk(*, case: Case, actor: Actor, mark: bool = True) -> Talk:
    """The talk about a case, numbers of persons masked. `mark` says that it now has been read."""
    thread = Thread.objects.filter(case=case).first()
    if thread is None:
        check_may(actor, "thread.see", case)
        return Talk(case, [], 0)
    check_may(actor, "thread.see", thread)
    messages = list(thread.messages.select_related("retraction").order_by("pk"))
    seen = ThreadSeen.objects.filter(thread=thread, user_id=int(actor.id)).values_list("message", flat=True)
    last = seen.first() or 0
    unread = sum(message.pk > last and message.by_id != actor.id for message in messages)
    if mark and messages and last < messages[-1].pk:
        _mark_seen(thread, actor, messages[-1].pk)
    return Talk(case, [_line(message, actor) for message in messages], unread)


def reveal_message(*, message: Message, actor: Actor, now: datetime) -> str:
    """The words with the numbers that were left in them. Every look is an entry in the case's timeline."""
    check_may(actor, "thread.see", message)
    if Retraction.objects.filter(message=message).exists():
        raise Refused("message_retracted", "这条留言已经撤回。")
    with transaction.atomic():
        record(
            kind="message.revealed",
            actor=actor,
            subject=message,
            now=now,
            case_number=message.thread.case.number,
        )
    return message.words


def find_talk(*, number: str, actor: Actor) -> Case:
    """The case whose talk the actor may read: their own, or a draft on which their office was asked. Raises NotYours."""
    case = visible(actor, "thread.see", Case.objects.filter(number=number)).first()
    if case is None:
        thread = yours(visible(actor, "thread.see", Thread.objects.filter(case__number=number)))
        case = thread.case
    return case


def threads_of(*, actor: Actor, unread_only: bool = False) -> QuerySet[Thread]:
    """Every talk in reach, each with the message up to which the actor has `seen` it."""
    seen = ThreadSeen.objects.filter(thread=OuterRef("pk"), user_id=int(actor.id)).values("message")[:1]
    threads = visible(actor, "thread.see", Thread.objects.all()).annotate(
        read_to=Coalesce(Subquery(seen), Value(0))
    )
    if unread_only:
        threads = threads.filter(last_message__gt=F("read_to"))
    return threads.select_related("case__item", "case__window")


def unread_in(*, numbers: Iterable[str], actor: Actor) -> frozenset[str]:
    """Of these cases the numbers of those in whose talk the actor has something to read."""
    threads = threads_of(actor=actor, unread_only=True).filter(case__number__in=list(numbers))
    return frozenset(threads.values_list("case__number", flat=True))


def _add(thread: Thread, side: Side, place: str, words: str, actor: Actor, now: datetime) -> Message:
    case = thread.case
    phase = phase_of(submitted=case.submitted_at is not None, over=case.state in OVER)
    message = Message.objects.create(
        thread=thread,
        phase=phase.value,
        side=side.value,
        place=place,
        words=words,
        personal=bool(numbers_of_persons_in(words)),
        by_id=actor.id,
        by=actor.label,
        at=now,
    )
    Thread.objects.filter(pk=thread.pk, last_message__lt=message.pk).update(
        last_message=message.pk, last_at=now, last_side=side.value
    )
    return message


def _line(message: Message, actor: Actor) -> Line:
    retraction: Retraction | None = getattr(message, "retraction", None)
    shown = "" if retraction else mask_numbers_in(message.words)
    return Line(
        message=message,
        words=shown,
        hidden=retraction is None and message.personal,
        retracted_by=retraction.by if retraction else "",
        retracted_at=retraction.at if retraction else None,
        mine=message.by_id == actor.id,
    )


def _speaker(actor: Actor) -> tuple[Side, str]:
    """The side that somebody speaks for, and its name."""
    if actor.window_id is not None:
        return Side.WINDOW, Window.objects.get(pk=actor.window_id).name
    if actor.office_id is not None:
        return Side.OFFICE, Office.objects.get(pk=actor.office_id).name
    raise NotYours


def _mark_seen(thread: Thread, actor: Actor, message: int) -> None:
    seen, fresh = ThreadSeen.objects.get_or_create(
        thread=thread, user_id=int(actor.id), defaults={"message": message}
    )
    if not fresh:
        ThreadSeen.objects.filter(pk=seen.pk, message__lt=message).update(message=message)
