"""Write the pages of docs/ that are made from the code, or check that they are in step with it."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.documents import documents


class Command(BaseCommand):
    help = "Write docs/ from the code. With --check only compare: exit 1 when a page is out of step."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.BASE_DIR / "docs"
        stale = []
        for name, text in documents().items():
            path = folder / name
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            stale.append(name)
            if not options["check"]:
                path.write_text(text, encoding="utf-8")
        for name in stale:
            self.stdout.write(
                f"docs/{name}: {'out of step, run manage.py make_docs' if options['check'] else 'written'}"
            )
        if options["check"] and stale:
            raise SystemExit(1)
