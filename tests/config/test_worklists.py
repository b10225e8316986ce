"""Work lists: the right rows in the right order, page after page, in a constant number of queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.pages.worklists import PAGE_SIZE, WORK_LISTS
from ingest.models import Case, Handling, Original
from ingest.rules import CaseState, HandlingState
from tests.cast import NOW, Cast, open_case
from tests.config.conftest import SignIn

RUNNING = reverse("worklist", args=["running"])
REVIEW = reverse("worklist", args=["review"])


def accepted(cast: Cast, count: int) -> list[Case]:
    """Accepted cases, each a day later due than the one before; each with an original at the window."""
    cases = []
    for index in range(count):
        case = open_case(cast)
        Case.objects.filter(pk=case.pk).update(state=CaseState.ACCEPTED, submitted_at=NOW)
        handling = case.handlings.get()
        Handling.objects.filter(pk=handling.pk).update(
            state=HandlingState.ACCEPTED,
            accepted_at=NOW,
            deadline=(NOW + timedelta(days=count - index)).date(),
        )
        material = case.materials.get(position=5)
        Original.objects.create(
            case=case,
            handling=handling,
            material=material,
            kind=Original.Kind.MATERIAL,
            name="资质证书",
            place=Original.Place.WINDOW,
            place_id=case.window_id,
            moved_at=NOW,
        )
        cases.append(case)
    return cases


def numbers_on(client: Client, address: str) -> list[str]:
    return [row.number for row in client.get(address).context["rows"]]


@pytest.mark.parametrize(("who", "address"), [("clerk", RUNNING), ("officer", REVIEW)])
def test_more_rows_take_no_more_queries(who: str, address: str, cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(getattr(cast, who))
    counts = []
    for more in (2, 20):
        accepted(cast, more)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_the_most_urgent_stands_first_and_no_row_is_lost_between_pages(cast: Cast, sign_in: SignIn) -> None:
    cases = accepted(cast, PAGE_SIZE + 5)
    client = sign_in(cast.clerk)
    first = client.get(RUNNING)
    second = client.get(RUNNING, {"after": first.context["next"]})
    seen = [row.number for answer in (first, second) for row in answer.context["rows"]]
    assert seen == [case.number for case in reversed(cases)]
    assert second.context["next"] == ""


def test_a_row_that_leaves_meanwhile_hides_no_other(cast: Cast, sign_in: SignIn) -> None:
    accepted(cast, PAGE_SIZE + 2)
    client = sign_in(cast.clerk)
    first = client.get(RUNNING)
    gone = first.context["rows"][0].number
    Case.objects.filter(number=gone).update(state=CaseState.WITHDRAWN)
    second = client.get(RUNNING, {"after": first.context["next"]})
    assert len(second.context["rows"]) == 2


def test_a_strange_key_begins_at_the_top(cast: Cast, sign_in: SignIn) -> None:
    cases = accepted(cast, 2)
    assert numbers_on(sign_in(cast.clerk), f"{RUNNING}?after=x~y") == [cases[1].number, cases[0].number]


def test_filters_narrow_the_list(cast: Cast, sign_in: SignIn) -> None:
    accepted(cast, 2)
    client = sign_in(cast.clerk)
    assert numbers_on(client, f"{RUNNING}?state=submitted") == []
    assert len(numbers_on(client, f"{RUNNING}?state=accepted")) == 2
    assert numbers_on(client, f"{RUNNING}?item=没有这样的事项") == []
    assert len(numbers_on(client, f"{RUNNING}?late=1")) == 2, "all of them were due in March 2026"


def test_every_case_of_a_window_stands_in_one_of_three_lists() -> None:
    stands = [str(state) for name in ("intake", "running", "ended") for state in WORK_LISTS[name].states]
    assert sorted(stands) == sorted(CaseState.values())


def test_names_are_masked(cast: Cast, sign_in: SignIn) -> None:
    case = open_case(cast)
    case.applicant_name = "欧阳询"
    case.save()
    page = sign_in(cast.clerk).get(reverse("worklist", args=["intake"])).content.decode()
    assert "欧阳*" in page
    assert "欧阳询" not in page


def test_the_lists_of_another_role_do_not_exist(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.officer).get(RUNNING).status_code == 404
    assert sign_in(cast.clerk).get(REVIEW).status_code == 404


def test_with_htmx_only_the_table_comes(cast: Cast, sign_in: SignIn) -> None:
    accepted(cast, 1)
    page = (
        sign_in(cast.clerk).get(RUNNING, headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    )
    assert "<table" in page
    assert "<html" not in page
