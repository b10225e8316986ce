"""The address that couriers push to. It bears no session, form or page, so it is answered before all of that."""

import logging

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from logistics.services.inbox import LARGEST_BODY, TooLarge, accept_webhook
from registry.callers import caller_address
from registry.permissions import NotYours
from storage.errors import Refused

log = logging.getLogger("tongban.inbox")
PREFIX = "api/v1/webhooks/couriers/"
AGAIN_AFTER = "5"
"""Seconds; told to couriers that listen for it. The others repeat in their own time."""


class NotKept(Refused):
    """The push could not be written down, so it must come again."""

    def __init__(self) -> None:
        super().__init__("push_not_kept", "暂时无法保存推送，请稍后重推。", can_retry=True)


class NoLength(Refused):
    """Nobody can say where the body ends."""

    def __init__(self) -> None:
        super().__init__("push_length", "请求须带 Content-Length，或以 chunked 方式发送正文。")


@csrf_exempt
def courier_push(request: HttpRequest, path_token: str) -> HttpResponse:
    """A courier's push. The answer is the carrier's own acknowledgement, byte for byte.

    Whatever was not kept is answered with an error that no courier takes for an acknowledgement, so that it repeats.
    """
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        answer = accept_webhook(
            path_token=path_token,
            headers=request.headers,
            body=_body(request),
            query=request.META.get("QUERY_STRING", ""),
            remote_address=caller_address(request),
            now=timezone.now(),
        )
    except NotYours as refusal:
        return _refused(refusal, 404)
    except NoLength as refusal:
        return _refused(refusal, 411)
    except TooLarge as refusal:
        return _refused(refusal, 413)
    except Refused as refusal:
        return _refused(refusal, 503)
    except (OperationalError, InterfaceError) as fault:
        # Only its kind: the message of a database may repeat what was to be written.
        log.error("push not kept: %s", type(fault).__name__)  # noqa: TRY400
        return _refused(NotKept(), 503)
    # The length is told here, where other answers get it from a middleware: couriers' clients are simple.
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type=answer.media_type,
        headers={"Content-Length": str(len(answer.body))},
    )


def _body(request: HttpRequest) -> bytes:
    """The whole body, of a told length or in chunks. Raises TooLarge, NoLength."""
    told = request.META.get("CONTENT_LENGTH") or ""
    if told.isdecimal():
        if int(told) > LARGEST_BODY:
            raise TooLarge
        return request.body
    if told or not request.META.get("wsgi.input_terminated"):
        raise NoLength
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        raise NoLength
    # Django reads as many bytes as were announced, which is none; the server knows where the last chunk ends.
    body: bytes = request.META["wsgi.input"].read(LARGEST_BODY + 1)
    return body


def _refused(refusal: Refused, status: int) -> HttpResponse:
    body = {"code": refusal.code, "message": refusal.message}
    response = JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    response["Content-Length"] = str(len(response.content))
    if refusal.can_retry:
        response["Retry-After"] = AGAIN_AFTER
    return response
