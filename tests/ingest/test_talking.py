"""What window and office say about a case: kept as it was said, for those who reach the case and for nobody else."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from ingest.models import Case, Message, Thread
from ingest.rules import CaseState
from ingest.services.talking import (
    find_talk,
    read_talk,
    retract_message,
    reveal_message,
    threads_of,
    write_message,
)
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours
from registry.rules.talk import Phase
from registry.terms import Role
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, further_on, open_case, person

LATER = NOW + timedelta(hours=1)
QUESTION = "资质证书副本可以代替正本吗"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """Submitted to the Taizhou office."""
    return further_on(open_case(cast), CaseState.SUBMITTED)


def say(case: Case, cast: Cast, text: str = QUESTION) -> Message:
    return write_message(case=case, text=text, actor=cast.clerk, now=NOW)


def test_each_message_keeps_its_step_of_the_three(cast: Cast) -> None:
    case = open_case(cast)
    phases = []
    for state, submitted_at in (
        (CaseState.DRAFT, None),
        (CaseState.ACCEPTED, NOW),
        (CaseState.CLOSED, NOW),
    ):
        Case.objects.filter(pk=case.pk).update(state=state, submitted_at=submitted_at)
        case.refresh_from_db()
        phases.append(say(case, cast).phase)
    assert phases == [Phase.BEFORE, Phase.DURING, Phase.AFTER]
    assert [line.message.phase for line in read_talk(case=case, actor=cast.clerk).lines] == phases


def test_an_office_asked_before_submission_answers_and_sees_nothing_else(cast: Cast) -> None:
    case = open_case(cast)
    with pytest.raises(NotYours):
        find_talk(number=case.number, actor=cast.officer)
    with pytest.raises(NotYours):
        write_message(case=case, text="可以", actor=cast.officer, now=NOW)
    say(case, cast)
    assert find_talk(number=case.number, actor=cast.officer) == case
    write_message(case=case, text="可以，请盖章", actor=cast.officer, now=LATER)
    kept = [line.words for line in read_talk(case=case, actor=cast.clerk).lines]
    assert kept == [QUESTION, "可以，请盖章"]


@pytest.mark.parametrize("who", ["other_clerk", "other_officer", "finance", "administrator", "auditor"])
def test_nobody_else_reads_writes_or_finds_it(who: str, case: Case, cast: Cast) -> None:
    message = say(case, cast)
    actor = getattr(cast, who)
    for act in (
        lambda: find_talk(number=case.number, actor=actor),
        lambda: read_talk(case=case, actor=actor),
        lambda: write_message(case=case, text="好", actor=actor, now=LATER),
        lambda: retract_message(message=message, actor=actor, now=LATER),
        lambda: reveal_message(message=message, actor=actor, now=LATER),
    ):
        with pytest.raises(NotYours):
            act()
    assert not threads_of(actor=actor).exists()


def test_the_words_are_neither_in_the_event_nor_readable_in_the_database(case: Case, cast: Cast) -> None:
    message = say(case, cast)
    event = Event.objects.get(kind="message.written")
    assert event.data == {"phase": "during", "side": "window", "personal": False}
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM ingest_message WHERE id = %s", [message.pk])
        (stored,) = cursor.fetchone()
    assert QUESTION not in stored
    assert Message.objects.get().words == QUESTION
    assert list(verify_chains(case.number)) == []


def test_unread_is_what_others_wrote_since_one_looked(case: Case, cast: Cast) -> None:
    colleague = person("officer-two", Role.OFFICER, office=cast.taizhou)
    say(case, cast)
    say(case, cast, "另外还缺一页")
    assert not threads_of(actor=cast.clerk, unread_only=True).exists()
    assert threads_of(actor=cast.officer, unread_only=True).count() == 1
    assert read_talk(case=case, actor=cast.officer, mark=False).unread == 2
    assert read_talk(case=case, actor=cast.officer).unread == 2
    assert read_talk(case=case, actor=cast.officer).unread == 0
    assert not threads_of(actor=cast.officer, unread_only=True).exists()
    assert threads_of(actor=colleague, unread_only=True).exists()
    write_message(case=case, text="收到", actor=cast.officer, now=LATER)
    assert threads_of(actor=cast.clerk, unread_only=True).exists()


def test_the_newest_talk_is_known_by_its_last_message(case: Case, cast: Cast) -> None:
    say(case, cast)
    last = write_message(case=case, text="收到", actor=cast.officer, now=LATER)
    thread = Thread.objects.get()
    assert (thread.last_message, thread.last_side, thread.last_at) == (last.pk, "office", LATER)


def test_only_the_writer_takes_back_and_it_shows(case: Case, cast: Cast) -> None:
    message = say(case, cast)
    with pytest.raises(Refused, match="只能撤回自己写的留言"):
        retract_message(message=message, actor=cast.officer, now=LATER)
    retract_message(message=message, actor=cast.clerk, now=LATER)
    retract_message(message=message, actor=cast.clerk, now=LATER)
    (line,) = read_talk(case=case, actor=cast.officer).lines
    assert (line.words, line.retracted_by, line.retracted_at) == ("", "clerk", LATER)
    assert Event.objects.filter(kind="message.retracted").count() == 1
    with pytest.raises(Refused, match="已经撤回"):
        reveal_message(message=message, actor=cast.officer, now=LATER)


def test_a_number_left_in_on_purpose_is_masked_and_every_look_is_kept(case: Case, cast: Cast) -> None:
    text = "取件人手机 13800138000"
    with pytest.raises(Refused, match="手机号码"):
        write_message(case=case, text=text, actor=cast.clerk, now=NOW)
    assert not Message.objects.exists()
    message = write_message(case=case, text=text, keep_numbers=True, actor=cast.clerk, now=NOW)
    (line,) = read_talk(case=case, actor=cast.officer).lines
    assert line.hidden
    assert line.words == "取件人手机 *******8000"
    assert reveal_message(message=message, actor=cast.officer, now=LATER) == text
    assert Event.objects.get(kind="message.revealed").actor_label == "officer"


@pytest.mark.usefixtures("append_only")
def test_the_database_lets_nobody_edit_what_was_said(case: Case, cast: Cast) -> None:
    message = say(case, cast)
    retract_message(message=message, actor=cast.clerk, now=LATER)
    for statement in (
        "UPDATE ingest_message SET words = 'x'",
        "DELETE FROM ingest_retraction",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
