"""Uploads that resume: the tus protocol 1.0.0 (tus.io/protocols/resumable-upload) with creation, checksum, termination, expiration."""

import base64
import binascii
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from ninja import Router

from ingest.models import Arrival
from ingest.piecewise import Checksum, OffsetDiffers, abandon, begin, find, offset_of, take_piece
from registry.auth import actor_of, session_or_key
from storage.errors import Refused

router = Router(tags=["续传"], auth=session_or_key)

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
ALGORITHMS = ("sha1", "sha256")
PIECE = "application/offset+octet-stream"
MOST_DIGITS = 15
_CHUNK = 1 << 16
_STATUS = {
    "not_found": 404,
    "offset_differs": 409,
    "file_too_large": 413,
    "not_a_piece": 415,
    "bad_request": 400,
    "checksum_differs": 460,
}
P = ParamSpec("P")


def speaks_tus(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Only this version of the protocol is understood, and every answer says so; refusals keep their sentence."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = cast(HttpRequest, args[0])
        if request.headers.get("Tus-Resumable") != VERSION:
            response = HttpResponse(status=412)
            response["Tus-Version"] = VERSION
        else:
            try:
                response = view(*args, **kwargs)
            except Refused as fault:
                response = _refusal(fault)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return answer


@router.api_operation(["OPTIONS"], "", summary="续传协议的版本与扩展")
def abilities(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Tus-Resumable"] = response["Tus-Version"] = VERSION
    response["Tus-Extension"] = EXTENSIONS
    response["Tus-Max-Size"] = str(settings.UPLOAD_MAX_BYTES)
    response["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
    return response


@router.post("", summary="开始一个可续传的上传", url_name="begin_upload")
@speaks_tus
def create(request: HttpRequest) -> HttpResponse:
    """`Upload-Length` in bytes; `Upload-Metadata: filename <base64>`. Answers the address of the upload."""
    arrival = begin(
        length=_number(request, "Upload-Length"),
        original_name=_file_name(request.headers.get("Upload-Metadata", "")),
        actor=actor_of(request),
        now=timezone.now(),
    )
    response = HttpResponse(status=201)
    response["Location"] = reverse("api:upload_in_pieces", args=[arrival.key])
    return _expiring(response, arrival)


@router.api_operation(["HEAD"], "/{key}", summary="已收到多少", url_name="upload_in_pieces")
@speaks_tus
def progress(request: HttpRequest, key: str) -> HttpResponse:
    return _progress(_own(request, key))


@router.patch("/{key}", summary="发送下一段")
@speaks_tus
def send_piece(request: HttpRequest, key: str) -> HttpResponse:
    """The body is the piece that begins at `Upload-Offset`; `Upload-Checksum` is checked when it is given."""
    return _take(request, _own(request, key))


@router.delete("/{key}", summary="放弃上传")
@speaks_tus
def terminate(request: HttpRequest, key: str) -> HttpResponse:
    return _end(_own(request, key))


@router.post("/{key}", summary="以 X-HTTP-Method-Override 发送")
@speaks_tus
def overridden(request: HttpRequest, key: str) -> HttpResponse:
    """For networks that let no PATCH or DELETE through."""
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    arrival = _own(request, key)
    if method == "PATCH":
        return _take(request, arrival)
    if method == "DELETE":
        return _end(arrival)
    if method == "HEAD":
        return _progress(arrival)
    raise _bad("X-HTTP-Method-Override")


def _progress(arrival: Arrival) -> HttpResponse:
    response = HttpResponse(status=200)
    response["Upload-Offset"] = str(offset_of(arrival))
    response["Upload-Length"] = str(arrival.length)
    if arrival.original_name:
        response["Upload-Metadata"] = f"filename {base64.b64encode(arrival.original_name.encode()).decode()}"
    return _expiring(response, arrival)


def _take(request: HttpRequest, arrival: Arrival) -> HttpResponse:
    if request.content_type != PIECE:
        raise Refused("not_a_piece", f"分段的类型应为 {PIECE}。")
    offset = take_piece(
        arrival=arrival,
        at=_number(request, "Upload-Offset"),
        size=_number(request, "Content-Length"),
        blocks=_blocks(request),
        checksum=_checksum(request.headers.get("Upload-Checksum", "")),
        now=timezone.now(),
    )
    response = HttpResponse(status=204)
    response["Upload-Offset"] = str(offset)
    return _expiring(response, arrival)


def _end(arrival: Arrival) -> HttpResponse:
    abandon(arrival=arrival)
    return HttpResponse(status=204)


def _own(request: HttpRequest, key: str) -> Arrival:
    return find(key=key, actor=actor_of(request), now=timezone.now())


def _blocks(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes in. A connection that breaks ends it; what came before is worth keeping."""
    while True:
        try:
            block = request.read(_CHUNK)
        except UnreadablePostError:
            return
        if not block:
            return
        yield block


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise _bad(header)
    return int(text)


def _file_name(metadata: str) -> str:
    """The value of `filename` in an Upload-Metadata header; other keys are not ours."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            return _decoded("Upload-Metadata", value).decode(errors="replace")
    return ""


def _checksum(text: str) -> Checksum | None:
    if not text:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise _bad("Upload-Checksum")
    return Checksum(algorithm, _decoded("Upload-Checksum", value))


def _decoded(header: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as fault:
        raise _bad(header) from fault


def _bad(header: str) -> Refused:
    return Refused("bad_request", f"请求头 {header} 缺失或无法识别。")


def _expiring(response: HttpResponse, arrival: Arrival) -> HttpResponse:
    response["Upload-Expires"] = http_date(arrival.expires_at.timestamp())
    return response


def _refusal(fault: Refused) -> HttpResponse:
    body = {"code": fault.code, "message": fault.message, "can_retry": fault.can_retry}
    status = _STATUS.get(fault.code, 503 if fault.can_retry else 409)
    response = JsonResponse(body, status=status)
    if isinstance(fault, OffsetDiffers):
        response["Upload-Offset"] = str(fault.offset)
    return response
