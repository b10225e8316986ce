"""`manage.py make_samples DIR`: the sample material of one invented case."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.demo.samples import make_samples


class Command(BaseCommand):
    help = "Write the sample files of one invented case (scans, a phone photo, a TIFF, a PDF) into DIR."

    requires_system_checks = []  # files only: neither database nor pages are needed

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path, metavar="DIR")
        parser.add_argument("--seed", type=int, default=1, help="another seed, another story (default 1)")

    def handle(self, *_args: Any, **options: Any) -> None:
        for sample in make_samples(options["dir"], options["seed"]):
            self.stdout.write(f"{sample.path.name}  {sample.pages} 页  {sample.material}：{sample.what}")
