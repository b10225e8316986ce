"""容缺: a promise is for a later day, is kept with pages, and does not expire in silence."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest.models import Case, Material
from ingest.rules import NotNow
from ingest.services.handlings import accept, ask_supplement, decide, pre_review, resubmit
from ingest.services.intake import Incomplete, submit
from ingest.services.promises import defer_material, keep_promise, watch_promises
from ingest.uploads import receive_file
from registry.models import Event
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in, look_at_handler, picture
from workers.reactions import jobs_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
DAY = timedelta(days=1)


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def case(cast: Cast) -> Case:
    """A draft in which everything is handed in but the one paper that may come later."""
    case = open_case(cast)
    for material in case.materials.select_related("requirement"):
        if material.requirement.required:
            hand_in(material, pages=material.requirement.minimum_pages)
    look_at_handler(case)
    late = case.materials.get(position=2)
    late.pages.update(set_aside=True)
    late.requirement.deferrable = late.requirement.required = True
    late.requirement.save()
    return case


def promised(case: Case) -> Material:
    return case.materials.select_related("requirement", "case").get(position=2)


def promise(case: Case, cast: Cast, *, until: datetime = NOW + 5 * DAY) -> Material:
    return defer_material(material=promised(case), until=until, actor=cast.clerk, now=NOW)


def told(case: Case, kind: str) -> int:
    return Event.objects.filter(case_number=case.number, kind=kind).count()


@pytest.mark.parametrize("until", [NOW - DAY, NOW])
def test_a_promise_is_for_a_later_day(case: Case, cast: Cast, until: datetime) -> None:
    with pytest.raises(Refused) as refused:
        promise(case, cast, until=until)
    assert refused.value.code == "promise_past"
    assert promised(case).deferred_until is None


def test_no_promise_once_the_case_is_with_the_office(case: Case, cast: Cast) -> None:
    promise(case, cast)
    submit(case=case, actor=cast.clerk, now=NOW)
    with pytest.raises(NotNow) as refused:
        promise(case, cast)
    assert refused.value.code == "promise_state"


def test_a_promise_whose_day_has_passed_is_a_gap(case: Case, cast: Cast) -> None:
    promise(case, cast)
    with pytest.raises(Incomplete):
        submit(case=case, actor=cast.clerk, now=NOW + 6 * DAY)
    submit(case=case, actor=cast.clerk, now=NOW + 5 * DAY)
    handling = case.handlings.get()
    ask_supplement(handling=handling, reason="申请表未盖章", actor=cast.officer, now=NOW + 5 * DAY)
    with pytest.raises(Incomplete) as refused:
        resubmit(handling=handling, actor=cast.clerk, now=NOW + 6 * DAY)
    assert promised(case).name in refused.value.message


def test_the_window_is_reminded_once_and_told_once_that_it_lapsed(case: Case, cast: Cast) -> None:
    promise(case, cast)
    submit(case=case, actor=cast.clerk, now=NOW)
    assert watch_promises(now=NOW + DAY) == 0
    for _ in range(2):
        watch_promises(now=NOW + 3 * DAY)
    assert (told(case, "material.promise_due"), told(case, "material.promise_lapsed")) == (1, 0)
    for _ in range(2):
        watch_promises(now=NOW + 6 * DAY)
    assert (told(case, "material.promise_due"), told(case, "material.promise_lapsed")) == (1, 1)


def test_what_was_promised_is_taken_in_while_the_office_works_and_makes_a_new_dossier(
    case: Case, cast: Cast, tmp_path: Path
) -> None:
    material = promise(case, cast)
    submit(case=case, actor=cast.clerk, now=NOW)
    material = promised(case)
    with pytest.raises(Refused) as refused:
        keep_promise(material=material, actor=cast.clerk, now=NOW + DAY)
    assert refused.value.code == "promise_pages"
    scan = tmp_path / "late.jpg"
    for number in range(material.requirement.minimum_pages):
        scan.write_bytes(picture(f"late {number}"))
        receive_file(
            case=material.case,
            material=material,
            path=scan,
            original_name="",
            actor=cast.clerk,
            now=NOW + DAY,
        )
    keep_promise(material=material, actor=cast.clerk, now=NOW + DAY)
    event = Event.objects.get(case_number=case.number, kind="handling.promise_kept")
    assert [name for name, _ in jobs_of(event)] == ["rebuild_dossier"]
    assert watch_promises(now=NOW + 9 * DAY) == 0
    with pytest.raises(NotNow):
        keep_promise(material=material, actor=cast.clerk, now=NOW + DAY)


def test_nothing_is_granted_on_a_promise_that_lapsed(case: Case, cast: Cast) -> None:
    promise(case, cast)
    submit(case=case, actor=cast.clerk, now=NOW)
    handling = case.handlings.get()
    pre_review(handling=handling, actor=cast.officer, now=NOW)
    accept(handling=handling, actor=cast.officer, now=NOW)
    later = NOW + 6 * DAY
    with pytest.raises(NotNow) as refused:
        decide(handling=handling, approved=True, result_name="", actor=cast.officer, now=later)
    assert refused.value.code == "promise_lapsed"
    decide(handling=handling, approved=False, result_name="", actor=cast.officer, now=later)
    assert handling.decision == "rejected"
