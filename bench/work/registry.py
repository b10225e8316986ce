"""`python -m bench.work.registry fill SHARE | ask TIMES | lists TIMES | figures TIMES`: a province of work, and what it costs to look at it.

SHARE 1 makes 5,000 items, 3,000 offices, 20,000 windows and 1,000,000 cases by set-wise INSERTs; smaller shares less.
Busy places are busier: a window's or an office's part falls off with the cube of a random number.
"""

import random
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.figures import percentile
from ingest.models import Case, Handling
from ingest.services.lawful import check_lawful
from ingest.services.tallying import tally_figures
from registry.models import ItemOffice, Office, ServiceItem, User, Window
from registry.terms import Mode, Role
from registry.time import local_day
from storage.errors import Refused

# Thirty provinces of ten cities of ten counties each.
PLACES = """
INSERT INTO registry_region (code, name, level, parent_id)
SELECT (11 + p)::text || '0000', '省' || p, 'province', NULL FROM generate_series(0, 29) p;
INSERT INTO registry_region (code, name, level, parent_id)
SELECT (11 + p)::text || lpad((c + 1)::text, 2, '0') || '00', '市' || p || '-' || c, 'city', (11 + p)::text || '0000'
FROM generate_series(0, 29) p, generate_series(0, 9) c;
INSERT INTO registry_region (code, name, level, parent_id)
SELECT left(code, 4) || lpad((k + 1)::text, 2, '0'), name || '县' || k, 'county', code
FROM registry_region, generate_series(0, 9) k WHERE level = 'city';
INSERT INTO registry_servicecentre (code, name, region_id, address, phone)
SELECT 'centre-' || code, name || '中心', code, '', '' FROM registry_region WHERE level IN ('city', 'county');
"""
OFFICES = """
INSERT INTO registry_office (code, name, short_name, region_id, level, centre_id, address, phone)
SELECT 'o' || n, '局' || n, '', c.region_id, r.level, c.id, '', '' FROM generate_series(1, %(offices)s) n
JOIN (SELECT id, region_id, row_number() OVER (ORDER BY id) AS at FROM registry_servicecentre) c
  ON c.at = 1 + n %% (SELECT count(*) FROM registry_servicecentre)
JOIN registry_region r ON r.code = c.region_id;
INSERT INTO registry_window (code, name, place, region_id, centre_id, address, phone, active)
SELECT 'w' || n, '窗口' || n, 'centre', c.region_id, c.id, '', '', true FROM generate_series(1, %(windows)s) n
JOIN (SELECT id, region_id, row_number() OVER (ORDER BY id) AS at FROM registry_servicecentre) c
  ON c.at = 1 + n %% (SELECT count(*) FROM registry_servicecentre);
"""
ITEMS = """
INSERT INTO registry_serviceitem (code, version, name, region_id, scope, batch, lead_department, scenario, effective_from,
  effective_to, negative, modes, stars, unified_platform, promised_days, review_points, source)
SELECT 'I' || n, v, '事项' || n, '110000', CASE n %% 3 WHEN 0 THEN 'cross_province' ELSE 'province' END, '第' || v || '批', '', '',
  date '2024-01-01' + 365 * (v - 1), CASE WHEN v = 1 THEN date '2024-12-30' END, n %% 50 = 0, '[]', 4, true, 5, '[]', ''
FROM generate_series(1, %(items)s) n, generate_series(1, 2) v;
INSERT INTO registry_itemoffice (item_id, region_id, office_id)
SELECT i.id, o.region_id, o.id FROM registry_serviceitem i
JOIN generate_series(0, 4) k ON true
JOIN (SELECT id, region_id, row_number() OVER (ORDER BY id) AS at FROM registry_office) o
  ON o.at = 1 + (i.id * 7 + k * 611) %% (SELECT count(*) FROM registry_office);
"""
COOPERATION = """
INSERT INTO registry_agreement (region_a_id, region_b_id, signed_on, effective_from, shared_citywide, group_name,
  contact_a, phone_a, contact_b, phone_b)
SELECT DISTINCT ON (a.code, b.code) a.code, b.code, date '2024-01-01', date '2024-01-01', random() < 0.5, '', '', '', '', ''
FROM generate_series(1, 4000) n
JOIN (SELECT code, row_number() OVER (ORDER BY code) AS at FROM registry_region WHERE level <> 'province') a
  ON a.at = 1 + (n * 977) %% 3300
JOIN (SELECT code, row_number() OVER (ORDER BY code) AS at FROM registry_region WHERE level <> 'province') b
  ON b.at = 1 + (n * 1013 + 500) %% 3300
WHERE left(a.code, 2) <> left(b.code, 2);
INSERT INTO registry_grant (office_id, "right", region_id, effective_from, reason, revoked_reason)
SELECT o.id, r, p.code, date '2024-01-01', '', '' FROM registry_office o
CROSS JOIN unnest(ARRAY['accept', 'notify', 'verify_original', 'deliver']) r
JOIN registry_region p ON p.level = 'city' AND left(p.code, 2) = left(o.region_id, 2);
INSERT INTO registry_grant (office_id, "right", window_id, effective_from, reason, revoked_reason)
SELECT o.id, 'accept', w.id, date '2024-02-01', '', '' FROM registry_office o
JOIN generate_series(1, 10) k ON true
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS at FROM registry_window) w
  ON w.at = 1 + (o.id * 131 + k * 1009) %% (SELECT count(*) FROM registry_window);
"""
# Of a hundred cases: 2 drafts, 3 waiting, 5 in pre-review, 8 accepted, 2 in supplement, 80 ended, of which 16 are graded.
# They were handed in over the year that is past and decided within ten days.
CASES = """
CREATE TEMP TABLE drawn AS SELECT n, n %% 100 AS kind,
  (SELECT min(id) FROM registry_window) + floor(power(random(), 3) * %(windows)s)::int AS window_id,
  (SELECT min(id) FROM registry_office) + floor(power(random(), 3) * %(offices)s)::int AS office_id,
  (SELECT min(id) FROM registry_serviceitem) + floor(random() * %(items)s)::int AS item_id
FROM generate_series(1, %(cases)s) n;
INSERT INTO ingest_case (number, token, item_id, window_id, mode, state, applicant_name, applicant_id_number,
  applicant_id_index, applicant_phone, applicant_phone_index, applicant_address, delivery, agent_consent, created_at,
  submitted_at, closed_at)
SELECT 'C' || lpad(n::text, 9, '0'), lpad(to_hex(n), 16, '0'), item_id, window_id, 'window_forward',
  CASE WHEN kind < 2 THEN 'draft' WHEN kind < 5 THEN 'submitted' WHEN kind < 10 THEN 'pre_review' WHEN kind < 18 THEN
  'accepted' WHEN kind < 20 THEN 'supplement' ELSE 'closed' END, %(name)s, %(name)s, md5(n::text), %(name)s,
  md5('p' || n), %(name)s, 'mail', true, now() - n * interval '30 seconds',
  CASE WHEN kind >= 2 THEN now() - n * interval '30 seconds' END, CASE WHEN kind >= 20 THEN now() END
FROM drawn;
INSERT INTO ingest_handling (case_id, office_id, is_lead, state, resume_state, accepted_at, deadline, deadline_certain,
  decision, reason, decided_at, notice, unsent)
SELECT c.id, d.office_id, true, CASE c.state WHEN 'draft' THEN 'waiting' WHEN 'submitted' THEN 'pending'
  WHEN 'closed' THEN 'decided' ELSE c.state END, '', CASE WHEN c.state IN ('accepted', 'closed') THEN now() END,
  CASE WHEN c.state = 'accepted' THEN current_date + (d.n %% 20)::int WHEN c.state = 'closed' THEN
  c.submitted_at::date + 8 END, true, '', %(name)s,
  CASE WHEN c.state = 'closed' THEN least(now(), c.submitted_at + d.n %% 240 * interval '1 hour') END, %(name)s, false
FROM ingest_case c JOIN drawn d ON d.n = substr(c.number, 2)::int;
INSERT INTO ingest_ratingask (case_id, code, asked_at)
SELECT h.case_id, lpad(h.id::text, 16, '0'), h.decided_at FROM ingest_handling h
WHERE h.state = 'decided' AND h.case_id %% 5 = 0;
INSERT INTO ingest_rating (ask_id, grade, concern, words, at)
SELECT id, CASE id %% 3 WHEN 0 THEN 'fair' ELSE 'good' END, 'window', %(name)s, asked_at FROM ingest_ratingask;
"""
FULL = {"items": 5_000, "offices": 3_000, "windows": 20_000, "cases": 1_000_000}
AT_PLACE = (
    ("clerk", "window", ("intake", "running", "ended")),
    ("officer", "office", ("pre-review", "review", "decided")),
)


