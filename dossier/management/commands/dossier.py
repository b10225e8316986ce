"""`manage.py dossier FILE… -o OUT.pdf`: scans in, a searchable, signed PDF/A-3b out."""

import json
import os
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dossier.appearance import Appearance
from dossier.assemble import assemble
from dossier.contents import WINDOW_SEAL, DossierPlan
from dossier.gathering import Gathered, gather
from dossier.seal_image import draw_seal
from dossier.sealing import installation_trust, local_authority, timestamper
from dossier.sign import Level, seal_pdf, system_clock
from dossier.signers import Pkcs12Seal
from dossier.verify import Verdict, verify
from ocr.engines.choice import ENGINES
from registry.time import local
from registry.tokens import Purpose, mint
from storage.errors import Refused
from storage.scratch import scratch

HOLDER = "通办命令行制卷"


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
        now = system_clock()
        with scratch("dossier") as folder, _bar() as progress:
            task = progress.add_task("识读", total=None)
            gathered = gather(
                options["files"],
                folder,
                engine=options["engine"],
                backend=settings.OCR_BACKEND,
                jobs=options["jobs"] or os.cpu_count() or 1,
                now=now,
                heard=lambda done, total: progress.update(task, completed=done, total=total),
            )
            if not any(material.pages for material in gathered.materials):
                return {"made": False, "reason": "没有可用的页面。", "refused": _refusals(gathered)}
            plan = _plan(gathered, options, now)
            unsigned = folder / "unsigned.pdf"
            binding = progress.add_task("组卷", total=sum(1 for _ in plan.pages()))
            made = assemble(plan, unsigned, progress=lambda done: progress.update(binding, completed=done))
            sealed, verdict = _seal(unsigned, folder / "sealed.pdf", options["sign"])
            if verdict is not None and not verdict.is_valid:
                return {"made": False, "reason": "；".join(verdict.reasons), "refused": _refusals(gathered)}
            _put(sealed, output)
        return {
            "made": True,
            "file": str(output),
            "pages": made.page_count,
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


def _plan(gathered: Gathered, options: dict[str, Any], now: datetime) -> DossierPlan:
    return DossierPlan(
        case_number=options["case_number"] or f"CLI-{local(now):%Y%m%d-%H%M%S}",
        version=1,
        item=options["item"],
        applicant=options["applicant"],
        office="（未指定）",
        window=HOLDER,
        qr_text=mint(Purpose.DOSSIER).text,
        made_at=now,
        materials=gathered.materials,
        originals=gathered.originals,
        level="" if options["sign"] == "none" else options["sign"],
    )


def _seal(unsigned: Path, sealed: Path, level: str) -> tuple[Path, Verdict | None]:
    """Sign with the command line's own seal of the local authority, and check the result."""
    if level == "none":
        return unsigned, None
    seal = local_authority().seal("command-line", holder=HOLDER, organisation="本机", now=system_clock())
    trust = installation_trust()
    seal_pdf(
        source=unsigned,
        target=sealed,
        signer=Pkcs12Seal(seal.path, seal.passphrase),
        timestamper=timestamper(),
        level=Level(level),
        field=WINDOW_SEAL,
        appearance=Appearance(draw_seal(HOLDER, caption="制卷专用章")),
        trust=trust,
        clean=False,
    )
    return sealed, verify(sealed, trust=trust, moment=system_clock())


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
