"""What every page shares: who may open it, the clock, and how a refused act returns to its cause."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase, QueryDict

from registry.actors import Actor
from registry.models import User
from registry.permissions import NotYours, may
from storage.errors import Refused

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]


class Page(Protocol):
    """A view that names the acts of the permission table, any of which opens it; none means anyone signed in."""

    acts: tuple[str, ...]

    def __call__(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase: ...


@dataclass(frozen=True)
class Fault:
    """A refusal and the place on the page where it belongs; `page` is that page's address where an act has its own."""

    at: str
    message: str
    code: str = ""
    page: str = ""
    told: list[str] = field(default_factory=list, compare=False)
    """Where the page has said it. A place may be gone: what was refused is often what no longer stands there."""

    @classmethod
    def of(cls, refused: Refused, at: str, page: str = "") -> "Fault":
        return cls(at=at, message=refused.message, code=refused.code, page=page)


@dataclass(frozen=True)
class Typed:
    """What the person had typed where the act was refused, so that nothing is lost."""

    at: str
    values: QueryDict

    def at_place(self, at: str) -> QueryDict:
        return self.values if at == self.at else QueryDict()


def ids_in(posted: QueryDict, name: str) -> list[int]:
    """The keys that were ticked under this name; what is no number is none."""
    return [int(pk) for pk in posted.getlist(name) if pk.isdecimal()]


def page(*acts: str) -> Callable[[View[P]], Page]:
    """Let in who may do any of `acts`; everyone else finds nothing here."""

    def decorate(view: View[P]) -> Page:
        @wraps(view)
        def opened(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor = Actor.of(cast(User, request.user))
            if acts and not any(may(actor, act) for act in acts):
                raise NotYours
            return view(request, actor, *args, **kwargs)

        guarded = cast(Page, login_required(opened))
        guarded.acts = acts
        return guarded

    return decorate
