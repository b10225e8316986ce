"""What the store lost is told, and put back where it still can be; nothing is ever removed."""

import json

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from storage.checking import Finding, check_storage
from storage.client import store
from storage.models import Kind, StoredObject
from storage.services import open_verified
from tests.cast import NOW
from tests.storage.test_services import keep, overwrite

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_objects")]


def found(*, mend: bool = False) -> set[tuple[str, str, bool]]:
    return {(finding.fault, finding.key, finding.mended) for finding in check_storage(now=NOW, mend=mend)}


def unlocked(content: bytes) -> StoredObject:
    """A dossier as it lies in a bucket that was filled from a backup: the bytes came along, the lock did not."""
    stored = keep(content, Kind.DOSSIER)
    lie_down_again(stored, content)
    return stored


def lie_down_again(stored: StoredObject, content: bytes) -> None:
    client = store().client
    for version in store().versions(bucket=stored.bucket, key=stored.key):
        client.delete_object(
            Bucket=stored.bucket, Key=stored.key, VersionId=version, BypassGovernanceRetention=True
        )
    client.put_object(Bucket=stored.bucket, Key=stored.key, Body=content)


def test_missing_damaged_and_unreferenced_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    whole, missing, damaged = keep(b"whole"), keep(b"missing"), keep(b"damaged")
    store().client.delete_object(Bucket=missing.bucket, Key=missing.key)
    overwrite(damaged, b"DAMAGED")
    overwrite(StoredObject(kind=Kind.PAGE, key="page/xx/stray"), b"stray")
    assert found() == {
        ("missing", missing.key, False),
        ("damaged", damaged.key, False),
        ("unreferenced", "page/xx/stray", False),
    }
    with pytest.raises(SystemExit) as ended:
        call_command("storage_check", "--json")
    assert ended.value.code == 1
    assert whole.key not in capsys.readouterr().out


def test_a_lock_that_did_not_come_along_is_told_and_set_again() -> None:
    held, bare = keep(b"held", Kind.DOSSIER), unlocked(b"bare")
    assert found() == {("unlocked", bare.key, False)}
    assert found(mend=True) == {("unlocked", bare.key, True)}
    assert found() == set()
    assert store().locked_until(bucket=bare.bucket, key=bare.key) == held.locked_until


def test_a_lock_whose_day_has_passed_is_not_missed() -> None:
    bare = unlocked(b"long ago")
    StoredObject.objects.filter(pk=bare.pk).update(locked_until=NOW)
    assert found() == set()


def test_what_an_older_version_still_has_is_put_on_top_and_locked() -> None:
    covered, removed = keep(b"covered", Kind.DOSSIER), keep(b"removed", Kind.SLIP)
    overwrite(covered, b"COVERED")
    store().client.delete_object(Bucket=removed.bucket, Key=removed.key)
    assert found() == {("damaged", covered.key, False), ("missing", removed.key, False)}
    assert found(mend=True) == {("damaged", covered.key, True), ("missing", removed.key, True)}
    assert found() == set()
    assert (open_verified(covered), open_verified(removed)) == (b"covered", b"removed")
    assert len(list(store().versions(bucket=covered.bucket, key=covered.key))) == 3, "nothing is removed"


def test_what_no_version_has_stays_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    gone, bare = keep(b"gone"), unlocked(b"bare again")
    store().client.delete_object(Bucket=gone.bucket, Key=gone.key)
    with pytest.raises(SystemExit):
        call_command("storage_check", "--mend", "--json")
    told = {row["key"]: row["mended"] for row in json.loads(capsys.readouterr().out)["findings"]}
    assert told == {gone.key: False, bare.key: True}
    StoredObject.objects.filter(pk=gone.pk).delete()
    call_command("storage_check")
    assert capsys.readouterr().out == "1 objects checked, 0 findings\n"


def test_a_neighbour_whose_name_begins_alike_is_no_version_of_it() -> None:
    stored = keep(b"mine", Kind.DOSSIER)
    store().client.put_object(Bucket=stored.bucket, Key=stored.key + "0", Body=b"mine")
    store().client.delete_object(Bucket=stored.bucket, Key=stored.key)
    assert len(list(store().versions(bucket=stored.bucket, key=stored.key))) == 1


def test_objects_are_compared_with_rows_in_parts(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(5):
        keep(f"page {number}".encode())
    with django_assert_num_queries(2):
        assert list(check_storage(now=NOW)) == []


def test_a_finding_says_where_it_lies() -> None:
    stray = StoredObject(kind=Kind.DOSSIER, key="dossier/xx/stray")
    overwrite(stray, b"stray")
    assert list(check_storage(now=NOW)) == [Finding("unreferenced", stray.bucket, stray.key, 5)]
