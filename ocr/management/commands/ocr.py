"""Read scans: inspected first, then for each file NAME.txt in reading order and NAME.json with every place."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ingest.inspect import Inspection, Unpacked, inspect_file
from ocr.ahead import for_reader
from ocr.batch import Outcome, read_pages
from ocr.engines.choice import ENGINES
from ocr.engines.interface import EngineFailed
from ocr.fields import find_fields
from storage.scratch import scratch

PAGE_BREAK = "\f"


@dataclass
class Sheet:
    """One given file on its way: what inspection said, and what was read so far."""

    path: Path
    name: str
    inspection: Inspection
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why it is not read wholly; empty when it is."""
        if self.inspection.refused:
            return self.inspection.reason
        return next((outcome.reason for outcome in self.outcomes if outcome.text is None), "")


class Command(BaseCommand):
    """`manage.py ocr FILE… -o DIR`."""

    help = (
        "Read scans. Writes NAME.txt (one line per printed line, form feeds between pages) and NAME.json. "
        "Exit 0: all read; 1: a file was refused or a page unreadable; 2: could not begin."
    )
    requires_system_checks = []  # they load every page of the site, which takes seconds

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pictures, TIFF, PDF, HEIC")
        parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="made if missing")
        parser.add_argument("--engine", choices=ENGINES, default=settings.OCR_ENGINE)
        parser.add_argument(
            "--jobs", type=int, default=1, metavar="N", help="processes; 0 means one per core"
        )
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        jobs = options["jobs"] or os.cpu_count() or 1
        try:
            output.mkdir(parents=True, exist_ok=True)
            report = list(
                self._read(options["files"], output, options["engine"], jobs, quiet=options["json"])
            )
        except (OSError, EngineFailed) as fault:
            raise CommandError(str(fault), returncode=2) from fault
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
        if any(entry["reason"] for entry in report):
            raise SystemExit(1)

    def _read(
        self, files: list[Path], output: Path, engine: str, jobs: int, *, quiet: bool
    ) -> Iterator[dict[str, Any]]:
        with scratch("ocr") as folder, scratch("ahead", in_memory=True) as ahead:
            for sheet in _sheets(files, folder, ahead, engine, jobs):
                entry = _write(sheet, output)
                if not quiet:
                    self.stdout.write(_told(entry))
                yield entry


def _sheets(files: list[Path], folder: Path, ahead: Path, engine: str, jobs: int) -> Iterator[Sheet]:
    """Inspect and read; yield each file when its last page is read. Inspection runs ahead of reading."""
    waiting: list[Sheet] = []
    taken: set[str] = set()

    def pages() -> Iterator[Path | Unpacked]:
        for number, path in enumerate(files):
            sheet = Sheet(path, _name(path, taken), inspect_file(path, folder / str(number)))
            waiting.append(sheet)
            yield from (for_reader(page, ahead, jobs=jobs) for page in sheet.inspection.pages)

    for outcome in read_pages(pages(), engine=engine, backend=settings.OCR_BACKEND, jobs=jobs):
        while _complete(waiting[0]):
            yield waiting.pop(0)
        sheet = waiting[0]
        sheet.inspection.pages[len(sheet.outcomes)].path.unlink()
        sheet.outcomes.append(outcome)
    yield from waiting


def _complete(sheet: Sheet) -> bool:
    return len(sheet.outcomes) == len(sheet.inspection.pages)


def _name(path: Path, taken: set[str]) -> str:
    """Return the file's name without its ending, or with it and a number where that is taken."""
    names = (path.stem, path.name, *(f"{path.name}.{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _write(sheet: Sheet, output: Path) -> dict[str, Any]:
    """Write the two files of a sheet and return its entry of the report; a refused file gets none."""
    entry: dict[str, Any] = {
        "file": str(sheet.path),
        "verdict": sheet.inspection.verdict,
        "reason": sheet.reason,
        "pages": len(sheet.outcomes),
        "lines": sum(len(outcome.text.lines) for outcome in sheet.outcomes if outcome.text),
        "uncertain": sum(outcome.text.uncertain for outcome in sheet.outcomes if outcome.text),
        "seconds": round(sum(outcome.seconds for outcome in sheet.outcomes), 3),
    }
    if sheet.inspection.refused:
        return entry
    text, details = output / f"{sheet.name}.txt", output / f"{sheet.name}.json"
    pages = [outcome.text.text if outcome.text else "" for outcome in sheet.outcomes]
    text.write_text(PAGE_BREAK.join(page + "\n" for page in pages), encoding="utf-8")
    document = json.dumps(_document(sheet), ensure_ascii=False, separators=(",", ":"))
    details.write_text(document + "\n", encoding="utf-8")
    return entry | {"text": str(text), "json": str(details)}


def _document(sheet: Sheet) -> dict[str, Any]:
    """Return everything found. Boxes are in pixels of the page picture as stored, before it is turned by `angle`."""
    numbered = list(enumerate(sheet.outcomes, start=1))
    read = [(number, outcome.text) for number, outcome in numbered if outcome.text]
    return {
        "file": sheet.path.name,
        "engine": asdict(sheet.outcomes[0].engine),
        "angle": read[0][1].angle if read else 0,
        "pages": [_page(number, outcome) for number, outcome in numbered],
        "lines": [{"page": number, **line.to_json()} for number, text in read for line in text.lines],
        "fields": [
            {"page": number, **found.to_json()} for number, text in read for found in find_fields(text.lines)
        ],
    }


def _page(number: int, outcome: Outcome) -> dict[str, Any]:
    text = outcome.text
    return {
        "number": number,
        "width": text.width if text else 0,
        "height": text.height if text else 0,
        "angle": text.angle if text else 0,
        "slope": round(text.slope, 3) if text else 0.0,
        "seconds": round(outcome.seconds, 3),
        "failure": outcome.code,
    }


def _told(entry: dict[str, Any]) -> str:
    if entry["reason"]:
        return f"{entry['file']}: {entry['verdict']}; {entry['reason']}"
    counts = f"{entry['pages']} pages, {entry['lines']} lines, {entry['uncertain']} uncertain"
    return f"{entry['file']}: {counts}, {entry['seconds']:.1f} s"
