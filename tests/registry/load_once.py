"""`python -m tests.registry.load_once`: a program that starts; says that it is ready, waits for a line, then loads what is missing."""

import json
import sys

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from registry.actors import SYSTEM  # noqa: E402
from registry.reference.load import KEYS, bring_up_to_date  # noqa: E402

if __name__ == "__main__":
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(bring_up_to_date(names=tuple(KEYS), actor=SYSTEM, now=timezone.now())))
