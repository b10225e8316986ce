"""`inbox open` makes an account that couriers push to; `inbox lost ours|bare FILE` looks for acknowledged pushes."""

import base64
import secrets
from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from django.utils import timezone

from logistics.models import WebhookDelivery
from logistics.services.accounts import add_account, add_carrier
from registry.actors import SYSTEM
from registry.models import ServiceCentre
from registry.reference.load import load_reference

TABLE = "CREATE TABLE bench_push (id text PRIMARY KEY, headers text NOT NULL, body bytea NOT NULL)"


def main(words: Sequence[str]) -> dict[str, object]:
    if words[0] == "open":
        return open_account()
    return {"lost": lost(words[1], Path(words[2]).read_text().split())}


def open_account() -> dict[str, object]:
    load_reference()
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    now = timezone.now()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    carrier = add_carrier(code="bench", name="测量速递", adapter="neutral", actor=SYSTEM, now=now)
    account = add_account(
        carrier=carrier,
        centre=ServiceCentre.objects.order_by("pk")[0],
        number="900000000001",
        credentials={"api_key": secrets.token_hex(16), "webhook_secret": secret},
        options={"base_url": "http://127.0.0.1:9"},
        actor=SYSTEM,
        now=now,
    )
    return {"path_token": account.path_token, "secret": secret}


def lost(side: str, acknowledged: Sequence[str]) -> int:
    """How many of the acknowledged message ids the database does not hold."""
    return len(set(acknowledged) - (_ours() if side == "ours" else _bare()))


def _ours() -> set[str]:
    """Read from the raw pushes, as they were kept; what was refused does not count."""
    kept = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.FORGED).order_by()
    return {raw["headers"]["webhook-id"] for raw in kept.values_list("raw", flat=True).iterator()}


def _bare() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM bench_push")
        return {str(name) for (name,) in cursor.fetchall()}
