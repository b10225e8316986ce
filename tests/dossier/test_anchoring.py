"""Anchors show what a chain of hashes does not: an end that was cut off, a chain computed anew, entries put in later."""

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from dossier.authority import LocalAuthority
from dossier.models import AuditAnchor
from dossier.sealing import local_authority
from dossier.services.anchoring import AnchorBreak, anchor_audit, check_anchors
from registry.actors import SYSTEM
from registry.events import chain_hash, record, verify_chains
from registry.models import Event, Region
from storage.client import store
from storage.models import Kind, StoredObject
from storage.services import fetch_to
from tests.cast import NOW
from workers.upkeep import DUTIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_objects")]

LATER = NOW + timedelta(hours=2)
NEXT_DAY = NOW + timedelta(days=1, hours=2)


@pytest.fixture
def region(db: None) -> Region:
    return Region.objects.create(code="331000", name="台州市", level="city")


def write(region: Region, *streams: str, at: datetime = NOW) -> None:
    with transaction.atomic():
        for stream in streams:
            record(kind="region.seen", actor=SYSTEM, subject=region, now=at, case_number=stream)


@pytest.fixture
def anchored(region: Region) -> list[Event]:
    """Two days, each with its anchor; the entries of the first day."""
    write(region, "A", "A", "B")
    entries = list(Event.objects.order_by("pk"))
    assert DUTIES["anchor_audit"](now=LATER) == 1
    write(region, "A", at=LATER)
    assert DUTIES["anchor_audit"](now=NEXT_DAY) == 1
    return entries


def broken() -> list[AnchorBreak]:
    return list(check_anchors())


def test_a_day_is_anchored_once_and_told(anchored: list[Event]) -> None:
    assert anchor_audit(now=NEXT_DAY + timedelta(minutes=5)) == 0
    assert list(AuditAnchor.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    told = Event.objects.filter(kind="audit.anchored").order_by("pk")
    assert [event.data["entries"] for event in told] == [3, 2], (
        "the first anchor's own entry is in the second"
    )
    assert broken() == []


def test_nothing_new_is_no_anchor(db: None) -> None:
    assert anchor_audit(now=NOW) == 0
    assert broken() == []


def test_entries_of_the_last_hour_wait(region: Region) -> None:
    write(region, "A")
    write(region, "B", at=LATER)
    assert anchor_audit(now=LATER + timedelta(minutes=30)) == 1
    assert Event.objects.get(kind="audit.anchored").data["entries"] == 1
    assert broken() == []


@pytest.mark.usefixtures("tampering")
def test_an_end_that_was_cut_off_shows(anchored: list[Event]) -> None:
    anchored[2].delete()
    assert list(verify_chains()) == [], "what is left of a chain still holds"
    assert broken() == [AnchorBreak(1, "changed")]


@pytest.mark.usefixtures("tampering")
def test_a_chain_computed_anew_shows(anchored: list[Event]) -> None:
    before = ""
    for event in Event.objects.filter(stream="A").order_by("sequence"):
        event.actor_label, event.previous_hash = "somebody else", before
        event.hash = before = chain_hash(event)
        event.save()
    assert list(verify_chains()) == []
    assert broken() == [AnchorBreak(1, "changed"), AnchorBreak(2, "changed")]


@pytest.mark.usefixtures("tampering")
def test_forgetting_the_anchor_in_the_database_does_not_help(anchored: list[Event]) -> None:
    anchored[2].delete()
    AuditAnchor.objects.all().delete()
    assert broken() == [AnchorBreak(1, "changed")]


def test_an_anchor_that_left_the_archive_is_missed(anchored: list[Event]) -> None:
    first, last = AuditAnchor.objects.order_by("number")
    for anchor in (first, last):
        store().client.delete_object(Bucket=anchor.stored.bucket, Key=anchor.stored.key)
        assert broken() == [AnchorBreak(number, "missing") for number in range(1, anchor.number + 1)]


def test_an_anchor_that_was_written_over_is_missed(anchored: list[Event]) -> None:
    stored = AuditAnchor.objects.get(number=2).stored
    store().client.put_object(Bucket=stored.bucket, Key=stored.key, Body=b"{}")
    assert broken() == [AnchorBreak(2, "missing")]


def test_a_stamp_of_somebody_who_is_not_trusted_does_not_count(
    anchored: list[Event], settings: Any, tmp_path: Path
) -> None:
    settings.AUTHORITY_DIR = tmp_path / "another"
    LocalAuthority(tmp_path / "another", now=NOW)
    assert broken() == [AnchorBreak(1, "unstamped"), AnchorBreak(2, "unstamped")]


def test_an_anchor_without_its_stamp_does_not_count(anchored: list[Event]) -> None:
    stamp = AuditAnchor.objects.get(number=1).stamp
    store().client.delete_object(Bucket=stamp.bucket, Key=stamp.key)
    assert broken() == [AnchorBreak(1, "unstamped")]


def test_a_process_that_died_before_the_row_leaves_a_true_anchor(region: Region) -> None:
    write(region, "A")
    with transaction.atomic():
        anchor_audit(now=LATER)
        transaction.set_rollback(True)
    assert not AuditAnchor.objects.exists()
    write(region, "A", at=LATER)
    assert anchor_audit(now=NEXT_DAY) == 1
    assert broken() == [], "both hold, and the second stands in the database"


def test_anchors_are_locked_and_never_edited(anchored: list[Event], append_only: None) -> None:
    objects = StoredObject.objects.filter(kind=Kind.ANCHOR)
    assert objects.count() == 4
    for stored in objects:
        assert store().locked_until(bucket=stored.bucket, key=stored.key) == stored.locked_until
    for verb in (lambda: AuditAnchor.objects.update(upto=0), lambda: AuditAnchor.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            verb()


def test_openssl_alone_tells_that_the_stamp_belongs_to_the_anchor(
    anchored: list[Event], tmp_path: Path
) -> None:
    anchor = AuditAnchor.objects.get(number=1)
    fetch_to(anchor.stored, tmp_path / "anchor.json")
    fetch_to(anchor.stamp, tmp_path / "anchor.tst")
    command = [
        "openssl",
        "ts",
        "-verify",
        "-data",
        "anchor.json",
        "-in",
        "anchor.tst",
        "-token_in",
        "-CAfile",
    ]
    roots = str(local_authority().roots_file)
    held = subprocess.run([*command, roots], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (held.returncode, held.stdout.strip()) == (0, "Verification: OK"), held.stderr
    (tmp_path / "anchor.json").write_bytes(b"{}")
    assert subprocess.run([*command, roots], cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_the_trail_is_read_once_however_long(
    anchored: list[Event], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        assert broken() == []