def fill(share: float) -> dict[str, object]:
    begun = time.monotonic()
    sizes = {name: max(int(count * share), 200) for name, count in FULL.items()}
    name = Case._meta.get_field("applicant_name").get_db_prep_save("欧阳询", connection)
    with connection.cursor() as cursor:
        cursor.execute(PLACES)
        for script in (OFFICES, ITEMS, COOPERATION, CASES):
            cursor.execute(script, {**sizes, "name": name})
        # As autovacuum leaves them within a minute; or else what we measure hangs on whether it has come by.
        cursor.execute("VACUUM (ANALYZE)")
    return {**sizes, "seconds": time.monotonic() - begun}


def ask(times: int) -> dict[str, object]:
    """May this window take in this item for that office today? Random questions, half of them with a chance of a yes."""
    dice = random.Random(5)  # noqa: S311 - the same questions every time
    windows = list(Window.objects.order_by("pk")[:20_000])
    links = list(ItemOffice.objects.select_related("item", "office").order_by("pk")[:20_000])
    by_province: dict[str, list[Window]] = {}
    for window in windows:
        by_province.setdefault(window.region_id[:2], []).append(window)
    spent, yes, now = [], 0, timezone.now()
    for number in range(times):
        link = dice.choice(links)
        near = by_province.get(link.region_id[:2], windows)
        window = dice.choice(near if number % 2 else windows)
        begun = time.perf_counter()
        item = ServiceItem.objects.get(pk=link.item_id)
        office = Office.objects.get(pk=link.office_id)
        try:
            check_lawful(
                item=item, window=window, office=office, mode=Mode.WINDOW_FORWARD.value, offices=1, now=now
            )
            yes += 1
        except Refused:
            pass
        spent.append(1000 * (time.perf_counter() - begun))
    return {"ms": spent, "yes": yes}


