"""Re-hash everything in the object store and list what is missing, damaged, unlocked or unreferenced."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from storage.checking import check_storage
from storage.models import StoredObject
from storage.services import prepare_buckets


class Command(BaseCommand):
    help = "Re-hash every stored object and ask for its lock. Exit 1 when anything is missing, damaged or unlocked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--mend",
            action="store_true",
            help="put back what an older version still has, and locks that are gone; removes nothing",
        )
        parser.add_argument("--json", action="store_true", help="print a JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_buckets()
        findings = list(check_storage(now=timezone.now(), mend=options["mend"]))
        checked = StoredObject.objects.count()
        if options["json"]:
            document = {"checked": checked, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            for finding in findings:
                mended = ", mended" if finding.mended else ""
                self.stdout.write(
                    f"{finding.fault:12} {finding.bucket}/{finding.key} ({finding.size} bytes){mended}"
                )
            self.stdout.write(f"{checked} objects checked, {len(findings)} findings")
        if any(finding.fault != "unreferenced" and not finding.mended for finding in findings):
            raise SystemExit(1)
