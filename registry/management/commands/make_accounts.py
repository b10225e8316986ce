"""Make one account for each role and print their new passwords once."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from registry.accounts import make_accounts


class Command(BaseCommand):
    help = "Make (or reset) one account for each role. Passwords are printed here and nowhere else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        logins = make_accounts()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(login) for login in logins], ensure_ascii=False, indent=1))
            return
        for login in logins:
            self.stdout.write(f"{login.username:18} {login.password:14} {login.role} {login.place}")
