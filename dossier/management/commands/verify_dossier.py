"""`manage.py verify_dossier FILE.pdf`: a plain verdict and the reason."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dossier.sealing import installation_trust
from dossier.sign import system_clock
from dossier.trust import Trust, read_certificates
from dossier.verify.child import verify_foreign
from dossier.verify.verdict import Expected, Verdict


class Command(BaseCommand):
    help = (
        "Verify a dossier: every signature, what it covers, timestamps, manifest hashes. "
        "Exit 0: valid; 1: not valid; 2: usage."
    )
    requires_system_checks = []  # they load every page of the site, which takes seconds

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.pdf")
        parser.add_argument("--json", action="store_true", help="print the verdict for programs")
        parser.add_argument(
            "--trust", type=Path, metavar="ROOTS.pem", help="trust these roots instead of the installation's"
        )
        parser.add_argument("--case-number", help="the case that the dossier must belong to")
        parser.add_argument("--sha256", help="the digest that was recorded for the file")
        parser.add_argument("--signatures", type=int, help="how many signatures and timestamps it must have")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            self.stderr.write(f"没有这个文件：{path}")
            sys.exit(2)
        verdict = verify_foreign(
            path,
            trust=Trust(roots=read_certificates(options["trust"]))
            if options["trust"]
            else installation_trust(),
            moment=system_clock(),
            expected=Expected(
                sha256=options["sha256"],
                signature_count=options["signatures"],
                case_number=options["case_number"],
            ),
        )
        self._print(verdict, as_json=options["json"])
        sys.exit(0 if verdict.is_valid else 1)

    def _print(self, verdict: Verdict, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(verdict.as_json(), ensure_ascii=False, indent=2))
            return
        self.stdout.write(verdict.headline)
        for reason in verdict.reasons:
            self.stdout.write(f"原因：{reason}")
        for finding in verdict.findings:
            self.stdout.write(f"  {finding.sentence}")
        self.stdout.write(f"  卷宗清单：{verdict.manifest}")
        self.stdout.write(f"  SHA-256 {verdict.sha256}")
