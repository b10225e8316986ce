"""`python -m tests.upgrading.old_rows`: an installation of long ago with rows in it, brought up to date; prints what became of them.

Works on the empty database that the environment names. What must come out is said by the test that starts it.
"""

import hashlib
import itertools
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django
from django.apps import apps as present
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor

LONG_AGO = [
    ("storage", "0001_initial"),
    ("registry", "0004_catalogue_and_cooperation"),
    ("ingest", "0003_page_faults"),
    ("logistics", "0009_damaged_originals"),
    ("ocr", "0002_review"),
]
"""Before every migration that carries rows over: ingest 0004 and 0005, logistics 0010, ocr 0003 and 0006."""
MONDAY = datetime(2026, 3, 9, 17, 30, tzinfo=UTC)
"""Half past one on Tuesday morning at Shanghai: the day is the local one."""
NUMBERS = itertools.count(1)


class Planter:
    """Makes rows of the old models, with something in every column that nobody names, and remembers them."""

    def __init__(self, old: Any) -> None:
        self.old = old
        self.kept: list[tuple[str, str, Any, dict[str, object]]] = []

    def make(self, label: str, **values: Any) -> Any:
        model = self.old.get_model(label)
        for column in model._meta.concrete_fields:
            needless = column.primary_key or column.null or column.has_default() or column.name in values
            if not needless and not isinstance(column, models.ForeignKey) and not column.blank:
                values[column.name] = _something(column)
        row = model.objects.create(**values)
        # As the database gives it back: in its own precision.
        again = model.objects.get(pk=row.pk)
        told = {column.attname: getattr(again, column.attname) for column in model._meta.concrete_fields}
        self.kept.append((*label.split("."), row.pk, told))
        return row


def _something(column: "models.Field[Any, Any]") -> object:
    number = next(NUMBERS)
    if isinstance(column, models.DateTimeField):
        return MONDAY
    if isinstance(column, models.DateField):
        return MONDAY.date()
    if isinstance(column, models.BooleanField):
        return True
    if isinstance(column, (models.IntegerField, models.FloatField)):
        return number
    return {"JSONField": [], "EncryptedJSONField": {}}.get(type(column).__name__, f"x{number}")


def plant(old: Any) -> Planter:
    """One case for each thing that a migration has to tell apart."""
    seeds = Planter(old)
    region = seeds.make("registry.Region", code="331000", name="台州市", level="city")
    centre = seeds.make("registry.ServiceCentre", region=region)
    office = seeds.make("registry.Office", region=region, centre=centre, level="city")
    window = seeds.make("registry.Window", region=region, centre=centre)
    item = seeds.make("registry.ServiceItem", region=region, scope="city", stars=3, promised_days=5)
    accepted = {"accepted_at": MONDAY, "deadline": date(2026, 3, 17)}

    def handling(state: str, case_state: str, **values: Any) -> Any:
        case = seeds.make(
            "ingest.Case", item=item, window=window, mode="window_forward", state=case_state,
            applicant_name="施伯安", applicant_phone="19900007219", submitted_at=MONDAY,
        )  # fmt: skip
        return seeds.make("ingest.Handling", case=case, office=office, is_lead=True, state=state, **values)

    waiting = handling("supplement", "supplement", reason="缺少副本", resume_state="pending")
    noticed = handling("accepted", "accepted", reason="", **accepted)
    handling("accepted", "accepted", **accepted)
    handling("decided", "decided", decided_at=MONDAY, decision="approved", **accepted)
    handling("decided", "closed", decided_at=MONDAY, decision="approved", **accepted)
    handling("pending", "submitted")
    for sequence, (asked, at) in enumerate(
        [(waiting, MONDAY - timedelta(days=9)), (noticed, MONDAY - timedelta(days=3)), (waiting, MONDAY)],
        start=1,
    ):
        seeds.make(
            "registry.Event", kind="handling.supplement_asked", at=at, subject_type="ingest.handling",
            subject_id=str(asked.pk), stream="x", sequence=sequence, data={},
        )  # fmt: skip
    _read_page(seeds, noticed.case)
    _unread_page(seeds, noticed.case)
    _push(seeds, centre)
    return seeds


def _read_page(seeds: Planter, case: Any) -> None:
    """One page that was read twice; the newer reading has a doubtful line and a doubtful field."""
    digest = hashlib.sha256(b"page").hexdigest()
    stored = seeds.make("storage.StoredObject", sha256=digest, kind="page")
    file = seeds.make("ingest.SourceFile", case=case, stored=stored, sha256=digest, verdict="accepted")
    page = seeds.make("ingest.Page", case=case, file=file, stored=stored, sha256=digest, source="as_captured")
    line = {"text": "姓名", "uncertain": False}
    for version, lines in enumerate([[line], [line, {**line, "uncertain": True}, line]], start=1):
        seeds.make(
            "ocr.Reading", page=page, engine="rapidocr", engine_version=str(version), lines=lines,
            fields=[{"line": 2, "certain": False}], read_at=MONDAY + timedelta(hours=version),
        )  # fmt: skip


def _unread_page(seeds: Planter, case: Any) -> None:
    """A page on which nothing was found."""
    digest = hashlib.sha256(b"unread").hexdigest()
    stored = seeds.make("storage.StoredObject", sha256=digest, kind="page")
    file = seeds.make("ingest.SourceFile", case=case, stored=stored, sha256=digest, verdict="accepted")
    page = seeds.make("ingest.Page", case=case, file=file, stored=stored, sha256=digest, source="as_captured")
    seeds.make(
        "ocr.Reading", page=page, engine="rapidocr", engine_version="1", failure="no_text", read_at=MONDAY
    )


def _push(seeds: Planter, centre: Any) -> None:
    carrier = seeds.make("logistics.Carrier")
    account = seeds.make("logistics.CarrierAccount", carrier=carrier, centre=centre)
    seeds.make("logistics.WebhookDelivery", account=account, key="k1", raw={"body": "{}"})


def lost(seeds: Planter) -> Iterator[str]:
    """Every planted value that is not there any more or says something else."""
    for app, name, pk, told in seeds.kept:
        row = present.get_model(app, name)._default_manager.filter(pk=pk).first()
        if row is None:
            yield f"{app}.{name} {pk} is gone"
            continue
        for column, value in told.items():
            if getattr(row, column, None) != value:
                yield f"{app}.{name} {pk} {column}: {value!r} became {getattr(row, column, None)!r}"


def rows(label: str, *columns: str) -> list[list[object]]:
    found = present.get_model(label)._default_manager.order_by("pk").values_list(*columns)
    return [list(row) for row in found]


def main() -> None:
    django.setup()
    executor = MigrationExecutor(connection)
    executor.migrate(LONG_AGO)
    seeds = plant(executor.loader.project_state(LONG_AGO).apps)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    told = {
        "vendor": connection.vendor,
        "lost": list(lost(seeds)),
        "handlings": rows(
            "ingest.Handling", "state", "noticed_at", "notice", "unsent", "counted_from", "counted_days"
        ),
        "reviews": rows("ocr.Review", "reading__engine_version", "open"),
        "pushes": rows("logistics.WebhookDelivery", "noted_at"),
        "applicants": rows("ingest.Case", "applicant_name"),
    }
    json.dump(told, sys.stdout, ensure_ascii=False, default=str)


if __name__ == "__main__":
    main()
