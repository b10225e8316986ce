"""Pagination by key: the next page begins after the last row seen, however many rows came or went meanwhile."""

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from django.db.models import DateField, F, Model, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from ingest.models import NO_DEADLINE

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Slice(Generic[M]):
    """Rows, and the key to give as `after` for the next ones; empty on the last page."""

    rows: list[M]
    next: str


def by_deadline(rows: QuerySet[M], *, after: str, size: int) -> Slice[M]:
    """Earliest `deadline` first, those without one last, oldest first among equals. A foreign key is ignored.

    Which rows they are is asked of keys and days alone, which an index answers; only they are then read whole.
    """
    due = Coalesce(F("deadline"), Value(NO_DEADLINE), output_field=DateField())
    keyed = rows.annotate(due=due)
    if key := _deadline_key(after):
        day, pk = key
        keyed = keyed.filter(Q(due__gt=day) | Q(due=day, pk__gt=pk))
    first = keyed.order_by("due", "pk").values("pk")[: size + 1]
    whole = rows.model._default_manager.annotate(due=due).filter(pk__in=first)
    found = list(whole.order_by("due", "pk"))
    last = found[size - 1] if len(found) > size else None
    return Slice(found[:size], f"{last.due:%Y-%m-%d}~{last.pk}" if last is not None else "")  # type: ignore[attr-defined]


def newest_first(rows: QuerySet[M], *, after: str, size: int, key: str = "pk") -> Slice[M]:
    """Largest key first; `key` is a whole number that no two rows share."""
    if after.isdecimal():
        rows = rows.filter(**{f"{key}__lt": int(after)})
    found = list(rows.order_by(f"-{key}")[: size + 1])
    return Slice(found[:size], str(getattr(found[size - 1], key)) if len(found) > size else "")


def _deadline_key(after: str) -> tuple[date, int] | None:
    day, _, pk = after.partition("~")
    try:
        return date.fromisoformat(day), int(pk)
    except ValueError:
        return None
