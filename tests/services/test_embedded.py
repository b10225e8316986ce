"""The private servers of the embedded default: what they keep, and what they leave to others."""

import io
import os
import stat
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from redis import Redis

from config.embedded import Embedded, free_ports, load_or_make
from config.environment import Environment
from config.services.embedded import needed_services, private_redis, private_seaweed, running
from config.services.processes import Running, ServiceFailed
from config.services.redis import PrivateRedis
from storage.client import ObjectStore, digest


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return load_or_make(tmp_path)


@pytest.fixture
def started() -> Iterator[list[Running]]:
    """What a test started; stopped at the end whatever happened."""
    servers: list[Running] = []
    yield servers
    for server in servers:
        server.stop()


def test_no_service_is_given_the_port_of_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (web, *others) = free_ports(4)
    drawn = cycle([port - 20000 for port in (web, others[0], web, others[1], others[1], others[2])])
    monkeypatch.setattr("config.embedded.secrets.randbelow", lambda _below: next(drawn))
    made = load_or_make(tmp_path, web_port=web)
    assert [made.redis_port, made.s3_port, made.sandbox_port] == others


def put(client: ObjectStore, content: bytes) -> None:
    file = io.BytesIO(content)
    client.ensure_bucket("pages")
    client.put(bucket="pages", key="page", file=file, digests=digest(file), media_type="image/jpeg")


def get(client: ObjectStore, content: bytes) -> bytes:
    digests = digest(io.BytesIO(content))
    return b"".join(client.stream(bucket="pages", key="page", sha256=digests.sha256))


def test_pages_outlive_a_stop_and_a_power_cut_of_the_store(
    tmp_path: Path, embedded: Embedded, started: list[Running]
) -> None:
    service = private_seaweed(tmp_path, embedded)
    client = ObjectStore(
        endpoint=service.url,
        access_key=service.access_key,
        secret_key=service.secret_key,
        region="us-east-1",
        addressing="path",
    )
    content = os.urandom(300_000)
    started.append(service.start())
    put(client, content)

    started[-1].stop()
    started.append(service.start())
    assert get(client, content) == content

    newer = os.urandom(300_000)
    put(client, newer)
    started[-1].kill()
    started.append(service.start())
    assert get(client, newer) == newer


def test_the_store_refuses_a_stranger(tmp_path: Path, embedded: Embedded, started: list[Running]) -> None:
    service = private_seaweed(tmp_path, embedded)
    started.append(service.start())
    stranger = ObjectStore(
        endpoint=service.url, access_key="stranger", secret_key="guess", region="us-east-1", addressing="path"
    )
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        stranger.client.list_buckets()


def test_messages_outlive_a_stop_of_redis(tmp_path: Path, embedded: Embedded, started: list[Running]) -> None:
    service = private_redis(tmp_path, embedded)
    started.append(service.start())
    with Redis.from_url(service.url) as client:
        client.rpush("queue", "message")
    started[-1].stop()
    started.append(service.start())
    with Redis.from_url(service.url) as client:
        assert client.lrange("queue", 0, -1) == [b"message"]


def test_secrets_are_for_the_owner_only(tmp_path: Path, embedded: Embedded) -> None:
    for service in (private_redis(tmp_path, embedded), private_seaweed(tmp_path, embedded)):
        service.prepare()
        secret_words = (embedded.redis_password, embedded.s3_secret_key)
        for path in service.folder.rglob("*"):
            if path.is_file() and any(word in path.read_text() for word in secret_words):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(word in part for word in secret_words for part in service.command())
    assert stat.S_IMODE((tmp_path / "embedded.json").stat().st_mode) == 0o600


def test_what_runs_already_is_used_and_left_running(
    tmp_path: Path, embedded: Embedded, started: list[Running]
) -> None:
    service = private_redis(tmp_path, embedded)
    started.append(service.start())
    with running([service]):
        assert service.is_ready()
    assert service.is_ready()

    started[-1].stop()
    with running([service]):
        assert service.is_ready()
    assert not service.is_ready()


def test_a_server_that_cannot_start_says_where_to_look(
    tmp_path: Path, embedded: Embedded, started: list[Running]
) -> None:
    started.append(private_redis(tmp_path / "first", embedded).start())
    second = PrivateRedis(tmp_path / "second", port=embedded.redis_port, password="another")
    with pytest.raises(ServiceFailed, match=r"redis did not start; its log is .*redis\.log"):
        second.start()


def test_a_setting_replaces_the_private_server(tmp_path: Path, embedded: Embedded) -> None:
    def names(**settings: str) -> list[str]:
        environment = Environment(data_dir=tmp_path, **settings)  # type: ignore[arg-type]
        return [service.name for service in needed_services(environment, embedded)]

    assert names(broker_url="", s3_endpoint="") == ["redis", "seaweed"]
    assert names(broker_url="amqp://broker/", s3_endpoint="") == ["seaweed"]
    assert names(broker_url="", s3_endpoint="https://s3.example.cn") == ["redis"]
