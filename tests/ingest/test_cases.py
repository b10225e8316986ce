"""A case from the counter to its end, and every way in which it is told no."""

from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction

from ingest.models import Case, Original
from ingest.rules import CaseState, HandlingState, NotNow
from ingest.services.delivery import close, start_delivery
from ingest.services.handlings import accept, ask_supplement, decide, pre_review, refuse, resubmit
from ingest.services.intake import Incomplete, create_case, submit, take_in_original
from ingest.services.withdrawing import withdraw
from registry.actors import SYSTEM
from registry.events import record, verify_chains
from registry.models import Event, Grant, Office
from registry.permissions import NotYours
from registry.rules import Unlawful
from storage.encryption import blind_index
from storage.errors import Refused
from tests.cast import APPLICANT, NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def submitted(cast: Cast) -> Case:
    case = open_case(cast)
    hand_in_everything(case)
    return submit(case=case, actor=cast.clerk, now=NOW)


def kinds(case: Case) -> list[str]:
    return list(Event.objects.filter(case_number=case.number).values_list("kind", flat=True))


def test_the_whole_way_leaves_one_unbroken_chain_of_events(cast: Cast, submitted: Case) -> None:
    handling = submitted.handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    accept(handling=handling, actor=cast.officer, now=NOW)
    assert str(handling.deadline) == "2026-03-17"
    decide(handling=handling, approved=True, result_name="", actor=cast.officer, now=NOW)
    case = Case.objects.get(pk=submitted.pk)
    assert case.state == CaseState.DECIDED
    start_delivery(case=case, actor=SYSTEM, now=NOW)
    close(case=case, actor=SYSTEM, now=NOW)
    assert case.state == CaseState.CLOSED
    assert kinds(case) == [
        "case.created",
        "case.submitted",
        "handling.pre_reviewed",
        "case.pre_review",
        "handling.accepted",
        "case.accepted",
        "handling.decided",
        "case.decided",
        "case.delivering",
        "case.closed",
    ]
    assert list(verify_chains(case.number)) == []


def test_an_edited_event_breaks_the_chain(cast: Cast, submitted: Case, tampering: None) -> None:
    first = Event.objects.filter(case_number=submitted.number).order_by("sequence")[0]
    Event.objects.filter(pk=first.pk).update(data={"mode": "online"})
    assert [b.fault for b in verify_chains(submitted.number)] == ["changed"]


def test_a_removed_event_breaks_the_chain(cast: Cast, submitted: Case, tampering: None) -> None:
    Event.objects.filter(case_number=submitted.number, sequence=1).delete()
    assert [b.fault for b in verify_chains(submitted.number)] == ["missing"]


def test_the_database_itself_keeps_the_audit_trail(submitted: Case, append_only: None) -> None:
    mine = Event.objects.filter(case_number=submitted.number)
    for change in (mine.delete, lambda: mine.update(kind="x"), lambda: mine.update(data={})):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert mine.update(published_at=NOW) == mine.count()


def test_an_event_outside_a_transaction_is_a_fault(transactional_db: None) -> None:
    cast = assemble()
    case = open_case(cast)
    assert not transaction.get_connection().in_atomic_block
    with pytest.raises(RuntimeError):
        record(kind="x", actor=cast.clerk, subject=case, now=NOW)


def test_a_case_with_gaps_is_not_submitted_and_every_gap_is_told(cast: Cast) -> None:
    case = open_case(cast)
    Case.objects.filter(pk=case.pk).update(agent_consent=False)
    case.refresh_from_db()
    with pytest.raises(Incomplete) as refused:
        submit(case=case, actor=cast.clerk, now=NOW)
    assert "缺少“申请表”" in refused.value.message
    assert "委托" in refused.value.message
    case.refresh_from_db()
    assert case.state == CaseState.DRAFT


def test_a_case_is_opened_for_offices_and_for_each_once(cast: Cast) -> None:
    for offices in ([], [cast.taizhou, cast.taizhou]):
        with pytest.raises(Refused) as refused:
            create_case(
                item=cast.item,
                window=cast.zhuji,
                offices=offices,
                mode="joint",
                applicant=APPLICANT,
                delivery="mail",
                agent_consent=True,
                actor=cast.clerk,
                now=NOW,
            )
        assert refused.value.code == "case_offices"
    assert not Case.objects.exists()


def test_a_second_click_changes_nothing(cast: Cast, submitted: Case) -> None:
    before = kinds(submitted)
    with pytest.raises(NotNow):
        submit(case=submitted, actor=cast.clerk, now=NOW)
    handling, stale = submitted.handlings.get(), submitted.handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    with pytest.raises(NotNow) as refused:
        pre_review(handling=stale, actor=cast.officer, now=NOW)
    assert refused.value.code == "stale"
    assert kinds(submitted) == [*before, "handling.pre_reviewed", "case.pre_review"]


