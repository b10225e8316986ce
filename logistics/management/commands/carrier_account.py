"""Engage a carrier for a centre: the carrier, its account, and the address that it shall push to."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, ValidationError

from logistics.services.accounts import add_account, add_carrier, callback_url
from registry.actors import SYSTEM
from registry.models import ServiceCentre
from storage.errors import Refused

FAILED, USAGE = 1, 2


class Engagement(BaseModel):
    """What the file says. `adapter`: neutral, kuaidi100, kdniao, ems or sf; `centre` is a code of the directory."""

    model_config = ConfigDict(extra="forbid")

    carrier: str
    name: str
    adapter: str
    centre: str
    number: str
    company: str = ""
    credentials: dict[str, str]
    options: dict[str, str] = {}


class Command(BaseCommand):
    """The secrets come from a file or standard input, never from the command line."""

    help = (
        "Add a carrier and a centre's account with it from a JSON file (or - for standard input) with carrier, name, "
        "adapter, centre, number, credentials, options. Prints the push address, which is a secret."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="JSON file, or - for standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        wish = _read(file)
        centre = ServiceCentre.objects.filter(code=wish.centre).first()
        if centre is None:
            raise CommandError(f"unknown centre {wish.centre!r}", returncode=USAGE)
        now = timezone.now()
        try:
            with transaction.atomic():
                carrier = add_carrier(
                    code=wish.carrier,
                    name=wish.name,
                    adapter=wish.adapter,
                    company=wish.company,
                    actor=SYSTEM,
                    now=now,
                )
                account = add_account(
                    carrier=carrier,
                    centre=centre,
                    number=wish.number,
                    credentials=wish.credentials,
                    options=wish.options,
                    actor=SYSTEM,
                    now=now,
                )
        except Refused as refusal:
            raise CommandError(refusal.message, returncode=FAILED) from refusal
        self.stdout.write(callback_url(account))


def _read(file: str) -> Engagement:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return Engagement.model_validate(json.loads(text))
    except OSError as fault:
        raise CommandError(f"cannot read {file}: {fault.strerror}", returncode=USAGE) from fault
    except json.JSONDecodeError as fault:
        raise CommandError(f"not JSON: line {fault.lineno}", returncode=USAGE) from fault
    except ValidationError as fault:
        # Only which fields are wrong: their values may be secrets.
        wrong = ", ".join(".".join(map(str, error["loc"])) for error in fault.errors())
        raise CommandError(f"wrong or missing: {wrong}", returncode=USAGE) from fault
