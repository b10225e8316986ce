"""The token that a form carries, and doing what it asks once however often it is sent."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest
from django.utils import timezone

from registry.repeating import send_once

TOKEN = "once"  # noqa: S105 - the name of a field
_NOT_CONTENT = {"csrfmiddlewaretoken"}


def do_once(request: HttpRequest, act: Callable[[], str]) -> str:
    """The address to go to after `act`, which answers it. A form without a token is not protected.

    The same token with other content is another form: who goes back a page, changes the name and sends it again means
    a second one.
    """
    token = request.POST.get(TOKEN, "")
    user = request.user.pk
    if not token or user is None:
        return act()
    return send_once(user_id=user, mark=_mark(request), act=act, now=timezone.now())


def _mark(request: HttpRequest) -> str:
    """SHA-256 over address and fields, the token among them. A form that brings a file carries no token."""
    digest = hashlib.sha256(request.get_full_path().encode())
    for name, values in sorted(request.POST.lists()):
        if name not in _NOT_CONTENT:
            digest.update(repr((name, values)).encode())
    return digest.hexdigest()
