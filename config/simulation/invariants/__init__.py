"""What must hold after every step, and what must hold when all is done: named questions to the database."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from config.simulation.invariants import (
    books,
    cases,
    dossiers,
    money,
    online,
    papers,
    pushes,
    results,
    rights,
)
from config.simulation.invariants.chronicle import Chronicle, News
from config.simulation.world import World

Question = Callable[[World, Chronicle, News], Iterator[str]]
LastQuestion = Callable[[World], Iterator[str]]


@dataclass(frozen=True)
class Violation:
    """`name` is the invariant, `words` say what breaks it."""

    name: str
    words: str

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


INVARIANTS: Mapping[str, Question] = {
    question.__name__: question
    for question in (
        papers.each_original_is_in_one_place,
        papers.each_move_is_told_once,
        papers.what_travels_is_in_its_parcel,
        papers.each_parcel_is_explained,
        papers.what_is_looked_for_has_its_search,
        papers.what_is_gone_was_said_by_two,
        online.each_envelope_is_one_parcel,
        online.no_window_takes_in_what_an_applicant_sends,
        results.each_file_is_explained,
        results.no_result_is_fetched_before_its_time,
        results.no_delivery_of_nothing_is_over,
        pushes.no_acknowledged_push_is_lost,
        pushes.no_forged_push_is_taken,
        pushes.each_push_is_applied_once,
        pushes.each_delivery_is_understood,
        pushes.the_courier_makes_each_order_once,
        rights.no_act_without_its_right,
        rights.each_grant_was_in_force,
        cases.each_case_follows_its_handlings,
        cases.each_job_does_what_it_can,
        money.each_parcel_is_charged_once,
        money.each_charge_is_the_payers,
        money.money_adds_up,
        books.what_is_billed_wrongly_is_found,
        books.each_month_is_closed_by_two,
        books.each_line_is_settled_once,
        books.the_ledger_says_what_was_settled,
        dossiers.each_dossier_is_whole,
        dossiers.each_arrival_is_told_apart,
    )
}
AT_THE_END: Mapping[str, LastQuestion] = {
    question.__name__: question
    for question in (
        cases.every_case_ends,
        papers.nothing_delivered_is_said_lost,
        online.what_lies_at_the_office_was_taken_in,
        results.every_file_is_what_was_issued,
        money.what_travelled_is_paid_and_nothing_else,
        dossiers.every_dossier_is_sealed_and_verifies,
        dossiers.every_difference_is_answered_for,
    )
}


def check(world: World, told: Chronicle, tables: frozenset[str] | None = None) -> list[Violation]:
    """Asks everything; what is new since the last time is read once, what stands is looked at as it stands.

    With the `tables` that were written since then, only of what these rows can have changed.
    """
    news = told.read(tables)
    found = [Violation(name, words) for name, words in told.faults]
    for name, question in INVARIANTS.items():
        found += [Violation(name, words) for words in question(world, told, news)]
    return found


def check_whole(world: World) -> list[Violation]:
    """The same over the whole history, from its first row."""
    return check(world, Chronicle())


def check_end(world: World) -> list[Violation]:
    """What must hold when everybody had the time to bring things to their end; the first question that is not answered
    well hides those after it.
    """
    for name, question in AT_THE_END.items():
        found = [Violation(name, words) for words in question(world)]
        if found:
            return found
    return []
