"""The ground of every test: a throw-away installation on real servers, and no road to the outside."""

import os
import sys
from collections.abc import Iterator

import django
import pytest
from pytest_django import DjangoDbBlocker
from redis import Redis

from tests.services import fence, installation

if "config.settings" in sys.modules:
    raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: the tests make an installation of their own")

SERVERS = installation.enter()
fence.put_up()
# Here rather than later, so that the conftest files of the rooms may import models.
django.setup()
# The processes of pytest-xdist inherit our environment and must not load the settings before they got their own.
del os.environ["DJANGO_SETTINGS_MODULE"]

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from dossier.safeguards import ARRIVAL_GUARDS  # noqa: E402
from ingest.safeguards import PROBLEM_GUARDS, TALK_GUARDS  # noqa: E402
from logistics.postage.safeguards import (  # noqa: E402
    BUDGET_GUARDS,
    HANDOVER_GUARDS,
    POSTAGE_GUARDS,
    ROAD_GUARDS,
)
from ocr.safeguards import READING_GUARDS  # noqa: E402
from registry.safeguards import EVENT_GUARDS  # noqa: E402
from storage.append_only import install_sql, remove_sql  # noqa: E402
from storage.client import store  # noqa: E402
from storage.services import prepare_buckets  # noqa: E402

settings.STATIC_ROOT.mkdir(exist_ok=True)
OTHER_SESSIONS_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
GUARDS = {
    **EVENT_GUARDS,
    **POSTAGE_GUARDS,
    **BUDGET_GUARDS,
    **ROAD_GUARDS,
    **READING_GUARDS,
    **TALK_GUARDS,
    **PROBLEM_GUARDS,
    **HANDOVER_GUARDS,
    **ARRIVAL_GUARDS,
}


def pytest_report_header() -> str:
    return (
        f"database: {'PostgreSQL' if installation.uses_postgresql() else 'SQLite'}, servers: {SERVERS.folder}"
    )


def pytest_unconfigure() -> None:
    if installation.leads():
        SERVERS.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever works on the database has to work on both."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.get_closest_marker("django_db") or "db" in fixtures or "transactional_db" in fixtures:
            item.add_marker("core")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start PostgreSQL when the first test needs a database. SQLite is a file, as it is in service."""
    if installation.uses_postgresql():
        SERVERS.ensure(SERVERS.postgresql)
    else:
        connection.settings_dict["TEST"]["NAME"] = str(connection.settings_dict["NAME"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """SQLite is emptied between tests row by row, which the append-only triggers forbid: there they are put up by
    the tests that are about them. PostgreSQL truncates, so that there every test runs under them."""
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock():
            _run(remove_sql("sqlite", GUARDS))
    yield
    if connection.vendor == "postgresql":
        # Threads and processes of the last tests may still hold sessions, which would keep the database from going.
        with django_db_blocker.unblock():
            _run([OTHER_SESSIONS_OUT])


@pytest.fixture
def append_only(db: None) -> None:
    """The triggers are up on either database."""
    if connection.vendor == "sqlite":
        _run(install_sql("sqlite", GUARDS))


@pytest.fixture
def tampering(db: None) -> Iterator[None]:
    """The triggers are down: somebody with the keys of the database changes what was written."""
    _run(remove_sql(connection.vendor, GUARDS))
    yield
    if connection.vendor != "sqlite":
        _run(install_sql(connection.vendor, GUARDS))


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(scope="session")
def seaweed() -> None:
    """The S3 server is up and both buckets of this process are there."""
    SERVERS.ensure(SERVERS.seaweed)
    prepare_buckets()


@pytest.fixture
def objects(seaweed: None) -> None:
    """The object store that the settings name answers. Content stays between tests: it is named by its digest."""


@pytest.fixture
def empty_objects(objects: None) -> None:
    """The same with nothing in it, for tests that count what lies there."""
    client = store().client
    for bucket in (settings.S3_BUCKET, settings.S3_ARCHIVE_BUCKET):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                client.delete_object(
                    Bucket=bucket,
                    Key=entry["Key"],
                    VersionId=entry["VersionId"],
                    BypassGovernanceRetention=True,
                )


@pytest.fixture
def outside(transactional_db: None) -> dict[str, str]:
    """The environment in which another process works on this test's database, store and broker."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    if installation.uses_postgresql():
        name = connection.settings_dict["NAME"]
        environment["TONGBAN_DATABASE_URL"] = SERVERS.postgresql.database_url(str(name))
    return environment


@pytest.fixture
def broker() -> Iterator[Redis]:
    """The real Redis behind CELERY_BROKER_URL, emptied before the test."""
    SERVERS.ensure(SERVERS.redis)
    with Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushdb()
        yield client
