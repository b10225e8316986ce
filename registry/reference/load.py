"""Bringing the reference data set into the database: what is missing is added, what is there stays as it was edited."""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import models, transaction

from registry.actors import Actor
from registry.events import record
from registry.models import (
    Agreement,
    CatalogueBatch,
    Contact,
    DeadlinePolicy,
    Event,
    ExpiryPolicy,
    Grant,
    ItemOffice,
    MaterialRequirement,
    NumberSequence,
    Office,
    ProblemTime,
    Region,
    Seal,
    ServiceCentre,
    ServiceItem,
    Window,
)

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]
Loaded = tuple[models.Model, bool]
"""A row, and whether it is new."""

KEYS: dict[str, tuple[str, ...]] = {
    "regions": ("code",),
    "centres": ("code",),
    "offices": ("code",),
    "windows": ("code",),
    "items": ("code",),
    "batches": ("region", "name"),
    "agreements": ("region_a", "region_b", "effective_from"),
    "grants": ("office", "right", "region", "effective_from"),
    "contacts": ("item", "office"),
    "problem_times": ("kind", "valid_from"),
    "deadline_policies": ("region", "valid_from"),
    "expiry_policies": ("valid_from",),
}
"""What a row is recognised by, set by set."""
DEFAULTS = ("problem_times", "deadline_policies", "expiry_policies")
"""Sets that name no place and entrust nobody with anything: every installation needs them."""


def load_reference() -> dict[str, int]:
    """Fill a database of one's own, in which nobody else starts. Answers how many rows of each set are new."""
    with transaction.atomic():
        return {name: len(rows) for name, rows in _add(KEYS, frozenset())[0].items()}


def bring_up_to_date(
    *, names: Collection[str], actor: Actor, now: datetime, dry_run: bool = False
) -> dict[str, list[str]]:
    """Add what these sets have and the installation never had; answers the keys of what is new, set by set.

    Nothing that is there is changed. What an earlier loading noted and somebody removed since stays removed: the events
    tell which rows were seen. With `dry_run` everything is undone.
    """
    with _one_at_a_time():
        fresh, seen = _add(names, _noted())
        noted = {name: rows for name, rows in seen.items() if rows}
        if noted:
            record(
                kind="reference.loaded",
                actor=actor,
                subject=next(iter(seen[next(iter(noted))].values())),
                now=now,
                data={
                    "seen": {name: list(rows) for name, rows in noted.items()},
                    "added": {name: rows for name, rows in fresh.items() if rows},
                },
            )
        if dry_run:
            transaction.set_rollback(True)
    return fresh


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """A transaction in which a second loader waits and then finds what the first one added.

    It waits for the number that the first one takes; on SQLite already where the transaction begins.
    """
    with transaction.atomic():
        NumberSequence.take("reference")
        yield


def _add(
    names: Collection[str], noted: frozenset[str]
) -> tuple[dict[str, list[str]], dict[str, dict[str, models.Model]]]:
    """The keys of new rows, and every row that was not noted before, by set. In the order in which sets need each other."""
    fresh: dict[str, list[str]] = {}
    seen: dict[str, dict[str, models.Model]] = {}
    for name, loader in LOADERS.items():
        if name not in names:
            continue
        fresh[name], seen[name] = [], {}
        for row in json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")):
            key = "/".join(str(row[part] or "*") for part in KEYS[name])
            if f"{name}:{key}" in noted:
                continue
            found, is_new = loader(row)
            seen[name][key] = found
            if is_new:
                fresh[name].append(key)
    return fresh, seen


def _noted() -> frozenset[str]:
    """Rows that some loading has seen in place."""
    told = Event.objects.filter(stream="system", kind="reference.loaded").values_list("data", flat=True)
    return frozenset(f"{name}:{key}" for data in told for name, keys in data["seen"].items() for key in keys)


def _ensure(model: type[models.Model], key: Row, values: Row) -> tuple[Any, bool]:
    return model._default_manager.get_or_create(**key, defaults=values)


def _region(row: Row) -> Loaded:
    return _ensure(
        Region,
        {"code": row["code"]},
        {"name": row["name"], "level": row["level"], "parent_id": row["parent"]},
    )


def _seal(code: str, name: str) -> Seal:
    return Seal.objects.get_or_create(code=code, defaults={"name": name})[0]


