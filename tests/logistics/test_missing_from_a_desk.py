"""A paper that vanished from a desk: reported by whoever holds it, looked for, found again or written off by two."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ingest.models import Case, Original
from ingest.rules import CaseState
from ingest.services.delivery import close
from logistics.models import CustodyEvent, Incident, Loss
from logistics.rules.losses import LossState, Remedy
from logistics.rules.parcels import IncidentKind, NotNow, Party
from logistics.rules.payers import Leg
from logistics.services.custody import receive_parcel
from logistics.services.endings import archive_original, hand_to_applicant
from logistics.services.incidents import resolve_incident
from logistics.services.losses import (
    confirm_loss,
    declare_lost,
    find_lost,
    report_missing,
    search_for,
    send_back_loss,
)
from logistics.services.parcels import pack
from logistics.services.whereabouts import where_is
from registry.actors import Actor
from registry.events import verify_chains
from registry.models import Event
from registry.permissions import NotYours, visible
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
SEARCHED = NOW + timedelta(days=1)
LATER = SEARCHED + timedelta(hours=2)
P = Original.Place


def fresh(original: Original) -> Original:
    return Original.objects.select_related("case", "handling").get(pk=original.pk)


@pytest.fixture
def paper(road: Road) -> Original:
    return fresh(road.originals[0])


@pytest.fixture
def missing(road: Road, paper: Original) -> Original:
    """The clerk does not find it at the window."""
    report_missing(original=paper, actor=road.cast.clerk, now=NOW)
    return fresh(paper)


@pytest.fixture
def at_the_office(road: Road, paper: Original) -> Original:
    """It arrived at the office with its parcel."""
    parcel = road.on_the_road(road.booked())
    ticked = [original.pk for original in road.originals]
    receive_parcel(parcel=parcel, ticked=ticked, actor=road.cast.officer, now=NOW + timedelta(hours=5))
    return fresh(paper)


def declared(original: Original, actor: Actor) -> Loss:
    return declare_lost(
        original=original,
        reason="柜中、案卷中和传真机旁均已查找",
        remedy=Remedy.REPLACED,
        done="已陪同申请人补办",
        actor=actor,
        now=SEARCHED,
    )


def test_what_vanished_is_looked_for_since_then_and_was_last_with_its_desk(
    road: Road, missing: Original
) -> None:
    incident = Incident.objects.get()
    assert (missing.place, missing.place_id, missing.moved_at) == (P.MISSING, incident.pk, NOW)
    assert (incident.kind, incident.parcel, incident.original) == (
        IncidentKind.MISSING_AT_DESK,
        None,
        missing,
    )
    assert (incident.owner_kind, incident.owner_id) == (Party.WINDOW, road.cast.zhuji.pk)
    assert incident.due_at == NOW + timedelta(days=1)
    last = CustodyEvent.objects.get(original=missing)
    assert (last.from_place, last.from_id, last.to_place, last.by_label) == (
        "window",
        road.cast.zhuji.pk,
        "missing",
        "clerk",
    )
    for actor in (road.cast.clerk, road.cast.officer):
        found = where_is(original_id=missing.pk, actor=actor)
        assert (found.place_label, found.at_name, found.since) == ("查找中", road.cast.zhuji.name, NOW)
        assert (found.parcel_number, found.waybill_number, found.courier_says) == ("", "", "")
    assert not list(verify_chains())


def test_where_it_is_takes_one_query_still(road: Road, missing: Original) -> None:
    with CaptureQueriesContext(connection) as queries:
        where_is(original_id=missing.pk, actor=road.cast.clerk)
    assert len(queries) == 1


def test_only_whoever_holds_it_reports_it(road: Road, paper: Original) -> None:
    with pytest.raises(NotNow, match="不在本处"):
        report_missing(original=paper, actor=road.cast.officer, now=NOW)
    for stranger in (road.cast.other_clerk, road.cast.other_officer, road.cast.finance):
        with pytest.raises(NotYours):
            report_missing(original=paper, actor=stranger, now=NOW)
    report_missing(original=paper, actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="不在本处"):
        report_missing(original=fresh(paper), actor=road.cast.clerk, now=NOW)
    assert Incident.objects.count() == 1


def test_what_lies_in_a_bag_is_taken_out_of_it_first(road: Road, paper: Original) -> None:
    road.packed()
    with pytest.raises(NotNow, match="先从清单中取出"):
        report_missing(original=paper, actor=road.cast.clerk, now=NOW)
    assert not Incident.objects.exists(), "nothing half done stays"


def test_what_is_looked_for_goes_nowhere(road: Road, missing: Original) -> None:
    with pytest.raises(NotNow, match="不在寄件方手中"):
        pack(
            leg=Leg.MATERIALS,
            sender=road.cast.zhuji,
            receiver=road.cast.taizhou,
            originals=[missing],
            actor=road.cast.clerk,
            now=NOW,
        )
    with pytest.raises(NotNow, match="不在本窗口"):
        hand_to_applicant(original=missing, actor=road.cast.clerk, now=NOW)
    Case.objects.filter(pk=road.case.pk).update(state=CaseState.DELIVERING)
    with pytest.raises(Refused, match="正在查找"):
        close(case=Case.objects.get(pk=road.case.pk), actor=road.cast.clerk, now=NOW)


def test_an_office_answers_for_what_vanished_there(road: Road, at_the_office: Original) -> None:
    report_missing(original=at_the_office, actor=road.cast.officer, now=LATER)
    incident = Incident.objects.get()
    assert (incident.owner_kind, incident.owner_id) == (Party.OFFICE, road.cast.taizhou.pk)
    found = where_is(original_id=at_the_office.pk, actor=road.cast.clerk)
    assert (found.at_name, found.parcel_number) == (road.cast.taizhou.name, "")
    mine = visible(road.cast.officer, "incident.report", Incident.objects.all())
    others = visible(road.cast.other_officer, "incident.report", Incident.objects.all())
    assert (mine.count(), others.count()) == (1, 0)


def test_found_it_lies_where_it_was_found_and_the_search_is_over(road: Road, missing: Original) -> None:
    find_lost(original=missing, words="夹在另一本卷内", actor=road.cast.clerk, now=LATER)
    found = fresh(missing)
    assert (found.place, found.place_id) == (P.WINDOW, road.cast.zhuji.pk)
    incident = Incident.objects.get()
    assert (incident.state, incident.resolution) == (Incident.State.RESOLVED, "夹在另一本卷内")
    assert [one.to_place for one in CustodyEvent.objects.filter(original=found)] == ["missing", "window"]
    report_missing(original=found, actor=road.cast.clerk, now=LATER)
    assert Incident.objects.filter(state=Incident.State.OPEN).count() == 1, "a second time is another search"


def test_searched_declared_and_confirmed_by_another_it_is_gone(road: Road, missing: Original) -> None:
    clerk, officer = road.cast.clerk, road.cast.officer
    with pytest.raises(NotNow, match="请先查找"):
        declare_lost(
            original=missing,
            reason="找不到",
            remedy=Remedy.EXPLAINED,
            done="已说明",
            actor=clerk,
            now=SEARCHED - timedelta(minutes=1),
        )
    loss = declared(missing, clerk)
    assert fresh(missing).place == P.MISSING, "nothing moves before the second word"
    with pytest.raises(NotNow, match="另一人复核"):
        confirm_loss(loss=loss, actor=clerk, now=LATER)
    confirm_loss(loss=loss, actor=officer, now=LATER)
    gone = fresh(missing)
    assert (gone.place, gone.place_id) == (P.GONE, 0)
    incident = Incident.objects.get()
    assert (incident.state, incident.resolution) == (Incident.State.RESOLVED, "未找到，已报失核销。")
    where = where_is(original_id=gone.pk, actor=clerk)
    assert (where.place_label, where.at_name, where.parcel_number) == ("报失核销", road.cast.zhuji.name, "")
    assert not list(verify_chains())


def test_found_after_it_was_written_off_it_is_back_in_the_chain(road: Road, missing: Original) -> None:
    loss = declared(missing, road.cast.clerk)
    confirm_loss(loss=loss, actor=road.cast.officer, now=LATER)
    find_lost(original=fresh(missing), words="清柜时找到", actor=road.cast.clerk, now=LATER)
    back = fresh(missing)
    loss.refresh_from_db()
    assert (back.place, back.place_id) == (P.WINDOW, road.cast.zhuji.pk)
    assert (loss.state, loss.found_words) == (LossState.FOUND, "清柜时找到")
    assert [one.to_place for one in CustodyEvent.objects.filter(original=back)] == [
        "missing",
        "gone",
        "window",
    ]
    hand_to_applicant(original=back, actor=road.cast.clerk, now=LATER)


def test_sent_back_the_search_goes_on(road: Road, missing: Original) -> None:
    loss = declared(missing, road.cast.clerk)
    send_back_loss(loss=loss, words="请再查档案室", actor=road.cast.officer, now=LATER)
    assert (fresh(missing).place, Incident.objects.get().state) == (P.MISSING, Incident.State.OPEN)
    assert search_for(fresh(missing)).item is None


def test_a_sentence_alone_does_not_end_the_search(road: Road, missing: Original) -> None:
    incident = Incident.objects.get()
    with pytest.raises(NotNow, match="原件页"):
        resolve_incident(incident=incident, resolution="算了", actor=road.cast.clerk, now=LATER)
    assert Event.objects.filter(kind="incident.resolved").count() == 0


def test_an_incident_is_about_a_parcel_or_about_a_desk(road: Road, missing: Original) -> None:
    told = Incident.objects.get()
    for kind, original in ((IncidentKind.DAMAGED, missing), (IncidentKind.MISSING_AT_DESK, None)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Incident.objects.create(
                kind=kind.value,
                original=original,
                owner_kind=told.owner_kind,
                owner_id=told.owner_id,
                opened_at=NOW,
                due_at=NOW,
            )


@pytest.fixture
def archived(road: Road, at_the_office: Original) -> Original:
    """The office has decided and keeps it; the rest of the case has ended."""
    road.decided()
    archive_original(original=fresh(at_the_office), actor=road.cast.officer, now=LATER)
    Case.objects.filter(pk=road.case.pk).update(state=CaseState.CLOSED, closed_at=LATER)
    return fresh(at_the_office)


def state_of(road: Road) -> str:
    return Case.objects.values_list("state", flat=True).get(pk=road.case.pk)


def test_what_vanished_from_the_archive_is_the_archiving_offices_to_report(
    road: Road, archived: Original
) -> None:
    with pytest.raises(NotNow, match="不在本处"):
        report_missing(original=archived, actor=road.cast.clerk, now=LATER)
    incident = report_missing(original=archived, actor=road.cast.officer, now=LATER)
    assert (incident.owner_kind, incident.owner_id) == (Party.OFFICE, road.cast.taizhou.pk)
    last = CustodyEvent.objects.filter(original=archived).latest("sequence")
    assert (last.from_place, last.from_id, last.to_place) == ("archive", road.cast.taizhou.pk, "missing")
    for actor in (road.cast.clerk, road.cast.officer):
        found = where_is(original_id=archived.pk, actor=actor)
        assert (found.place_label, found.at_name) == ("查找中", road.cast.taizhou.name)
    assert state_of(road) == CaseState.CLOSED, "what has ended stays ended"
    assert not list(verify_chains())


def test_found_by_its_office_it_is_archived_again_and_found_elsewhere_it_lies_there(
    road: Road, archived: Original
) -> None:
    report_missing(original=archived, actor=road.cast.officer, now=LATER)
    find_lost(original=fresh(archived), words="放错了案卷", actor=road.cast.officer, now=LATER)
    again = fresh(archived)
    assert (again.place, again.place_id) == (P.ARCHIVE, road.cast.taizhou.pk)
    assert Incident.objects.get().state == Incident.State.RESOLVED
    report_missing(original=again, actor=road.cast.officer, now=LATER)
    find_lost(original=fresh(archived), words="夹在退件里", actor=road.cast.clerk, now=LATER)
    assert (fresh(archived).place, fresh(archived).place_id) == (P.WINDOW, road.cast.zhuji.pk)
    hand_to_applicant(original=fresh(archived), actor=road.cast.clerk, now=LATER)
    assert state_of(road) == CaseState.CLOSED


def test_written_off_from_the_archive_by_two_and_found_there_after_all(
    road: Road, archived: Original
) -> None:
    incident = report_missing(original=archived, actor=road.cast.officer, now=LATER)
    with pytest.raises(NotNow, match="请先查找"):
        declared(fresh(archived), road.cast.officer)
    Incident.objects.filter(pk=incident.pk).update(due_at=NOW)
    confirm_loss(loss=declared(fresh(archived), road.cast.officer), actor=road.cast.clerk, now=LATER)
    gone = where_is(original_id=archived.pk, actor=road.cast.officer)
    assert (gone.place_label, gone.at_name) == ("报失核销", road.cast.taizhou.name)
    find_lost(original=fresh(archived), words="档案室清点", actor=road.cast.officer, now=LATER)
    assert fresh(archived).place == P.ARCHIVE
    assert [one.to_place for one in CustodyEvent.objects.filter(original=archived)][-4:] == [
        "archive",
        "missing",
        "gone",
        "archive",
    ]
    assert not list(verify_chains())


def test_a_case_that_has_not_ended_waits_for_the_search_in_the_archive(
    road: Road, archived: Original
) -> None:
    Case.objects.filter(pk=road.case.pk).update(state=CaseState.DELIVERING, closed_at=None)
    report_missing(original=archived, actor=road.cast.officer, now=LATER)
    with pytest.raises(Refused, match="正在查找"):
        close(case=Case.objects.get(pk=road.case.pk), actor=road.cast.clerk, now=LATER)
