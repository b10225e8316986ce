"""A storm of signed pushes while PostgreSQL is killed: what was acknowledged is there, and nobody has to be restarted."""

import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dj_database_url
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker
from redis import Redis

from config.embedded import free_ports
from config.services.postgresql import PrivatePostgresql
from config.services.processes import Running, ServiceFailed, wait_until
from logistics.models import TrackingEvent, Waybill, WebhookDelivery
from logistics.sandbox.server import SandboxServer
from registry.events import verify_chains
from registry.models import Event
from tests.logistics.storm import SECONDS, brewing, kept, start_web
from tests.processes import Start, starting
from tests.services import installation

pytestmark = [
    pytest.mark.usefixtures("objects"),
    pytest.mark.skipif(
        not installation.uses_postgresql(), reason="SQLite has no process of its own that could be killed"
    ),
]
PUSHES = 300
RELAY = (sys.executable, "manage.py", "relay", "--resend", "2")
WORKER = (
    *(sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=1"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
State = WebhookDelivery.State


@dataclass
class Database:
    """A PostgreSQL of this test alone, which keeps its safety against power cuts."""

    server: PrivatePostgresql
    running: Running

    def kill(self) -> None:
        """kill -9 of the postmaster, and of nothing else."""
        self.running.kill()
        connection.close()

    def restart(self) -> None:
        """Up again, as soon as the last of the orphaned backends has noticed that it is one."""
        wait_until(self._starts, seconds=SECONDS)

    def _starts(self) -> bool:
        with suppress(ServiceFailed):
            self.running = self.server.start()
            return True
        return False


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    """The database of this test, which this process works on, too."""
    with tempfile.TemporaryDirectory(dir=os.environ[installation.RUN], prefix="pg-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs under another account when we are root
        server = PrivatePostgresql(Path(folder) / "pg")
        own = Database(server, server.start())
        shared = dict(connection.settings_dict)
        with django_db_blocker.unblock():
            connection.close()
            connection.settings_dict.update(dj_database_url.parse(server.database_url()))
            ContentType.objects.clear_cache()
            try:
                call_command("migrate", verbosity=0)
                yield own
            finally:
                connection.close()
                connection.settings_dict.clear()
                connection.settings_dict.update(shared)
                ContentType.objects.clear_cache()
                own.running.stop()


@pytest.fixture
def start(database: Database, broker: Redis, tmp_path: Path) -> Iterator[Start]:
    """Starts one of our processes on that database; whatever is left of them is killed at the end."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TONGBAN_DATABASE_URL": database.server.database_url(),
        "TONGBAN_JOB_LEASE_SECONDS": "2",
    }
    with starting(environment, tmp_path / "log") as start_one:
        yield start_one


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_when_the_database_is_killed_and_nobody_is_restarted(
    database: Database, start: Start, sandbox: SandboxServer
) -> None:
    (port,) = free_ports(1)
    events, courier = brewing(sandbox, port, PUSHES)
    processes = [start_web(start, port), start(*RELAY), start(*WORKER)]

    with ThreadPoolExecutor(6) as connections:
        sent = [connections.submit(courier.deliver, push) for push in courier.pushes]
        wait_until(lambda: len(courier.acknowledged) >= PUSHES // 4, seconds=SECONDS)
        database.kill()
        before = set(courier.acknowledged)
        wait_until(lambda: sum(courier.refused.values()) >= 6, seconds=SECONDS)
        database.restart()
        assert before <= kept(), "acknowledged before the database died"
        for one in sent:
            one.result()
    assert set(courier.refused) == {503}, "an answer that makes couriers repeat"
    assert set(courier.acknowledged) == {push.headers["webhook-id"] for push in courier.pushes}

    wait_until(lambda: TrackingEvent.objects.count() == PUSHES and not unjudged(), seconds=SECONDS)
    assert [process.poll() for process in processes] == [None, None, None], "nobody was restarted"
    assert kept() == set(courier.acknowledged)
    assert set(Waybill.objects.get().events.values_list("key", flat=True)) == events
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) <= {State.PROCESSED, State.REPEATED}
    assert WebhookDelivery.objects.filter(state=State.PROCESSED).count() == PUSHES
    tracked = Event.objects.filter(kind="parcel.tracked").values_list("data__new", flat=True)
    assert sum(tracked) == PUSHES, "each was applied once"
    assert list(verify_chains()) == []


def unjudged() -> bool:
    return WebhookDelivery.objects.filter(state=State.RECEIVED).exists()
