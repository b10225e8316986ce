"""Reference data over the years: what a version brings is added, what was edited or removed stays as people left it."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from registry.actors import SYSTEM
from registry.events import verify_chains
from registry.models import (
    DeadlinePolicy,
    Event,
    ExpiryPolicy,
    Grant,
    ItemOffice,
    MaterialRequirement,
    Office,
    ProblemTime,
    ServiceItem,
    Window,
)
from registry.reference.load import DEFAULTS, KEYS, bring_up_to_date, load_reference
from tests.cast import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def upgrade(*names: str) -> dict[str, list[str]]:
    """What is new, without the sets in which nothing is."""
    fresh = bring_up_to_date(names=names or tuple(KEYS), actor=SYSTEM, now=LATER)
    return {name: keys for name, keys in fresh.items() if keys}


def loads() -> list[Event]:
    return list(Event.objects.filter(kind="reference.loaded").order_by("pk"))


@pytest.fixture
def installed() -> None:
    """An installation of before loadings were told."""
    load_reference()


def test_a_rule_that_a_version_brought_reaches_an_old_installation(installed: None) -> None:
    DeadlinePolicy.objects.all().delete()
    ExpiryPolicy.objects.all().delete()
    ProblemTime.objects.filter(kind="rating").delete()
    fresh = upgrade(*DEFAULTS)
    assert set(fresh) == set(DEFAULTS)
    assert fresh["deadline_policies"] == ["*/2021-01-01"]
    assert DeadlinePolicy.objects.get().amber_days == 2
    assert ExpiryPolicy.objects.exists()
    assert ProblemTime.objects.filter(kind="rating").exists()
    [told] = loads()
    assert told.data["added"] == fresh
    assert list(verify_chains("system")) == []


def test_again_it_changes_and_tells_nothing(installed: None) -> None:
    upgrade()
    before = Event.objects.count()
    assert upgrade() == {}
    assert Event.objects.count() == before
    assert DeadlinePolicy.objects.count() == 1


def test_what_people_edited_stays(installed: None) -> None:
    Office.objects.filter(code="331000-zjj").update(name="台州市住建局（新）")
    Window.objects.filter(code="330681-01").update(phone="0575-87000000", place="二楼")
    ServiceItem.objects.filter(code="TZ-ZJ-001").update(promised_days=3)
    item = ServiceItem.objects.get(code="TZ-ZJ-001")
    MaterialRequirement.objects.filter(item=item, position=1).delete()
    ItemOffice.objects.filter(item=item, office__code="331081-zjj").delete()
    ProblemTime.objects.filter(kind="system").update(workdays=9)
    grant = Grant.objects.first()
    assert grant is not None
    Grant.objects.filter(pk=grant.pk).update(revoked_at=NOW)
    assert upgrade() == {}
    assert Office.objects.get(code="331000-zjj").name == "台州市住建局（新）"
    assert Window.objects.get(code="330681-01").place == "二楼"
    item.refresh_from_db()
    assert item.promised_days == 3
    assert not item.requirements.filter(position=1).exists()
    assert not item.offices.filter(office__code="331081-zjj").exists()
    assert set(ProblemTime.objects.filter(kind="system").values_list("workdays", flat=True)) == {9}
    assert not Grant.objects.filter(pk=grant.pk, revoked_at=None).exists()


def test_what_was_removed_after_it_had_been_seen_does_not_come_back(installed: None) -> None:
    upgrade()
    Window.objects.filter(code="331000-01").delete()
    assert upgrade() == {}
    assert not Window.objects.filter(code="331000-01").exists()


def test_an_installation_with_a_directory_of_its_own_gets_rules_and_no_strangers_places() -> None:
    assert set(upgrade(*DEFAULTS)) == set(DEFAULTS)
    assert not Office.objects.exists()
    assert not Grant.objects.exists()


def test_a_dry_run_lists_and_adds_nothing(installed: None) -> None:
    DeadlinePolicy.objects.all().delete()
    said = StringIO()
    call_command("load_reference", dry_run=True, stdout=said)
    assert "deadline_policies: 1 new\n  */2021-01-01\n" in said.getvalue()
    assert not DeadlinePolicy.objects.exists()
    assert loads() == []
    call_command("load_reference", defaults=True, stdout=StringIO())
    assert DeadlinePolicy.objects.exists()
