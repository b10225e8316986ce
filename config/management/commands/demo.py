"""`manage.py demo`: one application all the way, on the real components, with a report at the end."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo import evidence
from config.demo.journey import perform
from config.demo.people import assemble
from config.demo.play import Play
from config.demo.stage import DemoFailed, installation
from dossier.independent import CheckerMissing
from registry.accounts import Login
from storage.errors import Refused


class Command(BaseCommand):
    help = (
        "Takes one application from a window in Zhuji to an office in Taizhou and back, through the courier, the "
        "bill and the settlement. Files and report.json are left under demo/ in the data folder. "
        "Exit 0 only if everything holds, 1 when something does not, 2 for wrong usage."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scans", type=Path, metavar="FOLDER", help="hand in these files of your own as well"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON instead of a table")

    def handle(self, *args: Any, scans: Path | None, **options: Any) -> None:
        quiet = bool(options["json"])
        own = _own_files(scans)
        folder = settings.DATA_DIR.resolve() / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        evidence.clear(folder)
        play = Play(folder, tell=(lambda _: None) if quiet else self._say)
        begun = time.monotonic()
        fault = ""
        logins: list[Login] = []
        try:
            with installation() as ran_already:
                self._say_start(quiet, ran_already, time.monotonic() - begun)
                people, logins = assemble(folder)
                perform(play, people, own)
        except (DemoFailed, CheckerMissing) as failure:
            fault = str(failure)
        except Refused as refusal:
            fault = f"{refusal.code}: {refusal.message}"
        report = _report(play, time.monotonic() - begun, fault)
        (folder / "report.json").write_text(_as_json(report), encoding="utf-8")
        if quiet:
            self.stdout.write(_as_json(report))
        else:
            self._tell(play, report, logins)
        if fault:
            raise SystemExit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _say_start(self, quiet: bool, ran_already: bool, seconds: float) -> None:
        if not quiet:
            self._say(
                f"{seconds:6.1f} s  {'装置已在运行' if ran_already else '启动装置'}  {settings.PUBLIC_URL}"
            )

    def _tell(self, play: Play, report: dict[str, Any], logins: list[Login]) -> None:
        self._say("")
        for name, words in play.verdicts.items():
            self._say(f"  {name:28} {words}")
        if report["fault"]:
            self.stderr.write(f"\nthe demonstration did not hold: {report['fault']}")
            return
        self._say(
            f"\n全程 {report['seconds']:.0f} 秒。文件在 {_shown(play.folder)}：{'、'.join(evidence.FILES)}"
        )
        self._say(f"\n打开页面：make serve，浏览 {settings.PUBLIC_URL} ，以下列账号登录：")
        for login in logins:
            self._say(f"  {login.username:18} {login.password:14} {login.role} {login.place}")


def _own_files(scans: Path | None) -> list[Path]:
    if scans is None:
        return []
    if not scans.is_dir():
        raise CommandError(f"no such folder: {scans}", returncode=2)
    return sorted(path for path in scans.iterdir() if path.is_file() and not path.name.startswith("."))


def _report(play: Play, seconds: float, fault: str) -> dict[str, Any]:
    return {
        "passed": not fault,
        "fault": fault,
        "seconds": round(seconds, 1),
        "steps": [asdict(step) | {"seconds": round(step.seconds, 2)} for step in play.steps],
        "verdicts": play.verdicts,
        "facts": play.facts,
        "files": {name: str(play.folder / name) for name in evidence.FILES if (play.folder / name).exists()},
    }


def _as_json(report: dict[str, Any]) -> str:
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


def _shown(folder: Path) -> Path:
    """Short where it lies below the place we are at."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
