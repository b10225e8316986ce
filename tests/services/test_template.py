"""The database of a test process: whole, its own, and not the one that it was copied from."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.services import installation
from tests.services.template import TEMPLATE

pytestmark = pytest.mark.django_db


def test_every_migration_has_run() -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_each_process_works_on_a_copy_of_its_own() -> None:
    name = str(connection.settings_dict["NAME"])
    assert installation.worker_name() in name
    assert TEMPLATE not in name
