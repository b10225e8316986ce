"""Couriers before everybody else, and turning a refusal into an answer: a page for people, a document for programs."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from logistics.pushes import PREFIX, courier_push
from registry.permissions import NotYours
from storage.errors import Refused


def couriers_first(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answers pushes before sessions, pages and their policies are thought of: a courier has none, and sends many."""
    doors = f"/{PREFIX}"

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(doors):
            return courier_push(request, request.path_info.removeprefix(doors))
        return get_response(request)

    return answer


class Refusals:
    """Pages raise Refused freely; what reaches the browser is its sentence with a fitting status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
            and request.method == "GET"
            and _is_page(request)
        ):
            # Signing in again leads to the address of an act; so does a reload of what was refused there.
            return render(request, "405.html", status=HTTPStatus.METHOD_NOT_ALLOWED)
        return response

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        if not isinstance(fault, Refused):
            return None
        return render(request, "refused.html", {"fault": fault}, status=status_of(fault))


def _is_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path_info.startswith("/api/")


def status_of(fault: Refused) -> int:
    """404 for what is not yours, 503 for what may work later, 409 for the rest."""
    if isinstance(fault, NotYours):
        return 404
    return 503 if fault.can_retry else 409


refusals = Refusals
