"""`manage.py read_codes FILE…`: the QR codes and barcodes on scans and photos."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ingest.inspect import FoundCode, inspect_file
from registry.tokens import check
from storage.errors import Refused
from storage.scratch import scratch


class Command(BaseCommand):
    help = (
        "Read QR codes and barcodes from pictures and PDF files. Every file is opened in a limited child process "
        "first. Says for each code its text, format, corners in pixels of the page, and whether it is a genuine "
        "code of this installation. Exit code 0: every file had a code; 1: some file had none or was refused; "
        "2: wrong usage."
    )
    requires_system_checks = []  # they load every page of the site, which takes seconds

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="print a JSON list, one entry a file")

    def handle(self, *, files: list[Path], **options: Any) -> None:
        entries = []
        for file in files:
            entry = _read(file)
            entries.append(entry)
            if not options["json"]:
                self._show(entry)
        if options["json"]:
            self.stdout.write(json.dumps(entries, ensure_ascii=False, indent=2))
        if not all(entry["codes"] for entry in entries):
            sys.exit(1)

    def _show(self, entry: dict[str, Any]) -> None:
        self.stdout.write(f"{entry['file']}: {entry['reason']}")
        for code in entry["codes"]:
            self.stdout.write(
                f"  第 {code['page']} 页  {code['format']}  {code['text']}  [{code['origin']}, {code['step']}]"
            )


def _read(file: Path) -> dict[str, Any]:
    with scratch("codes") as folder:
        inspection = inspect_file(file, folder, codes=True)
        codes = [
            _entry(code, number) for number, page in enumerate(inspection.pages, 1) for code in page.codes
        ]
    refused = inspection.verdict == "refused"
    found = f"识读到 {len(codes)} 个码。" if codes else "没有识读到二维码或条码，请重新扫描或靠近拍摄。"
    return {
        "file": str(file),
        "verdict": inspection.verdict,
        "reason": inspection.reason if refused else found,
        "codes": codes,
    }


def _entry(code: FoundCode, page: int) -> dict[str, Any]:
    return {
        "page": page,
        "text": code.text,
        "format": code.format,
        "position": [list(corner) for corner in code.position],
        "step": code.step,
        "origin": _origin(code.text),
    }


def _origin(text: str) -> str:
    """The purpose of a genuine code of ours, else `code_foreign` or `code_forged`."""
    try:
        return check(text).purpose.value
    except Refused as refusal:
        return refusal.code
