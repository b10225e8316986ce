"""`manage.py recount_figures`: count the figures of finished months afresh, after old rows were changed by hand."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from ingest.services.tallying import forget_tallies, tally_figures


class Command(BaseCommand):
    help = "Forget what finished days add up to and add them up again. The figures stay right meanwhile, and slower."

    def handle(self, *args: Any, **options: Any) -> None:
        forget_tallies()
        months = 0
        while done := tally_figures(now=timezone.now()):
            months += done
        self.stdout.write(f"{months} months")
