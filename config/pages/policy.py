"""What a browser may load for our pages: nothing but what comes from here."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
BESIDE = ("/admin/", "/api/")
"""The frameworks' own pages bring scripts of their own."""


class ContentPolicy:
    """Sends the policy with every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and not request.path.startswith(BESIDE):
            response.setdefault("Content-Security-Policy", POLICY)
        return response


content_policy = ContentPolicy
