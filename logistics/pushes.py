"""The address that couriers push to. It bears no session, form or page, so it is answered before all of that."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from logistics.services.inbox import LARGEST_BODY, TooLarge, accept_webhook
from registry.callers import caller_address
from registry.permissions import NotYours
from storage.errors import Refused

PREFIX = "api/v1/webhooks/couriers/"


@csrf_exempt
def courier_push(request: HttpRequest, path_token: str) -> HttpResponse:
    """A courier's push. The answer is the carrier's own acknowledgement, byte for byte."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        return _refused(TooLarge(), 413)
    try:
        answer = accept_webhook(
            path_token=path_token,
            headers=request.headers,
            body=request.body,
            query=request.META.get("QUERY_STRING", ""),
            remote_address=caller_address(request),
            now=timezone.now(),
        )
    except NotYours as refusal:
        return _refused(refusal, 404)
    except Refused as refusal:
        return _refused(refusal, 503)
    # The length is told here, where other answers get it from a middleware: couriers' clients are simple.
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type=answer.media_type,
        headers={"Content-Length": str(len(answer.body))},
    )


def _refused(refusal: Refused, status: int) -> HttpResponse:
    body = {"code": refusal.code, "message": refusal.message}
    response = JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    response["Content-Length"] = str(len(response.content))
    return response
