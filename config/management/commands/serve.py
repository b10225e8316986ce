"""`manage.py serve`: everything that a whole installation needs, started, watched and stopped as one."""

import fcntl
import http.client
import ipaddress
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from config.services.embedded import needed_services
from config.services.processes import ServiceFailed
from config.supervision import Program, Supervisor, follow
from registry.calendar import calendar_warning
from registry.models import Region, User
from registry.time import local_day
from storage.ending import Ending, ending_on_signals
from storage.services import prepare_buckets


class Command(BaseCommand):
    help = (
        "Starts the embedded servers that no setting replaces, brings the database up to date, then the web server, "
        "the workers and the relay; restarts what ends. Ctrl-C or SIGTERM stops all of it. "
        "Exit 0 after a stop, 1 when something does not start or it is running already."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the pages (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument(
            "--sandbox",
            action="store_true",
            help="also play the couriers (for trying out, not for production)",
        )

    def handle(self, *args: Any, host: str, port: int, sandbox: bool, **options: Any) -> None:
        with _alone() as lock:
            _check_port(host, port)
            lock.truncate(0)
            lock.write(f"http://{host}:{port}/")
            lock.flush()
            try:
                with ending_on_signals() as over:
                    self._serve(host, port, over, sandbox=sandbox)
            except ServiceFailed as fault:
                raise CommandError(str(fault), returncode=1) from fault

    def _serve(self, host: str, port: int, over: Ending, *, sandbox: bool) -> None:
        services = needed_services(settings.ENVIRONMENT, settings.EMBEDDED)
        for service in services:
            service.prepare()
        embedded = [Program.of(service) for service in services]
        ours = _programs(host, port, sandbox=sandbox)
        supervisor = Supervisor(
            settings.DATA_DIR / "serve",
            settings.BASE_DIR,
            {name: value for service in services for name, value in service.environment().items()}
            | _own_environment(host, port),
        )
        supervisor.start([*embedded, *ours])
        try:
            self._bring_up(supervisor, embedded, over)
            if not over.is_set():
                self._make_ready()
            self._bring_up(supervisor, ours, over)
            if not over.is_set():
                self._welcome(host, port)
                follow(supervisor, self._say, over.wait)
        finally:
            self._say("stopping")
            supervisor.stop()
        self._say("stopped")

    def _bring_up(self, supervisor: Supervisor, programs: list[Program], over: Ending) -> None:
        for program in programs:
            if over.is_set():
                return
            supervisor.bring_up(program)
            self._say(f"{program.name} is up")

    def _make_ready(self) -> None:
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        prepare_buckets()
        # An installation has its own directory from its first start on; rules that a later version brought are added.
        first = not Region.objects.exists()
        call_command("load_reference", defaults=not first, verbosity=0, stdout=self.stdout)
        self._has_accounts = User.objects.filter(is_active=True).exists()
        connections.close_all()
        self._say("the database and the store are ready")
        if warning := calendar_warning(local_day(timezone.now())):
            self._say(self.style.WARNING(f"*** {warning}"))

    def _welcome(self, host: str, port: int) -> None:
        self._say(f"open http://{host}:{port}/")
        if not self._has_accounts:
            self._say("nobody can log in yet: `manage.py make_accounts` makes an account for each role")
        self._say("`manage.py jobs` shows the work that waits or failed; Ctrl-C stops everything")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _programs(host: str, port: int, *, sandbox: bool) -> list[Program]:
    """Our own processes, in the order to start them."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    web = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{host}:{port}"),
        *(
            "--workers",
            "2",
            "--threads",
            "4",
            "--timeout",
            "120",
            "--graceful-timeout",
            "15",
            "--no-control-socket",
        ),
    ]
    worker = [
        *(sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    programs = [
        # Before the worker: it only needs the database, and the worker's first job may wait for it.
        Program("relay", [*manage, "relay"], settings.BASE_DIR),
        # A page that is being read may take a while; what is not finished then is taken up by its lease.
        Program("worker", worker, settings.BASE_DIR, stop_seconds=60),
        Program("upkeep", [*manage, "upkeep"], settings.BASE_DIR),
        Program("web", web, settings.BASE_DIR, is_ready=lambda: _answers(host, port), start_seconds=180),
    ]
    if settings.WATCH_FOLDERS:
        # It may be copying or examining a large stack; what is not finished then is taken up at the next start.
        programs.append(Program("scans", [*manage, "watch_folder"], settings.BASE_DIR, stop_seconds=30))
    if sandbox:
        couriers = Program(
            "couriers",
            [*manage, "courier_sandbox", "--port", str(settings.EMBEDDED.sandbox_port)],
            settings.BASE_DIR,
        )
        programs.insert(0, couriers)
    return programs


def _own_environment(host: str, port: int) -> dict[str, str]:
    """Slips and webhooks name our address: the one we listen on, unless the operator named another."""
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}
    if "TONGBAN_PUBLIC_URL" not in os.environ:
        environment["TONGBAN_PUBLIC_URL"] = f"http://{host}:{port}"
    return environment


@contextmanager
def _alone() -> Iterator[IO[str]]:
    """Held as long as this installation is served; the kernel lets go of it however we end."""
    folder = settings.DATA_DIR / "serve"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(f"it is already running: {lock.read()}", returncode=1) from None
        yield lock


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise CommandError(
                f"{host}:{port} cannot be used ({fault.strerror}); choose another with --port", returncode=1
            ) from fault


def _reachable(host: str) -> str:
    """Where to ask a server that listens on every address."""
    return "127.0.0.1" if ipaddress.ip_address(socket.gethostbyname(host)).is_unspecified else host


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=5)
    try:
        connection.request("GET", reverse("login"), headers={"Host": "localhost"})
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
