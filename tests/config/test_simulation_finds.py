"""What breaks behind the services' back is found by the invariant that it breaks, and named."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db.models import QuerySet

from config.simulation.acts import counter, losses, offices
from config.simulation.acts import online as applicants
from config.simulation.acts import results as files
from config.simulation.crashes import CommitPoints
from config.simulation.envelopes import Envelope, Where
from config.simulation.invariants import check, check_end, check_whole, online, results
from config.simulation.run import STANDING, Outcome, Play
from config.simulation.world import Deed, World, opened_world
from ingest.models import Case, Original, ResultFile
from ingest.rules import CaseState, HandlingState
from ingest.services.enquiring import APPLICANT
from logistics.models import (
    Charge,
    CustodyEvent,
    Parcel,
    ParcelItem,
    Posting,
    TrackingEvent,
    Waybill,
    WebhookDelivery,
)
from logistics.rules.parcels import ParcelState
from logistics.services.announcing import CourierWord
from logistics.services.custody import hand_over
from logistics.services.moving import move_original
from logistics.services.parcels import record_parcel
from registry.actors import SYSTEM
from registry.events import record
from registry.models import Event, Grant
from registry.terms import Delivery
from storage.errors import Refused
from tests.config.planted import not_named, search_over

MOST_STEPS, MOST_DEEDS = 600, 3000
CASES = 40
PAPERS_OF_ONE = 2
"""So many can be in one envelope."""
TO_THE_DESK = (counter.open_case, counter.work_at_window)
"""What brings a case to its office."""
UNDECIDED = [CaseState.SUBMITTED.value, CaseState.PRE_REVIEW.value, CaseState.ACCEPTED.value]


@pytest.fixture
def play(db: None, objects: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """A world that was played for a while, in which everything holds."""
    with opened_world(seed=4, cases=CASES) as world:
        play = Play(world, Outcome(seed=4, cases=CASES), CommitPoints(world.chance))
        while not _is_in_full_swing():
            assert play.step(), play.outcome.violations
            assert play.outcome.steps < MOST_STEPS
        monkeypatch.setattr("config.simulation.acts.counter.AT_ONCE", CASES)
        fetched, decides = ResultFile.objects.filter(fetched_at__isnull=False), offices.work_at_office
        issues = (*TO_THE_DESK, decides, files.work_on_result)
        _bring_about(world, *issues, files.fetch, until=fetched.exists)
        _bring_about(world, *issues, until=_unfetched().exists)
        _bring_about(world, *TO_THE_DESK, until=lambda: _at_home().count() > PAPERS_OF_ONE)
        _bring_about(world, applicants.send_papers, until=_own_parcels().exists)
        _bring_about(world, losses.report, until=Original.objects.filter(place=Original.Place.MISSING).exists)
        assert _is_in_full_swing()
        assert check(world, play.told) == check_whole(world) == []
        yield play


def _bring_about(world: World, *finds: Callable[[World], Deed | None], until: Callable[[], bool]) -> None:
    """These acts and no others, in turns, until there is what can be broken."""
    for _ in range(MOST_DEEDS):
        for find in finds:
            deed = find(world)
            try:
                if deed is not None:
                    deed.do()
            except Refused:
                pass  # as people are; they try again
        if until():
            return
    raise AssertionError("it never came that far")


def _is_in_full_swing() -> bool:
    """There is something of everything that can be broken."""
    return all(
        rows.exists()
        for rows in (
            Original.objects.filter(place=Original.Place.WINDOW),
            Original.objects.filter(place=Original.Place.PARCEL),
            Case.objects.filter(state__in=UNDECIDED),
            Waybill.objects.filter(state="booked", parcel__state="sealed"),
            TrackingEvent.objects.filter(delivery__isnull=False),
            Event.objects.filter(kind="parcel.tracked"),
            Charge.objects.standing(),
        )
    )


def _own_parcels() -> QuerySet[Parcel]:
    """What applicants told of, and what is on the road."""
    return Parcel.objects.filter(sender_kind="applicant", state=ParcelState.HANDED_OVER).exclude(
        told_number=""
    )


def _at_home() -> QuerySet[Original]:
    """Papers that applicants have still to send, and never sent."""
    waiting = Original.objects.filter(place=Original.Place.APPLICANT, from_applicant=True)
    return waiting.filter(custody__isnull=True).select_related("case").order_by("pk")


def _unfetched() -> QuerySet[ResultFile]:
    """Files that stand, of offices that gave no paper beside them and no file that was fetched."""
    papers = Original.objects.filter(kind=Original.Kind.RESULT).values("handling")
    fetched = ResultFile.objects.filter(fetched_at__isnull=False).values("handling")
    standing = ResultFile.objects.filter(voided_at__isnull=True).exclude(handling__in=fetched)
    return standing.exclude(handling__in=papers).select_related("handling__case").order_by("pk")


def _on_the_road() -> Parcel:
    parcel = Parcel.objects.filter(custody__isnull=False).order_by("pk").first()
    assert parcel is not None
    return parcel


def _moved_without_custody(world: World) -> None:
    Original.objects.filter(place=Original.Place.WINDOW).update(place=Original.Place.ARCHIVE)


def _moved_from_elsewhere(world: World) -> None:
    last = CustodyEvent.objects.order_by("pk").last()
    assert last is not None
    CustodyEvent.objects.create(
        original=last.original,
        sequence=last.sequence + 1,
        from_place=Original.Place.ARCHIVE,
        from_id=last.to_id,
        to_place=last.to_place,
        to_id=last.to_id,
        proof=CustodyEvent.Proof.REPORT,
        by_label="nobody",
        at=last.at,
    )


def _taken_off_the_list(world: World) -> None:
    travelling = Original.objects.filter(place=Original.Place.PARCEL).first()
    assert travelling is not None
    travelling.parcel_items.update(holds=False)


def _parcel_moved_by_hand(world: World) -> None:
    Parcel.objects.filter(pk=_on_the_road().pk).update(
        state=ParcelState.RETURNED, handed_over_at=world.clock.now(), sealed_at=world.clock.now(), weight_g=1
    )


def _written_off_alone(world: World) -> None:
    Original.objects.filter(place=Original.Place.PARCEL).update(place=Original.Place.GONE)


def _handed_over_twice(world: World) -> None:
    parcel = _on_the_road()
    record_parcel(parcel, "parcel.handed_over", actor=SYSTEM, now=world.clock.now(), data={"leg": parcel.leg})


def _scan_applied_twice(world: World) -> None:
    scan = TrackingEvent.objects.order_by("pk").first()
    assert scan is not None
    scan.pk, scan.key = None, f"{scan.key}-again"
    scan.save(force_insert=True)


def _scan_told_twice(world: World) -> None:
    told = Event.objects.filter(kind="parcel.tracked").order_by("pk").last()
    assert told is not None
    parcel = Parcel.objects.get(pk=told.subject_id)
    record_parcel(
        parcel,
        told.kind,
        actor=SYSTEM,
        now=world.clock.now(),
        data={**told.data, "new": told.data["new"] + 1},
    )


def _told_of_a_stranger(world: World) -> None:
    parcel = _on_the_road()
    stranger = next(
        one for one in world.people.clerks if one.window_id not in (parcel.sender_id, parcel.receiver_id)
    )
    record_parcel(parcel, "incident.opened", actor=stranger, now=world.clock.now())


def _done_by_finance(world: World) -> None:
    record_parcel(_on_the_road(), "parcel.vanished", actor=world.people.finance[0], now=world.clock.now())


def _grant_of_yesterday(world: World) -> None:
    Grant.objects.update(revoked_at=world.clock.now() - timedelta(days=400))


def _case_decided_by_hand(world: World) -> None:
    Case.objects.filter(state__in=UNDECIDED).update(state=CaseState.DECIDED)


def _money_from_nowhere(world: World) -> None:
    posting = Posting.objects.order_by("pk").first()
    assert posting is not None
    Posting.objects.create(
        entry=posting.entry, debit=posting.debit, credit=posting.credit, amount_fen=posting.amount_fen
    )


def _charged_twice(world: World) -> None:
    charge = Charge.objects.standing().order_by("pk").first()
    assert charge is not None
    charge.pk, charge.sequence = None, 99
    charge.save(force_insert=True)


def _push_gone(world: World) -> None:
    world.wire.answered.append(("no such door", "0" * 64))


def _forgery_applied(world: World) -> None:
    WebhookDelivery.objects.filter(events__isnull=False).update(state=WebhookDelivery.State.FORGED)


def _nobody_asks_for_the_right(world: World) -> None:
    waybill = Waybill.objects.select_related("parcel").filter(state="booked", parcel__state="sealed").first()
    assert waybill is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logistics.services.custody.check_may", lambda *_: None)
        patch.setattr("logistics.services.custody.is_sender", lambda *_: True)
        hand_over(token=waybill.parcel.token_text, actor=world.people.auditor, now=world.clock.now())


def _packed_while_missing(world: World) -> None:
    missing = Original.objects.filter(place=Original.Place.MISSING).order_by("pk")[0]
    ParcelItem.objects.create(parcel=_on_the_road(), original=missing, added_at=world.clock.now())


def _told_as_two(world: World) -> None:
    parcel = _own_parcels().order_by("pk")[0]
    parcel.pk, parcel.number, parcel.code = None, "P2026031099999", "another"
    parcel.save(force_insert=True)


def _called_off_by_hand(world: World) -> None:
    _own_parcels().update(state=ParcelState.CANCELLED)


def _announced_once_more(world: World) -> None:
    parcel = Parcel.objects.filter(state__in=[ParcelState.RECEIVED, ParcelState.PACKING]).order_by("pk")[0]
    record_parcel(parcel, "parcel.announced", actor=SYSTEM, now=world.clock.now())


def _handed_in_at_the_window(world: World) -> None:
    original = _at_home()[0]
    move_original(
        original=original,
        to_place=Original.Place.WINDOW,
        to_id=original.case.window_id,
        proof=CustodyEvent.Proof.SIGNATURE,
        actor=SYSTEM,
        now=world.clock.now(),
    )


def _received_on_the_applicants_word(world: World) -> None:
    original = Original.objects.filter(place=Original.Place.PARCEL, from_applicant=True).order_by("pk")[0]
    move_original(
        original=original,
        to_place=Original.Place.OFFICE,
        to_id=original.handling.office_id,
        proof=CustodyEvent.Proof.REPORT,
        parcel=Parcel.objects.get(pk=original.place_id),
        actor=APPLICANT,
        now=world.clock.now(),
    )


def _told_by_another_platform(world: World) -> None:
    parcel = _own_parcels().order_by("pk")[0]
    window = Case.objects.get(pk=parcel.sender_id).window_id
    other = next(one for one in world.people.platforms if one.window_id != window)
    record_parcel(parcel, "parcel.renumbered", actor=other, now=world.clock.now())


def _decided_by_the_applicant(world: World) -> None:
    record_parcel(_own_parcels().order_by("pk")[0], "parcel.received", actor=APPLICANT, now=world.clock.now())


def _fetched_by_nobody(world: World) -> None:
    ResultFile.objects.filter(pk=_unfetched()[0].pk).update(
        fetched_at=world.clock.now(), fetched_by=ResultFile.By.APPLICANT
    )


def _fetched_first_again(world: World) -> None:
    told = Event.objects.filter(kind="result.fetched").order_by("pk")[0]
    file = ResultFile.objects.get(pk=told.subject_id)
    record(
        kind=told.kind,
        actor=APPLICANT,
        subject=file,
        now=world.clock.now(),
        case_number=told.case_number,
        data={**told.data, "first": True},
    )


def _fetched_too_early(world: World) -> None:
    file = ResultFile.objects.filter(fetched_at__isnull=False).select_related("handling__case")[0]
    file.handling.case.handlings.update(state=HandlingState.ACCEPTED)


def _closed_with_nothing(world: World) -> None:
    file, now = _unfetched()[0], world.clock.now()
    ResultFile.objects.filter(handling=file.handling).update(voided_at=now)
    Case.objects.filter(pk=file.handling.case_id).update(
        state=CaseState.CLOSED, delivery=Delivery.ELECTRONIC, closed_at=now
    )


PLANTED: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("each_original_is_in_one_place", _moved_without_custody),
    ("each_original_is_in_one_place", _moved_from_elsewhere),
    ("each_move_is_told_once", _moved_from_elsewhere),
    ("what_travels_is_in_its_parcel", _taken_off_the_list),
    ("what_is_gone_was_said_by_two", _written_off_alone),
    ("what_is_looked_for_has_its_search", search_over),
    ("what_is_looked_for_has_its_search", _packed_while_missing),
    ("each_envelope_is_one_parcel", _told_as_two),
    ("each_parcel_is_explained", _called_off_by_hand),
    ("each_parcel_is_explained", _announced_once_more),
    ("no_window_takes_in_what_an_applicant_sends", _handed_in_at_the_window),
    ("no_act_without_its_right", _received_on_the_applicants_word),
    ("no_act_without_its_right", _told_by_another_platform),
    ("no_act_without_its_right", _decided_by_the_applicant),
    ("each_file_is_explained", _fetched_by_nobody),
    ("each_file_is_explained", _fetched_first_again),
    ("no_result_is_fetched_before_its_time", _fetched_too_early),
    ("no_delivery_of_nothing_is_over", _closed_with_nothing),
    ("what_travels_is_in_its_parcel", _written_off_alone),
    ("each_parcel_is_explained", _parcel_moved_by_hand),
    ("each_parcel_is_explained", _handed_over_twice),
    ("no_acknowledged_push_is_lost", _push_gone),
    ("no_forged_push_is_taken", _forgery_applied),
    ("each_push_is_applied_once", _scan_applied_twice),
    ("each_push_is_applied_once", _scan_told_twice),
    ("no_act_without_its_right", _told_of_a_stranger),
    ("no_act_without_its_right", _done_by_finance),
    ("no_act_without_its_right", _nobody_asks_for_the_right),
    ("each_grant_was_in_force", _grant_of_yesterday),
    ("each_case_follows_its_handlings", _case_decided_by_hand),
    ("money_adds_up", _money_from_nowhere),
    ("each_parcel_is_charged_once", _charged_twice),
)


def test_every_planted_fault_is_named(play: Play) -> None:
    assert not_named(PLANTED, play.world) == {}
    assert check_whole(play.world) == []
    assert {violation.name for violation in check_end(play.world)} >= {"every_case_ends"}


def test_what_the_end_asks_of_envelopes_and_files_is_named(play: Play) -> None:
    """Questions of the last moment, asked of a world in which they hold but for what is planted."""
    world = play.world
    paper = _at_home()[0]
    assert list(online.what_lies_at_the_office_was_taken_in(world)) == []
    label = CourierWord("990000000000", company="城际快运")
    arrived = Envelope(paper.case_id, frozenset({paper.pk}), label, None, Where.RECEIVER)
    world.envelopes.all.append(arrived)
    assert [str(paper.pk) in words for words in online.what_lies_at_the_office_was_taken_in(world)] == [True]
    assert list(results.every_file_is_what_was_issued(world)) == []
    world.issued.clear()
    assert len(list(results.every_file_is_what_was_issued(world))) == ResultFile.objects.count()


@pytest.mark.parametrize("closely", [True, False])
def test_a_fault_behind_the_services_is_found(play: Play, closely: bool) -> None:
    _moved_without_custody(play.world)
    play.closely = closely
    begun = play.outcome.steps
    while play.step():
        assert play.outcome.steps < begun + STANDING, "everything that stands is looked at by then"
    found = {violation.name for violation in play.outcome.violations}
    if closely:
        assert play.outcome.steps == begun + 1
        assert "each_original_is_in_one_place" in found
    assert found <= {"each_original_is_in_one_place", "what_travels_is_in_its_parcel"}
