"""Bringing the reference data set into the database; loading it again changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import models, transaction

from registry.models import (
    Agreement,
    CatalogueBatch,
    Contact,
    Grant,
    ItemOffice,
    MaterialRequirement,
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


def load_reference() -> dict[str, int]:
    """Load everything in one transaction. Answers how many rows of each kind are new."""
    with transaction.atomic():
        return {
            name: sum(loader(row) for row in json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")))
            for name, loader in LOADERS.items()
        }


def _ensure(model: type[models.Model], key: Row, values: Row) -> tuple[Any, bool]:
    return model._default_manager.update_or_create(**key, defaults=values)


def _region(row: Row) -> bool:
    return _ensure(
        Region,
        {"code": row["code"]},
        {"name": row["name"], "level": row["level"], "parent_id": row["parent"]},
    )[1]


def _seal(code: str, name: str) -> Seal:
    return Seal.objects.update_or_create(code=code, defaults={"name": name})[0]


def _centre(row: Row) -> bool:
    values = {
        "name": row["name"],
        "region_id": row["region"],
        "address": row["address"],
        "phone": row["phone"],
        "seal": _seal(row["code"], row["name"]),
    }
    return _ensure(ServiceCentre, {"code": row["code"]}, values)[1]


def _office(row: Row) -> bool:
    values = {
        "name": row["name"],
        "short_name": row["short_name"],
        "region_id": row["region"],
        "level": row["level"],
        "centre": ServiceCentre.objects.get(code=row["centre"]),
        "seal": _seal(f"office-{row['code']}", f"{row['name']}行政审批专用章"),
    }
    return _ensure(Office, {"code": row["code"]}, values)[1]


def _window(row: Row) -> bool:
    centre = ServiceCentre.objects.get(code=row["centre"])
    values = {
        "name": row["name"],
        "place": row["place"],
        "region_id": row["region"],
        "centre": centre,
        "seal": _seal(f"window-{row['code']}", f"{centre.name}通办业务专用章"),
    }
    return _ensure(Window, {"code": row["code"]}, values)[1]


def _item(row: Row) -> bool:
    related = {"code", "region", "offices", "materials"}
    values = {name: value for name, value in row.items() if name not in related}
    item, fresh = _ensure(
        ServiceItem, {"code": row["code"], "version": 1}, {**values, "region_id": row["region"]}
    )
    for code in row["offices"]:
        office = Office.objects.get(code=code)
        _ensure(ItemOffice, {"item": item, "office": office}, {"region": office.region})
    for material in row["materials"]:
        values = {name: value for name, value in material.items() if name != "position"}
        _ensure(MaterialRequirement, {"item": item, "position": material["position"]}, values)
    return fresh


def _batch(row: Row) -> bool:
    values = {name: value for name, value in row.items() if name not in {"region", "name"}}
    return _ensure(CatalogueBatch, {"region_id": row["region"], "name": row["name"]}, values)[1]


def _agreement(row: Row) -> bool:
    key = {"region_a_id": row["region_a"], "region_b_id": row["region_b"]}
    values = {"signed_on": row["signed_on"], "shared_citywide": row["shared_citywide"]}
    return _ensure(Agreement, {**key, "effective_from": row["effective_from"]}, values)[1]


def _grant(row: Row) -> bool:
    key = {
        "office": Office.objects.get(code=row["office"]),
        "right": row["right"],
        "region_id": row["region"],
        "window": None,
        "item": None,
        "effective_from": row["effective_from"],
    }
    # A grant that was revoked meanwhile is there: loading the data again does not give it anew.
    if Grant.objects.filter(**key).exists():
        return False
    Grant.objects.create(**key)
    return True


def _contact(row: Row) -> bool:
    key = {
        "item": ServiceItem.objects.get(code=row["item"], version=1),
        "office": Office.objects.get(code=row["office"]),
    }
    return _ensure(Contact, key, {"name": row["name"], "phone": row["phone"]})[1]


def _problem_time(row: Row) -> bool:
    key = {"kind": row["kind"], "valid_from": row["valid_from"]}
    return _ensure(ProblemTime, key, {"workdays": row["workdays"], "source": row["source"]})[1]


LOADERS: dict[str, Callable[[Row], bool]] = {
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
}
