"""The Idempotency-Key header at the door of the API: for every POST that carries a key of ours, whatever the endpoint."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from ingest.tus import PIECE
from registry.auth import key_of
from registry.idempotency import Answer, InFlight, Reused, Uncertain, begin, forget, give_up, keep, name_in
from storage.errors import Refused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
DOORS = "/api/"
JSON = "application/json"
ASKING = ("Upload-Length", "Upload-Metadata", "Upload-Offset", "Upload-Checksum", "X-HTTP-Method-Override")
ANSWERING = ("Location", "Tus-Resumable", "Upload-Expires", "Upload-Offset")
"""Uploads that resume ask and answer by headers, not by a document."""
LARGEST_KEPT = 1 << 20
"""Characters of an answer that are kept; ours have a few hundred."""


class IdempotentCalls:
    """Goes through with a call once, and answers its repetitions from what was kept. People's sessions are not asked for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        header = request.headers.get(HEADER)
        if header is None or request.method != "POST" or not request.path_info.startswith(DOORS):
            return self.get_response(request)
        key = key_of(request)
        if key is None:
            return self.get_response(request)
        try:
            begun = begin(
                key=key, name=name_in(header), fingerprint=fingerprint_of(request), now=timezone.now()
            )
        except Refused as refused:
            return _refusal(refused)
        if isinstance(begun, Answer):
            return HttpResponse(
                begun.text,
                status=begun.status,
                content_type=JSON,
                headers={**begun.headers, REPLAYED: "true"},
            )
        response = self.get_response(request)
        if 200 <= response.status_code < 300 and (answer := _answer_of(response)) is not None:
            keep(call=begun, answer=answer)
        elif 400 <= response.status_code < 500 or response.status_code == 503:
            forget(call=begun)
        else:
            give_up(call=begun)
        return response


def fingerprint_of(request: HttpRequest) -> str:
    """SHA-256 of address and content. Of a form its fields and files count, not the boundary between them, which changes.

    A piece of an upload is too large to be read twice: where it belongs and how long it is stand for it.
    """
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    for name in ASKING:
        if name in request.headers:
            digest.update(f"{name}: {request.headers[name]}\n".encode())
    if request.content_type == PIECE:
        digest.update(request.headers.get("Content-Length", "").encode())
        return digest.hexdigest()
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    for name, values in sorted(request.POST.lists()):
        digest.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            content = hashlib.sha256()
            for block in file.chunks():
                content.update(block)
            file.seek(0)
            digest.update(repr((name, file.name, content.hexdigest())).encode())
    return digest.hexdigest()


def _refusal(refused: Refused) -> HttpResponse:
    """The statuses of the draft: 422 for another content, 409 for one at work or lost, 400 for a header that is none."""
    status = {Reused: 422, InFlight: 409, Uncertain: 409}.get(type(refused), 400)
    body = {"code": refused.code, "message": refused.message, "can_retry": refused.can_retry}
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})


def _answer_of(response: HttpResponse) -> Answer | None:
    """An answer as it is kept: its JSON, if it has any, and its headers; None for files and streams, which are not kept."""
    if response.streaming or (response.content and not response.get("Content-Type", "").startswith(JSON)):
        return None
    text = response.content.decode()
    if len(text) > LARGEST_KEPT:
        return None
    headers = {name: response[name] for name in ANSWERING if name in response}
    return Answer(response.status_code, text, headers)


idempotent_calls = IdempotentCalls
