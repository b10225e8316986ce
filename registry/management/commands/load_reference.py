"""Load the reference data set drawn from the public notices."""

from typing import Any

from django.core.management.base import BaseCommand

from registry.reference.load import load_reference


class Command(BaseCommand):
    help = "Load regions, centres, offices, windows, items, agreements and grants. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, fresh in load_reference().items():
            self.stdout.write(f"{name}: {fresh} new")
