"""`manage.py index_pages`: let pages be found by what stands on them, after an upgrade or a change of the index key."""

from typing import Any

from django.core.management.base import BaseCommand

from ocr.services.review import index_again


class Command(BaseCommand):
    help = "Fill the blind index of page texts anew. Safe to repeat and to stop at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{index_again()} pages")
