"""Re-hash everything in the object store and list what is missing, damaged or unreferenced."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from storage.checking import check_storage
from storage.models import StoredObject
from storage.services import prepare_buckets


class Command(BaseCommand):
    help = "Re-hash every stored object. Exit 1 when anything is missing or damaged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_buckets()
        findings = list(check_storage())
        checked = StoredObject.objects.count()
        if options["json"]:
            document = {"checked": checked, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.fault:12} {finding.bucket}/{finding.key} ({finding.size} bytes)")
            self.stdout.write(f"{checked} objects checked, {len(findings)} findings")
        if any(finding.fault != "unreferenced" for finding in findings):
            raise SystemExit(1)
