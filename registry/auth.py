"""How a call to the API says who it is: a signed-in session, or a key in the Authorization header."""

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from registry.actors import Actor
from registry.models import ApiKey, User
from registry.permissions import NotYours


class KeyAuth(HttpBearer):
    """`Authorization: Bearer tb_…`; answers the Actor that the key stands for."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        key = ApiKey.find(token)
        return Actor.of_key(key) if key else None


def key_of(request: HttpRequest) -> ApiKey | None:
    """The living key that a request carries, asked for before the API itself does."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return ApiKey.find(token.strip()) if scheme.lower() == KeyAuth.openapi_scheme else None


class SessionActor(SessionAuth):
    """The signed-in person, with CSRF protection on changing calls."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        return Actor.of(request.user) if isinstance(request.user, User) else None


def actor_of(request: HttpRequest) -> Actor:
    """Whoever one of the two let in. Raises NotYours where neither was asked."""
    actor: object = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise NotYours
    return actor


session_or_key = [KeyAuth(), SessionActor()]
