"""Runs the courier sandbox: a courier to try against, on loopback."""

import os
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from logistics.sandbox.server import SandboxServer
from logistics.sandbox.world import World
from storage.ending import ending_on_signals


class Command(BaseCommand):
    """`manage.py courier_sandbox`."""

    help = (
        "Play the neutral courier, EMS, SF, kuaidi100 and kdniao over HTTP; accounts are registered at "
        "POST /sandbox/accounts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Port, address, and the clock."""
        parser.add_argument("--port", type=int, default=8099, help="0 takes a free port (default 8099)")
        parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
        parser.add_argument(
            "--every",
            type=float,
            default=0.0,
            help="move every parcel one step each so many seconds; 0: only on demand",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serves until SIGTERM or Ctrl-C. Credentials come from the environment, never from the command line."""
        world = World(accounts=_account(), followers=_follower())
        server = SandboxServer(world, host=options["host"], port=options["port"])
        if options["every"] > 0:
            server.run_clock(every=options["every"])
        with ending_on_signals() as over:
            desk = threading.Thread(target=server.serve_forever, args=(0.2,))
            desk.start()
            self.stdout.write(f"courier sandbox at {server.url}")
            self.stdout.flush()
            over.wait()
            server.shutdown()
            desk.join()
        server.server_close()


def _account() -> dict[str, list[str]]:
    key, secrets = os.environ.get("SANDBOX_API_KEY", ""), os.environ.get("SANDBOX_WEBHOOK_SECRETS", "")
    return {key: secrets.split()} if key else {}


def _follower() -> dict[str, str]:
    key, customer = (
        os.environ.get("SANDBOX_KUAIDI100_KEY", ""),
        os.environ.get("SANDBOX_KUAIDI100_CUSTOMER", ""),
    )
    return {key: customer} if key else {}