def lists(times: int) -> dict[str, object]:
    """Work lists as pages, at the busiest places and at ordinary ones."""
    settings.ALLOWED_HOSTS = ["testserver"]
    spent: dict[str, list[float]] = {}
    for role, place, names in AT_PLACE:
        for client in _clients(role, place):
            for name in names:
                address = reverse("worklist", args=[name])
                client.get(address)
                for _ in range(times):
                    begun = time.perf_counter()
                    if client.get(address).status_code != 200:
                        raise SystemExit(f"{name} did not open")
                    spent.setdefault(name, []).append(1000 * (time.perf_counter() - begun))
    return {"p95": {name: percentile(values, 0.95) for name, values in spent.items()}}


def figures(times: int) -> dict[str, object]:
    """The page of figures since a year ago: for the administrator, who counts everything, and for the busiest office and
    window, which count what is theirs. Finished days are added up first, as upkeep does it by night.
    """
    settings.ALLOWED_HOSTS = ["testserver"]
    begun = time.monotonic()
    while tally_figures(now=timezone.now()):
        pass
    added_up = time.monotonic() - begun
    year_ago = local_day(timezone.now()) - timedelta(days=330)
    address = f"{reverse('figures')}?first={year_ago:%Y-%m}"
    administrator, _ = User.objects.get_or_create(username="administrator", role=Role.ADMINISTRATOR.value)
    everybody = Client()
    everybody.force_login(administrator)
    readers = {
        "everybody's": everybody,
        "busiest office's": _clients("officer", "office")[0],
        "busiest window's": _clients("clerk", "window")[0],
    }
    spent: dict[str, list[float]] = {}
    for name, client in readers.items():
        for _ in range(times):
            begun = time.perf_counter()
            if client.get(address).status_code != 200:
                raise SystemExit(f"the figures did not open: {name}")
            spent.setdefault(name, []).append(time.perf_counter() - begun)
    return {"seconds": spent, "added_up": added_up}


def _clients(role: str, place: str) -> list[Client]:
    field = "case__window" if place == "window" else "office"
    counted = list(
        Handling.objects.values_list(field)
        .annotate(n=Count("pk"))
        .order_by("-n")
        .values_list(field, flat=True)
    )
    chosen = [counted[0], counted[len(counted) // 2], counted[-1]]
    clients = []
    for key in chosen:
        user, _ = User.objects.get_or_create(
            username=f"{role}-{key}", defaults={"role": Role(role).value, f"{place}_id": key}
        )
        client = Client()
        client.force_login(user)
        clients.append(client)
    return clients


def main(words: list[str]) -> dict[str, object]:
    step, amount = words
    if step == "fill":
        return fill(float(amount))
    return {"ask": ask, "lists": lists, "figures": figures}[step](int(amount))