def _centre(row: Row) -> Loaded:
    values = {
        "name": row["name"],
        "region_id": row["region"],
        "address": row["address"],
        "phone": row["phone"],
        "seal": _seal(row["code"], row["name"]),
    }
    return _ensure(ServiceCentre, {"code": row["code"]}, values)


def _office(row: Row) -> Loaded:
    values = {
        "name": row["name"],
        "short_name": row["short_name"],
        "region_id": row["region"],
        "level": row["level"],
        "centre": ServiceCentre.objects.get(code=row["centre"]),
        "seal": _seal(f"office-{row['code']}", f"{row['name']}行政审批专用章"),
    }
    return _ensure(Office, {"code": row["code"]}, values)


def _window(row: Row) -> Loaded:
    centre = ServiceCentre.objects.get(code=row["centre"])
    values = {
        "name": row["name"],
        "place": row["place"],
        "region_id": row["region"],
        "centre": centre,
        "seal": _seal(f"window-{row['code']}", f"{centre.name}通办业务专用章"),
    }
    return _ensure(Window, {"code": row["code"]}, values)


def _item(row: Row) -> Loaded:
    """Offices and checklist come with a new item only: of one that is there they may have been edited."""
    related = {"code", "region", "offices", "materials"}
    values = {name: value for name, value in row.items() if name not in related}
    item, fresh = _ensure(
        ServiceItem, {"code": row["code"], "version": 1}, {**values, "region_id": row["region"]}
    )
    if not fresh:
        return item, False
    for code in row["offices"]:
        office = Office.objects.get(code=code)
        _ensure(ItemOffice, {"item": item, "office": office}, {"region": office.region})
    for material in row["materials"]:
        values = {name: value for name, value in material.items() if name != "position"}
        _ensure(MaterialRequirement, {"item": item, "position": material["position"]}, values)
    return item, True


def _batch(row: Row) -> Loaded:
    values = {name: value for name, value in row.items() if name not in {"region", "name"}}
    return _ensure(CatalogueBatch, {"region_id": row["region"], "name": row["name"]}, values)


def _agreement(row: Row) -> Loaded:
    key = {"region_a_id": row["region_a"], "region_b_id": row["region_b"]}
    values = {"signed_on": row["signed_on"], "shared_citywide": row["shared_citywide"]}
    return _ensure(Agreement, {**key, "effective_from": row["effective_from"]}, values)


def _grant(row: Row) -> Loaded:
    key = {
        "office": Office.objects.get(code=row["office"]),
        "right": row["right"],
        "region_id": row["region"],
        "window": None,
        "item": None,
        "effective_from": row["effective_from"],
    }
    # A grant that was revoked meanwhile is there: loading the data again does not give it anew.
    known = Grant.objects.filter(**key).first()
    return (known, False) if known else (Grant.objects.create(**key), True)


def _contact(row: Row) -> Loaded:
    key = {
        "item": ServiceItem.objects.get(code=row["item"], version=1),
        "office": Office.objects.get(code=row["office"]),
    }
    return _ensure(Contact, key, {"name": row["name"], "phone": row["phone"]})


def _problem_time(row: Row) -> Loaded:
    key = {"kind": row["kind"], "valid_from": row["valid_from"]}
    return _ensure(ProblemTime, key, {"workdays": row["workdays"], "source": row["source"]})


def _deadline_policy(row: Row) -> Loaded:
    """A policy is never edited: one that is there stays as it is."""
    values = {name: value for name, value in row.items() if name not in {"region", "valid_from"}}
    key = {"region_id": row["region"], "valid_from": row["valid_from"]}
    return DeadlinePolicy.objects.get_or_create(**key, defaults=values)


def _expiry_policy(row: Row) -> Loaded:
    values = {"days_ahead": row["days_ahead"], "source": row["source"]}
    return ExpiryPolicy.objects.get_or_create(valid_from=row["valid_from"], defaults=values)


LOADERS: dict[str, Callable[[Row], Loaded]] = {
    "regions": _region,
    "centres": _centre,
    "offices": _office,
    "windows": _window,
    "items": _item,
    "batches": _batch,
    "agreements": _agreement,
    "grants": _grant,
    "contacts": _contact,
    "problem_times": _problem_time,
    "deadline_policies": _deadline_policy,
    "expiry_policies": _expiry_policy,
}
