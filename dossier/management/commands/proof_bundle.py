"""`manage.py proof_bundle CASE -o OUT.zip`: a dossier with all that a stranger needs to check it."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from dossier.models import Dossier, DossierState
from dossier.services import proof_bundle
from registry.actors import SYSTEM
from storage.errors import Refused


class Command(BaseCommand):
    help = (
        "Write the proof bundle of a case's dossier: PDF, manifest, event log, certificates, timestamps and the page "
        "that explains how to check them with openssl and qpdf. The hand-out is recorded. "
        "Exit 0: written; 1: refused; 2: there is no such dossier, or several offices have one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", metavar="CASE", help="the case's number")
        parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.zip")
        parser.add_argument("--edition", type=int, metavar="N", help="default: the newest")
        parser.add_argument("--office", metavar="CODE", help="which office's, where a case has several")

    def handle(self, *_args: Any, **options: Any) -> None:
        dossier = self._find(options["case"], options["edition"], options["office"])
        if dossier is None:
            sys.exit(2)
        try:
            proof_bundle(dossier=dossier, actor=SYSTEM, now=timezone.now(), target=options["output"])
        except Refused as refusal:
            self.stderr.write(refusal.message)
            sys.exit(1)
        self.stdout.write(f"{options['output']}：{options['output'].stat().st_size} 字节")

    def _find(self, case: str, edition: int | None, office: str | None) -> Dossier | None:
        rows = Dossier.objects.filter(handling__case__number=case, state=DossierState.SIGNED)
        if edition is not None:
            rows = rows.filter(version=edition)
        if office is not None:
            rows = rows.filter(handling__office__code=office)
        if rows.values("handling").distinct().count() > 1:
            self.stderr.write("这个办件有几个审批部门的卷宗，请用 --office 指明。")
            return None
        found = (
            rows.select_related("stored", "handling__case__item", "handling__office")
            .order_by("-version")
            .first()
        )
        if found is None:
            self.stderr.write("没有这份卷宗，或尚未签章。")
        return found
