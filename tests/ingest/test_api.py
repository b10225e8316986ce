"""Cases over the wire: by key, within its scope and place, and nothing else."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ingest.models import Case
from registry.models import ApiKey, Event, Window
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything, picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
Call = Callable[..., tuple[int, dict[str, object]]]

BODY = {
    "item": "TZ-ZJ-001",
    "offices": ["331000-zjj"],
    "mode": "window_forward",
    "applicant": {"name": "诸暨市暨通建筑有限公司", "phone": "13800138000"},
    "agent_consent": True,
}


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def key(cast: Cast) -> str:
    return ApiKey.make(name="platform", scopes=["platform"], now=NOW, window=cast.zhuji)[1]


def call(key: str, method: str, path: str, **data: object) -> tuple[int, dict[str, object]]:
    client = Client(headers={"authorization": f"Bearer {key}"} if key else {})
    send = getattr(client, method)
    answer = send(f"/api/v1{path}", **data)
    return answer.status_code, answer.json()


def test_a_platform_files_reads_and_submits_a_case(cast: Cast, key: str) -> None:
    status, made = call(key, "post", "/cases", data=BODY, content_type="application/json")
    assert status == 201
    number = made["number"]
    assert "暨通" in str(made["applicant"])
    assert "13800138000" not in str(made)
    for expected in ("accepted", "accepted"):
        scan = SimpleUploadedFile("scan.jpg", picture("one"), "image/jpeg")
        status, file = call(key, "post", f"/cases/{number}/files?material=1", data={"file": scan})
        assert (status, file["verdict"]) == (200, expected)
    status, seen = call(key, "get", f"/cases/{number}")
    assert [m["pages"] for m in seen["materials"] if m["position"] == 1] == [1]  # type: ignore[attr-defined]
    status, refused = call(key, "post", f"/cases/{number}/submit", content_type="application/json")
    assert (status, refused["code"]) == (409, "materials_missing")
    hand_in_everything(Case.objects.get(number=number))
    status, submitted = call(key, "post", f"/cases/{number}/submit", content_type="application/json")
    assert (status, submitted["state"]) == (200, "submitted")
    told = Event.objects.get(kind="case.submitted", case_number=number)
    assert told.data["identity"] == "platform", "the platform made its people sign in"


def test_no_key_a_wrong_key_and_a_revoked_key_are_shut_out(cast: Cast, key: str) -> None:
    for text in ("", "nonsense", "tb_000000000000_x", key[:-1] + "?"):
        assert call(text, "get", "/cases")[0] == 401
    ApiKey.objects.update(revoked_at=NOW)
    assert call(key, "get", "/cases")[0] == 401


def test_what_is_not_yours_is_not_there(cast: Cast, key: str) -> None:
    case = open_case(cast)
    other = ApiKey.make(
        name="other", scopes=["platform"], now=NOW, window=Window.objects.get(code="331000-01")
    )[1]
    archive = ApiKey.make(name="archive", scopes=["archive"], now=NOW, office=cast.taizhou)[1]
    assert call(key, "get", f"/cases/{case.number}")[0] == 200
    for stranger in (other, archive):
        assert call(stranger, "get", f"/cases/{case.number}")[0] == 404
        assert (
            call(stranger, "post", f"/cases/{case.number}/submit", content_type="application/json")[0] == 404
        )
    assert call(archive, "post", "/cases", data=BODY, content_type="application/json")[0] == 404


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"item": "NO-SUCH"}, 409, "unknown_code"),
        ({"offices": ["nowhere"]}, 409, "unknown_code"),
        ({"mode": "online"}, 409, "mode"),
        ({"offices": []}, 422, None),
    ],
)
def test_a_wrong_case_is_told_why(
    cast: Cast, key: str, change: dict[str, object], status: int, code: str | None
) -> None:
    answered, body = call(key, "post", "/cases", data=BODY | change, content_type="application/json")
    assert (answered, body.get("code")) == (status, code)
    assert not Case.objects.exists()


def test_the_list_pages_by_a_cursor(cast: Cast, key: str) -> None:
    cases = [open_case(cast) for _ in range(3)]
    client = Client(headers={"authorization": f"Bearer {key}"})
    rows = client.get(f"/api/v1/cases?before={cases[2].pk}").json()
    assert [row["number"] for row in rows] == [cases[1].number, cases[0].number]


def test_the_documents_of_the_api_load_nothing_from_outside(cast: Cast) -> None:
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert b"https://" not in page.content


def test_a_platform_pages_through_all_its_cases_by_the_key_of_the_last_line(
    cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [open_case(cast).number for _ in range(5)]
    monkeypatch.setattr("ingest.api.PAGE_SIZE", 2)
    seen: list[str] = []
    after = ""
    while True:
        status, lines = call(key, "get", f"/cases{after}")
        assert status == 200
        if not lines:
            break
        seen += [line["number"] for line in lines]  # type: ignore[index]
        after = f"?before={lines[-1]['key']}"  # type: ignore[index]
    assert seen == made[::-1]
