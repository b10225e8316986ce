"""`timelines fill SHARE` makes parcels with twenty scans each; `timelines open TIMES` opens the stories of random ones."""

import random
import time
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from bench.figures import percentile
from logistics.models import Parcel, TrackingEvent
from logistics.services.accounts import add_account, add_carrier
from logistics.services.timeline import timeline
from registry.actors import SYSTEM, Actor
from registry.models import ServiceCentre, User, Window
from registry.reference.load import load_reference
from registry.terms import Role
from storage.encryption import encrypt

PARCELS = 50_000
SCANS = 20
FILL = """
INSERT INTO logistics_parcel (number, code, leg, state, sender_kind, sender_id, receiver_kind, receiver_id, weight_g,
  length_mm, width_mm, height_mm, created_at, sealed_at, handed_over_at)
SELECT 'P' || n, lpad(to_hex(n), 16, '0'), 'materials', 'in_transit', 'window', %(window)s, 'office', %(office)s, 320,
  0, 0, 0, now() - interval '9 days', now() - interval '9 days', now() - interval '8 days'
FROM generate_series(1, %(parcels)s) n;
INSERT INTO logistics_waybill (parcel_id, carrier_id, account_id, reference, number, state, term, payer, settling,
  routing, company, latest_kind, latest_at, leading_keys, subscriptions, requested_at, booked_at)
SELECT id, %(carrier)s, %(account)s, number || '-1', '10' || lpad(id::text, 11, '0'), 'booked', 'collect', 'receiver',
  'monthly', '{}', '', 'in_transit', now(), '[]', 1, now() - interval '9 days', now() - interval '9 days'
FROM logistics_parcel;
INSERT INTO logistics_trackingevent (waybill_id, key, kind, at, received_at, code, words, place, reverses_key,
  reverses_codes)
SELECT w.id, 'k' || s, CASE WHEN s %% 10 = 9 THEN 'reversal' ELSE 'in_transit' END,
  now() - interval '8 days' + s * interval '3 hours', now(), 'c', %(words)s, '绍兴市',
  CASE WHEN s %% 10 = 9 THEN 'k' || s - 1 ELSE '' END, '[]'
FROM generate_series(1, %(scans)s) s, logistics_waybill w;
ANALYZE;
"""
ROWS = """
SELECT e.* FROM logistics_trackingevent e JOIN logistics_waybill w ON w.id = e.waybill_id
WHERE w.parcel_id = %s ORDER BY e.at, e.key
"""


def main(words: Sequence[str]) -> dict[str, object]:
    return fill(float(words[1])) if words[0] == "fill" else open_some(int(words[1]))


def fill(share: float) -> dict[str, object]:
    """Set-wise: a million rows one by one would be the longer part of the benchmark."""
    load_reference()
    now = timezone.now()
    window = Window.objects.order_by("pk")[0]
    User.objects.create(username="bench-clerk", role=Role.CLERK.value, window=window)
    carrier = add_carrier(code="bench", name="测量速递", adapter="neutral", actor=SYSTEM, now=now)
    account = add_account(
        carrier=carrier,
        centre=ServiceCentre.objects.order_by("pk")[0],
        number="900000000001",
        credentials={"api_key": "k", "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        options={"base_url": "http://127.0.0.1:9"},
        actor=SYSTEM,
        now=now,
    )
    sizes: dict[str, int | str] = {
        "parcels": int(PARCELS * share),
        "scans": SCANS,
        "window": window.pk,
        "office": 1,
        "carrier": carrier.pk,
        "account": account.pk,
        "words": encrypt("离开【绍兴中心】，下一站【台州中心】"),
    }
    with connection.cursor() as cursor:
        for statement in filter(str.strip, FILL.split(";\n")):
            cursor.execute(statement, sizes)
    return {"parcels": Parcel.objects.count(), "scans": TrackingEvent.objects.count()}


def open_some(times: int) -> dict[str, object]:
    """The 95th percentile of opening `times` random timelines, in milliseconds, and of the bare query beside each."""
    clerk = Actor.of(User.objects.get(username="bench-clerk"))
    first = Parcel.objects.order_by("pk")[0].pk
    there = Parcel.objects.count()
    drawn = [first + random.randrange(there) for _ in range(times)]  # noqa: S311 — spreads the draws, no secret
    ours, bare = [], []
    for parcel in drawn:
        begun = time.perf_counter()
        story = timeline(parcel=Parcel.objects.get(pk=parcel), actor=clerk)
        ours.append(time.perf_counter() - begun)
        void = sum(entry.void for entry in story.entries)
        if (len(story.entries), void) != (SCANS + 3, SCANS // 10):
            raise AssertionError("a timeline was not whole")
        begun = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(ROWS, [parcel])
            cursor.fetchall()
        bare.append(time.perf_counter() - begun)
    return {"ours": 1000 * percentile(ours, 0.95), "bare": 1000 * percentile(bare, 0.95)}
