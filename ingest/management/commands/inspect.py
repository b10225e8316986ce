"""`manage.py inspect FILE…`: what the intake would make of these files, without taking them in."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ingest.inspect import Inspection, inspect_file
from storage.scratch import scratch

_VERDICTS = {"accepted": "收下", "repaired": "修复后收下", "refused": "拒收"}


class Command(BaseCommand):
    """Exit status 0: all accepted; 1: at least one refused; 2: wrong usage."""

    help = (
        "Inspect files in a limited child process and tell for each whether it would be accepted, "
        "repaired or refused, why, how many pages it has and what was removed."
    )

    requires_system_checks = []  # files only: neither database nor pages are needed

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print a JSON list")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password of locked PDFs from stdin",
        )
        parser.add_argument(
            "-o",
            "--out",
            type=Path,
            metavar="DIR",
            help="keep the pages, in a folder of DIR for each file",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        with scratch("inspect") as folder:
            place = options["out"] or folder
            findings = [
                (path, inspect_file(path, place / f"{number:03d}-{path.stem}", password=password))
                for number, path in enumerate(files, start=1)
            ]
        if options["as_json"]:
            self.stdout.write(json.dumps([_row(*one) for one in findings], ensure_ascii=False, indent=2))
        else:
            for path, found in findings:
                self._print(path, found)
        if any(found.refused for _, found in findings):
            sys.exit(1)

    def _print(self, path: Path, found: Inspection) -> None:
        self.stdout.write(f"{path}：{_VERDICTS[found.verdict]}。{found.reason}")
        if found.removed:
            self.stdout.write(f"    已去除：{'、'.join(found.removed)}")


def _row(path: Path, found: Inspection) -> dict[str, Any]:
    return {
        "file": str(path),
        "verdict": found.verdict,
        "reason": found.reason,
        "pages": len(found.pages),
        "removed": list(found.removed),
    }
