"""Rows of an older version come through every migration, on either database, and what is new is filled in from them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from storage import append_only
from tests.conftest import SERVERS
from tests.services.servers import has_postgresql
from tests.shared import ROOT

DATABASE = "upgraded"
TRIED = {
    ("ingest", "0004_notice_promises_and_the_desk"),
    ("ingest", "0005_counted_from"),
    ("logistics", "0010_inbox_judged_later"),
    ("ocr", "0003_count_and_guard"),
    ("ocr", "0006_pages_carried_on_and_pictures"),
}
"""Migrations that carry rows over; `old_rows` begins before all of them."""
WITHOUT_ROWS = {("ocr", "0005_grams")}
"""Migrations that run code but only put up tables; those that only put up triggers are known by their function."""


def upgraded(environment: dict[str, str], folder: Path) -> Any:
    told = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.upgrading.old_rows"],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings", "TONGBAN_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    return json.loads(told.stdout)


@pytest.fixture(params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What the old installation became, on a database of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "TONGBAN_DATABASE_URL"}
    if request.param == "sqlite":
        return upgraded(environment, tmp_path)
    if not has_postgresql():
        pytest.skip("no PostgreSQL is installed")
    with SERVERS.database(DATABASE) as url:
        return upgraded(environment | {"TONGBAN_DATABASE_URL": url}, tmp_path)


def test_no_row_is_lost_and_the_new_columns_say_what_the_old_ones_knew(told: Any) -> None:
    assert told["lost"] == []
    assert {name for (name,) in told["applicants"]} == {"施伯安"}
    waiting, noticed, running, decided, closed, pending = told["handlings"]
    # Asked twice in the old days: the first time is when the applicant was told.
    assert waiting == ["supplement", "2026-02-28 17:30:00+00:00", "缺少副本", False, None, None]
    assert noticed == ["accepted", "2026-03-06 17:30:00+00:00", "", False, None, None]
    # Accepted at half past one on the tenth, local time.
    assert running == ["accepted", None, "", False, "2026-03-10", 5]
    assert decided[:4] == ["decided", None, "", True]
    assert closed[:4] == ["decided", None, "", False]
    assert pending == ["pending", None, "", False, None, None]
    assert told["reviews"] == [["2", 2], ["1", 1]]
    assert told["pushes"] == [["2026-03-09 17:30:00+00:00"]]


def carries(step: Operation) -> bool:
    """Whether a step may touch rows: it runs code of its own, not what puts triggers up."""
    return isinstance(step, RunPython) and step.code.__module__ != append_only.__name__


def test_every_migration_that_runs_code_is_tried_or_has_no_rows() -> None:
    loader = MigrationLoader(None)
    ours = {"storage", "registry", "ingest", "ocr", "dossier", "logistics", "workers", "config"}
    running = {
        key
        for key, migration in loader.disk_migrations.items()
        if key[0] in ours and any(carries(step) for step in migration.operations)
    }
    assert running == TRIED | WITHOUT_ROWS
