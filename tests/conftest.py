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

import dossier.safeguards  # noqa: E402
import ingest.safeguards  # noqa: E402
import logistics.postage.safeguards  # noqa: E402
import ocr.safeguards  # noqa: E402
import registry.safeguards  # noqa: E402
from config.simulation.rivals import Rivals  # noqa: E402
from storage.append_only import install_sql, remove_sql  # noqa: E402
from storage.client import store  # noqa: E402
from storage.services import prepare_buckets  # noqa: E402
from tests.order import longest_first  # noqa: E402
from tests.services.template import copy_migrated  # noqa: E402

settings.STATIC_ROOT.mkdir(exist_ok=True)
ROOMS = (
    dossier.safeguards,
    ingest.safeguards,
    logistics.postage.safeguards,
    ocr.safeguards,
    registry.safeguards,
)
# Every guard of every room, so that none is left up where the tables are emptied.
GUARDS = {
    table: guard
    for room in ROOMS
    for name, guards in vars(room).items()
    if name.endswith("_GUARDS")
    for table, guard in guards.items()
}


def pytest_report_header() -> str:
    return (
        f"database: {'PostgreSQL' if installation.uses_postgresql() else 'SQLite'}, servers: {SERVERS.folder}"
    )


def pytest_unconfigure() -> None:
    if installation.leads():
        SERVERS.stop()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Whatever works on the database has to work on both; what takes long begins, whatever others think of the order."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.get_closest_marker("django_db") or "db" in fixtures or "transactional_db" in fixtures:
            item.add_marker("core")
    yield
    longest_first(items)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A copy of the database that the migrations made in this run; PostgreSQL starts when the first test needs it.

    SQLite is emptied between tests row by row, which the append-only triggers forbid: there they are put up by the
    tests that are about them. PostgreSQL truncates, so that there every test runs under them. What is left goes with
    the folder of the run."""
    if installation.uses_postgresql():
        SERVERS.ensure(SERVERS.postgresql)
    with django_db_blocker.unblock():
        copy_migrated(SERVERS, f"test_{installation.worker_name()}")
        if connection.vendor == "sqlite":
            _run(remove_sql("sqlite", GUARDS))
    yield
    with django_db_blocker.unblock():
        connection.close()


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


@pytest.fixture
def rivals(transactional_db: None) -> Iterator[Rivals]:
    """Two who do something in the same moment, on a database that lets them."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time: there, two never meet")
    made = Rivals(lambda sql: None)
    yield made
    made.close()
