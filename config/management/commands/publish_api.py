"""`manage.py publish_api`: promise the API as it is now, or check that what was promised is kept."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.publishing import check_published, publish
from storage.errors import Refused


class Command(BaseCommand):
    help = (
        "Write docs/api/vN.json, which callers of version N were promised. With --check only compare: exit 1 when a "
        "change would break them and the version was not raised."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                check_published()
            else:
                self.stdout.write(f"{publish()}")
        except Refused as refused:
            self.stderr.write(refused.message)
            raise SystemExit(1) from refused
