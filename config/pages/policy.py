"""What a browser may do for our pages: load what comes from here, and open the camera where labels are scanned."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
WITHOUT_CAMERA = "camera=(), microphone=(), geolocation=()"
WITH_CAMERA = "camera=(self), microphone=(), geolocation=()"
BESIDE = ("/admin/", "/api/")
"""The frameworks' own pages bring scripts of their own."""


class ContentPolicy:
    """Sends the policies with every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page:
            response.setdefault("Permissions-Policy", WITHOUT_CAMERA)
        if is_page and not request.path.startswith(BESIDE):
            response.setdefault("Content-Security-Policy", POLICY)
        return response


def with_camera(response: HttpResponse) -> HttpResponse:
    """A page whose own scripts may ask for the camera."""
    response["Permissions-Policy"] = WITH_CAMERA
    return response


content_policy = ContentPolicy
