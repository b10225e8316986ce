"""From which network address a request comes."""

from django.conf import settings
from django.http import HttpRequest


def caller_address(request: HttpRequest) -> str:
    """The caller's network address, as the reverse proxy tells it where there is one (TONGBAN_CLIENT_ADDRESS_HEADER).

    Believed only because the operator says that the proxy overwrites what callers send. Not checked to be an address.
    """
    header = settings.CLIENT_ADDRESS_HEADER
    told = request.headers.get(header, "").strip() if header else ""
    return told or str(request.META.get("REMOTE_ADDR", ""))
