"""The real servers that the tests stand on."""

import socket

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from redis import Redis

from storage.client import store
from tests.services import installation
from tests.services.fence import LeftTheMachine


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for() -> None:
    assert ContentType.objects.exists()
    assert connection.vendor == ("postgresql" if installation.uses_postgresql() else "sqlite")


def test_the_archive_really_locks(objects: None) -> None:
    assert store().can_lock(settings.S3_ARCHIVE_BUCKET)
    assert not store().can_lock(settings.S3_BUCKET)


def test_emptying_takes_versions_and_locked_objects_too(empty_objects: None) -> None:
    assert [*store().list(bucket=settings.S3_BUCKET), *store().list(bucket=settings.S3_ARCHIVE_BUCKET)] == []


def test_the_broker_is_empty_and_takes_messages(broker: Redis) -> None:
    assert broker.dbsize() == 0
    broker.rpush("queue", "message")
    assert broker.lpop("queue") == b"message"


def test_no_test_reaches_outside_this_machine() -> None:
    with pytest.raises(LeftTheMachine):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(LeftTheMachine):
        socket.getaddrinfo("example.org", 443)
