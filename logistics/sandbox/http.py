"""The sandbox's small HTTP layer: requests, answers, routes."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Request:
    """One request, read whole. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def argument(self, name: str) -> str:
        """A query argument, or empty."""
        return parse_qs(self.query).get(name, [""])[0]

    def fields(self) -> dict[str, str]:
        """The body as form fields."""
        return {
            name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()
        }


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: bytes
    media_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: object, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(status=status, body=json.dumps(value, ensure_ascii=False).encode())


def says_no(code: str, status: int) -> Answer:
    """A refusal with a short code."""
    return as_json({"code": code}, status)


Handler = Callable[[Request, Mapping[str, str]], Answer]


@dataclass(frozen=True)
class Route:
    """A method and path pattern, the name of the act (for faults), and who answers.

    Some couriers have one address for everything: there the act is read from the request.
    """

    method: str
    pattern: re.Pattern[str]
    act: str | Callable[[Request], str]
    handler: Handler

    def act_of(self, request: Request) -> str:
        """What the request asks for."""
        return self.act if isinstance(self.act, str) else self.act(request)


def route(method: str, pattern: str, act: str | Callable[[Request], str], handler: Handler) -> Route:
    """A route; `{name}` in the pattern matches one path segment."""
    expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method=method, pattern=re.compile(f"^{expression}$"), act=act, handler=handler)
