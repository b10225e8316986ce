"""What in a newer description of the API breaks those who were written against the published one.

Both sides are OpenAPI 3.1 documents as plain data. What callers send may become easier and what they are answered richer;
the other direction breaks: something removed, something newly demanded, a type or a choice made narrower.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Doc = Mapping[str, Any]
Side = Literal["request", "response"]
METHODS = ("get", "post", "put", "patch", "delete")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
DEEPEST = 12
"""Schemas may refer to themselves; nothing of ours nests deeper."""


@dataclass(frozen=True)
class Break:
    """Where (`POST /cases request.applicant.name`) and what, in words."""

    at: str
    fault: str

    def __str__(self) -> str:
        return f"{self.at}: {self.fault}"


def breaks(published: Doc, current: Doc) -> list[Break]:
    """Everything that a caller of the published API may stumble over; empty when there is nothing."""
    return list(_Comparison(published, current).all())


class _Comparison:
    def __init__(self, published: Doc, current: Doc) -> None:
        self.published, self.current = published, current

    def all(self) -> Iterator[Break]:
        for path, before in self.published.get("paths", {}).items():
            after = self.current.get("paths", {}).get(path)
            if after is None:
                yield Break(path, "path removed")
                continue
            for method in METHODS:
                if method not in before:
                    continue
                at = f"{method.upper()} {path}"
                if method not in after:
                    yield Break(at, "operation removed")
                else:
                    yield from self._operation(at, before[method], after[method])
        yield from self._webhooks()

    def _webhooks(self) -> Iterator[Break]:
        """What we send by ourselves is read by callers like an answer."""
        for kind, before in self.published.get("webhooks", {}).items():
            after = self.current.get("webhooks", {}).get(kind)
            if after is None:
                yield Break(kind, "webhook removed")
                continue
            told, now = before["post"]["requestBody"], after["post"]["requestBody"]
            yield from self._contents(f"{kind} webhook", told, now, "response")

    def _operation(self, at: str, before: Doc, after: Doc) -> Iterator[Break]:
        if before.get("security") != after.get("security") and after.get("security"):
            known = {name for way in before.get("security", ()) for name in way}
            offered = {name for way in after["security"] for name in way}
            if not known <= offered or not known:
                yield Break(at, "other authentication demanded")
        yield from self._parameters(at, before, after)
        yield from self._body(at, before.get("requestBody"), after.get("requestBody"))
        yield from self._responses(at, before.get("responses", {}), after.get("responses", {}))

    def _parameters(self, at: str, before: Doc, after: Doc) -> Iterator[Break]:
        old = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
        new = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
        for key, one in old.items():
            where = f"{at} {key[0]}.{key[1]}"
            if key not in new:
                yield Break(where, "parameter removed")
                continue
            if new[key].get("required") and not one.get("required"):
                yield Break(where, "parameter newly required")
            yield from self._schema(where, one.get("schema", {}), new[key].get("schema", {}), "request")
        for key, one in new.items():
            if key not in old and one.get("required"):
                yield Break(f"{at} {key[0]}.{key[1]}", "parameter newly required")

    def _body(self, at: str, before: Doc | None, after: Doc | None) -> Iterator[Break]:
        if before is None:
            if after is not None and after.get("required"):
                yield Break(at, "body newly required")
            return
        if after is None:
            yield Break(at, "body no longer taken")
            return
        if after.get("required") and not before.get("required"):
            yield Break(at, "body newly required")
        yield from self._contents(f"{at} request", before, after, "request")

    def _responses(self, at: str, before: Doc, after: Doc) -> Iterator[Break]:
        for status, response in before.items():
            if not str(status).startswith("2"):
                continue
            if status not in after:
                yield Break(f"{at} {status}", "answer removed")
            else:
                yield from self._contents(f"{at} {status}", response, after[status], "response")

    def _contents(self, at: str, before: Doc, after: Doc, side: Side) -> Iterator[Break]:
        for media, told in before.get("content", {}).items():
            now = after.get("content", {}).get(media)
            if now is None:
                yield Break(at, f"{media} removed")
            else:
                yield from self._schema(at, told.get("schema", {}), now.get("schema", {}), side)

    def _schema(self, at: str, before: Doc, after: Doc, side: Side, depth: int = 0) -> Iterator[Break]:
        if depth > DEEPEST:
            return
        old, new = _ways(self.published, before), _ways(self.current, after)
        yield from _types(at, old, new, side)
        yield from _choices(at, old, new, side)
        if side == "request":
            yield from _bounds(at, old, new)
        yield from self._properties(at, _of_type(old, "object"), _of_type(new, "object"), side, depth)
        listed, found = _of_type(old, "array").get("items"), _of_type(new, "array").get("items")
        if listed is not None and found is not None:
            yield from self._schema(f"{at}[]", listed, found, side, depth + 1)

    def _properties(self, at: str, old: Doc, new: Doc, side: Side, depth: int) -> Iterator[Break]:
        known, found = old.get("properties", {}), new.get("properties", {})
        was, demanded = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in known.items():
            where = f"{at}.{name}"
            if name not in found:
                yield Break(where, "field removed")
                continue
            if side == "response" and name in was and name not in demanded:
                yield Break(where, "field may now be missing")
            yield from self._schema(where, schema, found[name], side, depth + 1)
        if side == "request" and old:
            for name in sorted(demanded - was):
                yield Break(f"{at}.{name}", "field newly required")


def _ways(document: Doc, schema: Doc) -> list[Doc]:
    """The alternatives of a schema, references followed: one for most, two for what may be null."""
    while "$ref" in schema:
        found: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    if not inner:
        return [schema]
    return [way for one in inner for way in _ways(document, one)]


def _kinds(ways: list[Doc]) -> frozenset[str]:
    """The JSON types that are allowed; empty for anything."""
    named: set[str] = set()
    for way in ways:
        kind = way.get("type")
        if kind is None:
            return frozenset()
        named |= {kind} if isinstance(kind, str) else set(kind)
    return frozenset(named | {"integer"} if "number" in named else named)


def _of_type(ways: list[Doc], kind: str) -> Doc:
    return next((way for way in ways if way.get("type") == kind), {})


def _types(at: str, old: list[Doc], new: list[Doc], side: Side) -> Iterator[Break]:
    before, after = _kinds(old), _kinds(new)
    # What may be sent must stay allowed; what may be answered must have been announced.
    narrow, wide = (after, before) if side == "request" else (before, after)
    lost = wide - narrow if narrow else frozenset()
    if lost or (narrow and not wide):
        told = ", ".join(sorted(lost)) or "anything"
        yield Break(at, f"no longer taken: {told}" if side == "request" else f"may now be {told}")


def _choices(at: str, old: list[Doc], new: list[Doc], side: Side) -> Iterator[Break]:
    """Values of an enumeration. A new value in an answer is no break: callers are told to expect words they do not know."""
    before, after = _values(old), _values(new)
    if side == "request" and after is not None:
        if before is None:
            yield Break(at, "limited to listed values")
        elif gone := sorted(before - after):
            yield Break(at, f"values no longer taken: {', '.join(gone)}")


def _values(ways: list[Doc]) -> frozenset[str] | None:
    """The listed values; None when there is no list."""
    lists = [
        way["enum"] if "enum" in way else [way["const"]] for way in ways if "enum" in way or "const" in way
    ]
    return frozenset(str(value) for values in lists for value in values) if lists else None


def _bounds(at: str, old: list[Doc], new: list[Doc]) -> Iterator[Break]:
    for name in (*UPPER, *LOWER):
        before = next((way[name] for way in old if name in way), None)
        after = next((way[name] for way in new if name in way), None)
        if after is None or before == after:
            continue
        if before is None or (after < before if name in UPPER else after > before):
            yield Break(at, f"{name} narrowed to {after}")
    pattern = next((way["pattern"] for way in new if "pattern" in way), None)
    if pattern is not None and pattern != next((way["pattern"] for way in old if "pattern" in way), None):
        yield Break(at, "pattern changed")
