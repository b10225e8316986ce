"""A call sent twice counts once: same answer, other content, still at work, lost on the way, and long ago."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from ingest.models import Arrival, Case, SourceFile
from registry.idempotency import KEPT, LONGEST_CALL, Answer, begin, keep, sweep_calls
from registry.models import ApiKey, IdempotentCall
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import picture
from tests.ingest.test_api import BODY

NAME = "9f2c-4b1e"
State = IdempotentCall.State


def key_for(cast: Cast, name: str = "platform") -> str:
    return ApiKey.make(name=name, scopes=["platform"], now=NOW, window=cast.zhuji)[1]


def post(key: str, path: str = "/cases", name: str = NAME, body: object = BODY, **more: Any) -> Any:
    client = Client(headers={"authorization": f"Bearer {key}", "idempotency-key": name})
    if not more:
        more = {"data": body, "content_type": "application/json"}
    return client.post(f"/api/v1{path}", **more)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def key(cast: Cast) -> str:
    return key_for(cast)


def test_the_same_call_twice_makes_one_case_and_one_answer(key: str) -> None:
    first, second = post(key), post(key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert Case.objects.count() == 1


def test_the_quoted_form_of_the_draft_is_the_same_key(key: str) -> None:
    assert post(key, name=f'"{NAME}"').json() == post(key, name=NAME).json()
    assert Case.objects.count() == 1


def test_without_a_key_of_its_own_every_call_counts(key: str) -> None:
    client = Client(headers={"authorization": f"Bearer {key}"})
    for _ in range(2):
        client.post("/api/v1/cases", data=BODY, content_type="application/json")
    assert Case.objects.count() == 2


def test_the_same_key_for_something_else_is_refused(key: str) -> None:
    post(key)
    other = post(key, body=BODY | {"delivery": "window"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_reused")
    number = Case.objects.get().number
    elsewhere = post(key, path=f"/cases/{number}/submit")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "idempotency_reused")


def test_two_systems_may_use_the_same_name(cast: Cast, key: str) -> None:
    assert post(key).json()["number"] != post(key_for(cast, "other")).json()["number"]


def test_what_was_refused_may_be_tried_again_under_the_same_key(key: str) -> None:
    assert post(key, body=BODY | {"item": "NO-SUCH"}).status_code == 409
    assert not IdempotentCall.objects.exists()
    assert post(key).status_code == 201


@pytest.mark.parametrize("name", ["", " ", "密钥", "x" * 256])
def test_a_key_is_printable_and_not_endless(key: str, name: str) -> None:
    refused = post(key, name=name.encode().decode("latin-1"))
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key")
    assert not Case.objects.exists()


def test_a_wrong_key_claims_nothing(key: str) -> None:
    assert post("tb_000000000000_x").status_code == 401
    assert not IdempotentCall.objects.exists()


@pytest.mark.usefixtures("objects")
def test_a_file_sent_again_with_another_boundary_is_the_same_call(cast: Cast, key: str) -> None:
    number = open_case(cast).number
    answers = [
        post(
            key,
            f"/cases/{number}/files?material=1",
            data={"file": SimpleUploadedFile("scan.jpg", picture(content), "image/jpeg")},
        )
        for content in ("one", "one", "two")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert answers[0].json() == answers[1].json()
    assert SourceFile.objects.count() == 1


@pytest.mark.usefixtures("objects")
def test_an_upload_that_resumes_is_begun_once_and_its_piece_counts_once(key: str) -> None:
    content = b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)

    def speak(name: str, address: str, headers: dict[str, str], data: bytes = b"") -> Any:
        said = {"authorization": f"Bearer {key}", "idempotency-key": name, "tus-resumable": "1.0.0"}
        kind = "application/offset+octet-stream"
        return Client().post(address, data, content_type=kind, headers=said | headers)

    def begun(length: int) -> Any:
        return speak("begin", "/api/v1/uploads", {"upload-length": str(length)})

    first, second = begun(len(content)), begun(len(content))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first["Location"] == second["Location"]
    assert begun(len(content) + 1).json()["code"] == "idempotency_reused"
    assert Arrival.objects.count() == 1
    piece = {"upload-offset": "0", "x-http-method-override": "PATCH"}
    for _ in range(2):
        taken = speak("piece", first["Location"], piece, content)
        assert (taken.status_code, taken["Upload-Offset"]) == (204, str(len(content)))
    assert taken["Idempotency-Replayed"] == "true"


def claim(key: str, *, started: timedelta = timedelta(0)) -> IdempotentCall:
    """The call of another process that is at it, begun `started` ago, with the content of a first call."""
    post(key)
    call = IdempotentCall.objects.get()
    begun = timezone.now() - started
    IdempotentCall.objects.filter(pk=call.pk).update(
        state=State.OPEN, status=None, answer="", started_at=begun, expires_at=begun + KEPT
    )
    return call


def test_while_the_first_is_at_work_the_second_waits(key: str) -> None:
    claim(key)
    refused = post(key)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_in_flight")
    assert refused.json()["can_retry"] is True
    assert Case.objects.count() == 1


def test_a_first_that_never_answered_is_not_taken_for_undone(key: str) -> None:
    claim(key, started=LONGEST_CALL + timedelta(seconds=1))
    refused = post(key)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_unknown")
    assert Case.objects.count() == 1


def test_a_call_that_broke_is_not_taken_for_undone(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("ingest.api._shown", break_down)
    with pytest.raises(RuntimeError):
        post(key)
    assert Case.objects.count() == 1
    refused = post(key)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_unknown")
    assert Case.objects.count() == 1


def test_after_three_days_the_key_is_free_and_swept(key: str) -> None:
    post(key)
    IdempotentCall.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert post(key).status_code == 201
    assert Case.objects.count() == 2
    assert sweep_calls(now=timezone.now()) == 0
    assert sweep_calls(now=timezone.now() + KEPT) == 1


def test_the_answer_is_kept_encrypted(key: str) -> None:
    number = post(key).json()["number"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM registry_idempotentcall")
        assert number not in cursor.fetchone()[0]


def test_an_answer_that_comes_after_somebody_took_over_is_not_kept(cast: Cast, key: str) -> None:
    api_key = ApiKey.objects.get()
    held = begin(key=api_key, name=NAME, fingerprint="a", now=NOW)
    again = begin(key=api_key, name=NAME, fingerprint="b", now=NOW + KEPT)
    assert isinstance(held, IdempotentCall)
    assert isinstance(again, IdempotentCall)
    keep(call=held, answer=Answer(201, "late"))
    keep(call=again, answer=Answer(201, "mine"))
    assert begin(key=api_key, name=NAME, fingerprint="b", now=NOW + KEPT) == Answer(201, "mine")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_case() -> None:
    key = key_for(assemble())
    together = threading.Barrier(4)

    def send(_: int) -> int:
        together.wait()
        try:
            status: int = post(key).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(send, range(4)))
    assert 201 in statuses
    assert set(statuses) <= {201, 409}
    assert Case.objects.count() == 1
    assert post(key).status_code == 201
    assert Case.objects.count() == 1
