"""`manage.py dossier FILE… -o OUT.pdf`: scans in, a searchable, signed PDF/A-3b out."""

import json
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dossier.contents import Level
from dossier.gathering import Gathered, gather
from ocr.batch import Readers
from ocr.engines.choice import ENGINES
from storage.errors import Refused
from storage.scratch import scratch


class Command(BaseCommand):
    help = (
        "Make a searchable, signed PDF/A-3b dossier out of scans (pictures, TIFF, PDF, HEIC). "
        "Exit 0: made; 1: a file was refused or the dossier could not be made; 2: usage."
    )
    requires_system_checks = []  # they load every page of the site, which takes seconds

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.pdf")
        parser.add_argument("--sign", choices=["none", *Level], default=settings.SIGNATURE_LEVEL)
        parser.add_argument("--engine", choices=ENGINES, default=settings.OCR_ENGINE)
        parser.add_argument(
            "--jobs", type=int, default=0, metavar="N", help="processes; 0 means one per core"
        )
        parser.add_argument(
            "--case-number", default="", help="shown on the cover; made from the time if absent"
        )
        parser.add_argument("--item", default="扫描材料归集", help="shown on the cover")
        parser.add_argument("--applicant", default="（未填写）", help="shown on the cover")
        parser.add_argument("--json", action="store_true", help="print a JSON report")

    def handle(self, *_args: Any, **options: Any) -> None:
        missing = [path for path in options["files"] if not path.is_file()]
        if missing:
            self.stderr.write(f"没有这个文件：{missing[0]}")
            sys.exit(2)
        begun = time.monotonic()
        try:
            report = self._make(options)
        except Refused as refusal:
            report = {"made": False, "code": refusal.code, "reason": refusal.message}
        report["seconds"] = round(time.monotonic() - begun, 3)
        self._tell(report, as_json=options["json"])
        sys.exit(0 if report["made"] and not report["refused"] else 1)

    def _make(self, options: dict[str, Any]) -> dict[str, Any]:
        output: Path = options["output"]
        level = None if options["sign"] == "none" else Level(options["sign"])
        now = datetime.now(UTC)
        readers = Readers(
            engine=options["engine"],
            backend=settings.OCR_BACKEND,
            jobs=options["jobs"] or os.cpu_count() or 1,
        )
        with scratch("dossier") as folder, _bar() as progress:
            task = progress.add_task("识读", total=None)
            with readers:
                # While they load, so does what comes after them.
                from dossier.binding import bind, plan  # noqa: PLC0415

                gathered = gather(
                    options["files"],
                    folder,
                    readers=readers,
                    now=now,
                    heard=lambda done, total: progress.update(task, completed=done, total=total),
                )
            if not any(material.pages for material in gathered.materials):
                return {"made": False, "reason": "没有可用的页面。", "refused": _refusals(gathered)}
            planned = plan(
                gathered,
                case_number=options["case_number"],
                item=options["item"],
                applicant=options["applicant"],
                level=level,
                now=now,
            )
            binding = progress.add_task("组卷", total=sum(1 for _ in planned.pages()))
            made, pages, verdict = bind(
                planned, folder, level=level, progress=lambda done: progress.update(binding, completed=done)
            )
            if verdict is not None and not verdict.is_valid:
                return {"made": False, "reason": "；".join(verdict.reasons), "refused": _refusals(gathered)}
            _put(made, output)
        return {
            "made": True,
            "file": str(output),
            "pages": pages,
            "size": output.stat().st_size,
            "level": options["sign"],
            "verdict": verdict.status.value if verdict else "none",
            "reason": "；".join(verdict.reasons) if verdict else "",
            "refused": _refusals(gathered),
        }

    def _tell(self, report: dict[str, Any], *, as_json: bool) -> None:
        report.setdefault("refused", [])
        if as_json:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
            return
        for entry in report["refused"]:
            self.stdout.write(f"拒收 {entry['file']}：{entry['reason']}")
        if report["made"]:
            self.stdout.write(
                f"{report['file']}：{report['pages']} 页，{report['size']} 字节，签章 {report['level']}，"
                f"自检 {report['verdict']}，{report['seconds']} 秒"
            )
        else:
            self.stdout.write(f"未能制卷：{report['reason']}")


def _bar() -> Progress:
    """A progress bar on stderr, where it does not disturb the report."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _put(made: Path, output: Path) -> None:
    """Into its place, whole or not at all; the folder may be on another disk."""
    partial = output.with_name(f".{output.name}.partial")
    try:
        shutil.copyfile(made, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def _refusals(gathered: Gathered) -> list[dict[str, str]]:
    return [{"file": str(path), "reason": reason} for path, reason in gathered.refused]
