"""Walk every chain of the audit trail, compare it with its anchors, and list where something does not hold."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from dossier.models import AuditAnchor
from dossier.services.anchoring import check_anchors
from registry.events import verify_chains
from registry.models import Event


class Command(BaseCommand):
    help = (
        "Recompute the hash chain of every case and of the system, and compare the trail with the stamped anchors "
        "in the archive. Exit 1 when an entry is missing or changed, or an anchor is missing or not stamped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        breaks, anchors = list(verify_chains()), list(check_anchors())
        checked, anchored = Event.objects.count(), AuditAnchor.objects.count()
        if options["json"]:
            document = {
                "checked": checked,
                "anchored": anchored,
                "breaks": [asdict(broken) for broken in breaks],
                "anchors": [asdict(broken) for broken in anchors],
            }
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            for broken in breaks:
                self.stdout.write(f"{broken.fault:9} {broken.stream} {broken.sequence}")
            for anchor in anchors:
                self.stdout.write(f"{anchor.fault:9} anchor {anchor.number}")
            self.stdout.write(
                f"{checked} entries and {anchored} anchors checked, {len(breaks) + len(anchors)} breaks"
            )
        if breaks or anchors:
            raise SystemExit(1)
