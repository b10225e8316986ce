"""What a platform does after filing: it answers a notice, takes a case back, reads why, and fetches the result."""

import pytest
from django.test import Client

from ingest.models import Case, Handling, ResultFile
from ingest.rules import HandlingState
from ingest.services.handlings import accept, ask_supplement, decide, pre_review, refuse
from ingest.services.intake import submit
from ingest.services.results import attach_result
from registry.models import ApiKey
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything
from tests.ingest.test_api import call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
JSON = "application/json"


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def key(cast: Cast) -> str:
    return ApiKey.make(name="platform", scopes=["platform"], now=NOW, window=cast.zhuji)[1]


@pytest.fixture
def case(cast: Cast) -> Case:
    case = open_case(cast)
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    return case


def part(case: Case) -> Handling:
    return case.handlings.select_related("case", "office").get(is_lead=True)


def test_a_notice_is_read_and_answered(case: Case, cast: Cast, key: str) -> None:
    ask_supplement(handling=part(case), reason="缺签名，请电 13912345678", actor=cast.officer, now=NOW)
    told = call(key, "get", f"/cases/{case.number}")[1]["handlings"][0]  # type: ignore[index]
    assert (told["state"], told["code"]) == ("supplement", cast.taizhou.code)
    assert "缺签名" in told["notice"]
    assert "13912345678" not in told["notice"]
    status, answered = call(
        key, "post", f"/cases/{case.number}/resubmit", data={"office": told["code"]}, content_type=JSON
    )
    assert (status, answered["state"]) == (200, "submitted")
    again = call(key, "post", f"/cases/{case.number}/resubmit", data={}, content_type=JSON)
    assert (again[0], again[1]["code"]) == (409, "resubmit_state")


def test_where_two_offices_wait_one_is_named(case: Case, cast: Cast, key: str) -> None:
    Handling.objects.create(case=case, office=cast.wenling, state=HandlingState.SUPPLEMENT)
    Handling.objects.filter(pk=part(case).pk).update(state=HandlingState.SUPPLEMENT)
    status, refused = call(key, "post", f"/cases/{case.number}/resubmit", data={}, content_type=JSON)
    assert (status, refused["code"]) == (409, "resubmit_office")


def test_an_applicant_takes_a_case_back_through_the_platform(case: Case, key: str) -> None:
    assert call(key, "post", f"/cases/{case.number}/withdraw", data={}, content_type=JSON)[0] == 422
    status, taken = call(
        key, "post", f"/cases/{case.number}/withdraw", data={"reason": "不再需要"}, content_type=JSON
    )
    assert (status, taken["state"]) == (200, "withdrawn")


def test_why_it_was_refused_is_read(case: Case, cast: Cast, key: str) -> None:
    refuse(handling=part(case), reason="不属于本部门职权", actor=cast.officer, now=NOW)
    told = call(key, "get", f"/cases/{case.number}")[1]["handlings"][0]  # type: ignore[index]
    assert (told["state"], told["reason"], told["notice"]) == ("refused", "不属于本部门职权", "")


def test_the_result_is_listed_and_fetched(case: Case, cast: Cast, key: str) -> None:
    for act in (pre_review, accept):
        act(handling=part(case), actor=cast.officer, now=NOW)
    assert not call(key, "get", f"/cases/{case.number}/results")[1]
    decide(handling=part(case), approved=True, result_name="", actor=cast.officer, now=NOW)
    stored = store_bytes(content=b"licence", kind=Kind.RESULT, media_type="application/pdf", now=NOW)
    attach_result(handling=part(case), name="许可证", stored=stored, actor=cast.officer, now=NOW)
    client = Client(headers={"authorization": f"Bearer {key}"})
    (line,) = client.get(f"/api/v1/cases/{case.number}/results").json()
    assert (line["sha256"], line["fetched_at"]) == (stored.sha256, None)
    file = client.get(f"/api/v1/cases/{case.number}/results/{line['key']}")
    assert (file.status_code, file.getvalue()) == (200, b"licence")
    assert ResultFile.objects.get().fetched_by == "platform"


@pytest.mark.parametrize("scope", ["watcher", "reader", "archive"])
def test_who_only_watches_changes_and_fetches_nothing(scope: str, case: Case, cast: Cast) -> None:
    place = {"office": cast.taizhou} if scope == "archive" else {"window": cast.zhuji}
    other = ApiKey.make(name=scope, scopes=[scope], now=NOW, **place)[1]
    body = {"data": {"reason": "x"}, "content_type": JSON}
    assert call(other, "post", f"/cases/{case.number}/withdraw", **body)[0] == 404
    assert call(other, "post", f"/cases/{case.number}/resubmit", data={}, content_type=JSON)[0] == 404
    assert call(other, "get", f"/cases/{case.number}/results")[0] == 404
