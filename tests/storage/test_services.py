"""Bytes put away come back unchanged, or not at all."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from storage.client import Damaged, ObjectStore, Unavailable, digest, store
from storage.models import Kind, StoredObject
from storage.services import fetch_to, open_verified, prepare_buckets, read_range, store_bytes, store_file
from tests.cast import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


def keep(content: bytes, kind: str = Kind.PAGE) -> StoredObject:
    return store_bytes(content=content, kind=kind, media_type="application/octet-stream", now=NOW)


def overwrite(stored: StoredObject, content: bytes) -> None:
    store().client.put_object(Bucket=stored.bucket, Key=stored.key, Body=content)


def test_what_was_stored_comes_back(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(b"\x00\xff" * 700_000)
    stored = store_file(path=source, kind=Kind.SOURCE, media_type="image/jpeg", now=NOW)
    fetch_to(stored, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == source.read_bytes() == open_verified(stored)
    assert stored.size == 1_400_000
    assert read_range(stored, first=1, last=4) == b"\xff\x00\xff\x00"


def test_the_same_bytes_are_kept_once_for_one_use_and_apart_for_another() -> None:
    first, again, other = keep(b"same"), keep(b"same"), keep(b"same", Kind.LABEL)
    assert first == again != other
    assert first.sha256 == other.sha256


def test_a_known_object_that_vanished_is_put_back() -> None:
    stored = keep(b"vanishing")
    store().client.delete_object(Bucket=stored.bucket, Key=stored.key)
    assert keep(b"vanishing") == stored
    assert open_verified(stored) == b"vanishing"


def test_changed_bytes_are_refused_and_leave_no_file(tmp_path: Path) -> None:
    stored = keep(b"the truth")
    overwrite(stored, b"the trutH")
    with pytest.raises(Damaged):
        fetch_to(stored, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_is_damaged_on_the_way_is_refused_by_the_server() -> None:
    wrong = digest(io.BytesIO(b"what we meant"))
    with pytest.raises(Unavailable):
        store().put(
            bucket=settings.S3_BUCKET,
            key="page/zz/wrong",
            file=io.BytesIO(b"what we sent!"),
            digests=wrong,
            media_type="text/plain",
        )


def test_an_archived_file_cannot_be_removed_before_its_time() -> None:
    if not store().can_lock(settings.S3_ARCHIVE_BUCKET):
        pytest.fail("the test server is expected to hold object locks")
    stored = keep(b"a signed dossier", Kind.DOSSIER)
    assert stored.locked_until == NOW + timedelta(days=settings.S3_LOCK_DAYS)
    versions = store().client.list_object_versions(Bucket=stored.bucket, Prefix=stored.key)["Versions"]
    with pytest.raises(ClientError) as refused:
        store().client.delete_object(Bucket=stored.bucket, Key=stored.key, VersionId=versions[0]["VersionId"])
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert open_verified(stored) == b"a signed dossier"


def test_preparing_twice_is_the_same_as_once() -> None:
    prepare_buckets()
    prepare_buckets()
    assert store().can_lock(settings.S3_ARCHIVE_BUCKET)
    assert not store().can_lock(settings.S3_BUCKET)


def test_wrong_credentials_and_a_silent_server_are_told_as_worth_a_retry() -> None:
    stranger = ObjectStore(
        endpoint=settings.S3_ENDPOINT, access_key="x", secret_key="y", region="us-east-1", addressing="path"
    )
    nobody = ObjectStore(
        endpoint="http://127.0.0.1:9", access_key="x", secret_key="y", region="us-east-1", addressing="path"
    )
    for faulty in (stranger, nobody):
        with pytest.raises(Unavailable) as refused:
            faulty.size_of(bucket=settings.S3_BUCKET, key="page/aa/none")
        assert refused.value.can_retry


def test_storing_known_bytes_asks_the_database_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    keep(b"known")
    with django_assert_num_queries(1):
        keep(b"known")
