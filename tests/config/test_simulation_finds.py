"""What breaks behind the services' back is found by the invariant that it breaks, and named."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from config.simulation.crashes import CommitPoints
from config.simulation.invariants import check_end, check_whole
from config.simulation.run import Outcome, Play
from config.simulation.world import World, opened_world
from ingest.models import Case, Original
from ingest.rules import CaseState
from logistics.models import (
    Charge,
    CustodyEvent,
    Parcel,
    Posting,
    TrackingEvent,
    Waybill,
    WebhookDelivery,
)
from logistics.rules.parcels import ParcelState
from logistics.services.custody import hand_over
from logistics.services.parcels import record_parcel
from registry.actors import SYSTEM
from registry.models import Event, Grant

MOST_STEPS = 400
UNDECIDED = [CaseState.SUBMITTED.value, CaseState.PRE_REVIEW.value, CaseState.ACCEPTED.value]


@pytest.fixture
def play(db: None) -> Iterator[Play]:
    """A world that was played for a while, in which everything holds."""
    with opened_world(seed=4, cases=14) as world:
        play = Play(world, Outcome(seed=4, cases=14), CommitPoints(world.dice))
        while not _is_in_full_swing():
            assert play.step(), play.outcome.violations
            assert play.outcome.steps < MOST_STEPS
        assert check_whole(world) == []
        yield play


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
    record_parcel(_on_the_road(), "parcel.vanished", actor=world.people.finance, now=world.clock.now())


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


PLANTED: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("each_original_is_in_one_place", _moved_without_custody),
    ("each_original_is_in_one_place", _moved_from_elsewhere),
    ("each_move_is_told_once", _moved_from_elsewhere),
    ("what_travels_is_in_its_parcel", _taken_off_the_list),
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
    unfound = {}
    for name, meddle in PLANTED:
        with transaction.atomic():
            meddle(play.world)
            found = {violation.name for violation in check_whole(play.world)}
            transaction.set_rollback(True)
        if name not in found:
            unfound[meddle.__name__] = found
    assert unfound == {}
    assert check_whole(play.world) == []
    assert {violation.name for violation in check_end(play.world)} >= {"every_case_ends"}


def test_a_fault_is_found_at_the_next_step_that_writes(play: Play) -> None:
    _moved_without_custody(play.world)
    for _ in range(40):
        if not play.step():
            break
    assert {violation.name for violation in play.outcome.violations} >= {"each_original_is_in_one_place"}