def test_supplement_stops_the_clock_and_resubmission_gives_back_the_days_left(
    cast: Cast, submitted: Case
) -> None:
    handling = submitted.handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    accept(handling=handling, actor=cast.officer, now=NOW)
    ask_supplement(handling=handling, reason="资质证书缺少副本", actor=cast.officer, now=NOW.replace(day=12))
    assert Case.objects.get(pk=submitted.pk).state == CaseState.SUPPLEMENT
    resubmit(handling=handling, actor=cast.clerk, now=NOW.replace(day=30))
    assert handling.state == HandlingState.ACCEPTED
    # Three of the five working days were left on 12 March.
    assert str(handling.deadline) == "2026-04-02"
    assert Case.objects.get(pk=submitted.pk).state == CaseState.ACCEPTED


def test_only_the_deciding_office_may_review_and_refuse(cast: Cast, submitted: Case) -> None:
    handling = submitted.handlings.get()
    for stranger in (cast.clerk, cast.other_officer, cast.finance):
        with pytest.raises(NotYours):
            refuse(handling=handling, reason="理由", actor=stranger, now=NOW)
    refuse(handling=handling, reason="不属于本部门职责", actor=cast.officer, now=NOW)
    assert Case.objects.get(pk=submitted.pk).state == CaseState.REFUSED


def test_a_withdrawn_case_takes_its_handlings_along(cast: Cast, submitted: Case) -> None:
    withdraw(case=submitted, reason="申请人要求", actor=cast.clerk, now=NOW)
    assert submitted.handlings.get().state == HandlingState.WITHDRAWN
    with pytest.raises(NotNow):
        withdraw(case=submitted, reason="", actor=cast.clerk, now=NOW)


def test_without_a_grant_nothing_is_taken_in(cast: Cast) -> None:
    Grant.objects.filter(office=cast.taizhou, right="accept").update(revoked_at=NOW)
    with pytest.raises(Unlawful) as refused:
        open_case(cast)
    assert refused.value.code == "no_grant_accept"
    assert not Case.objects.exists()


def test_an_office_that_does_not_decide_the_item_is_refused(cast: Cast) -> None:
    with pytest.raises(Unlawful) as refused:
        open_case(cast, offices=[Office.objects.get(code="330681-gaj")])
    assert refused.value.code == "not_responsible"


def test_a_clerk_opens_cases_only_at_her_own_window(cast: Cast) -> None:
    with pytest.raises(Refused) as refused:
        open_case(replace(cast, clerk=cast.other_clerk))
    assert refused.value.code == "other_window"


def test_an_original_is_taken_in_once_and_lies_at_the_window(cast: Cast) -> None:
    case = open_case(cast)
    material = case.materials.get(name="资质证书")
    for _ in range(2):
        original = take_in_original(material=material, name="", verified=True, actor=cast.clerk, now=NOW)
    assert Original.objects.get() == original
    assert (original.place, original.place_id) == (Original.Place.WINDOW, cast.zhuji.pk)
    assert kinds(case).count("original.taken_in") == 1


def test_a_case_with_papers_abroad_is_not_closed(cast: Cast, submitted: Case) -> None:
    handling = submitted.handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    accept(handling=handling, actor=cast.officer, now=NOW)
    decide(handling=handling, approved=True, result_name="资质证书", actor=cast.officer, now=NOW)
    case = start_delivery(case=Case.objects.get(pk=submitted.pk), actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow) as refused:
        close(case=case, actor=SYSTEM, now=NOW)
    assert refused.value.code == "originals_abroad"


def test_personal_data_is_never_in_the_database_or_the_events_in_the_clear(cast: Cast) -> None:
    case = open_case(cast)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ingest_case WHERE id = %s", [case.pk])
        stored = " ".join(str(value) for value in cursor.fetchone())
        cursor.execute("SELECT data FROM registry_event")
        stored += str(cursor.fetchall())
    for secret in ("13800138000", "91330681MA2XW00000", "暨通建筑"):
        assert secret not in stored
    found = Case.objects.get(applicant_phone_index=blind_index("138 0013 8000"))
    assert found.applicant_phone == "13800138000"


def test_two_papers_that_arrive_at_once_close_the_case_once(cast: Cast, submitted: Case) -> None:
    handling = submitted.handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    accept(handling=handling, actor=cast.officer, now=NOW)
    decide(handling=handling, approved=True, result_name="", actor=cast.officer, now=NOW)
    start_delivery(case=Case.objects.get(pk=submitted.pk), actor=SYSTEM, now=NOW)
    one, other = Case.objects.get(pk=submitted.pk), Case.objects.get(pk=submitted.pk)
    close(case=one, actor=SYSTEM, now=NOW)
    assert close(case=other, actor=SYSTEM, now=NOW).state == CaseState.CLOSED
    assert kinds(submitted).count("case.closed") == 1
