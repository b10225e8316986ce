"""Which private servers the settings ask for, and running them for the length of one command."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.embedded import Embedded
from config.environment import Environment
from config.services.processes import Service
from config.services.redis import PrivateRedis
from config.services.seaweed import PrivateSeaweed


def private_redis(data_dir: Path, embedded: Embedded) -> PrivateRedis:
    return PrivateRedis(data_dir.resolve() / "redis", embedded.redis_port, embedded.redis_password)


def private_seaweed(data_dir: Path, embedded: Embedded) -> PrivateSeaweed:
    return PrivateSeaweed(
        data_dir.resolve() / "seaweed",
        port=embedded.s3_port,
        access_key=embedded.s3_access_key,
        secret_key=embedded.s3_secret_key,
        signing_key=embedded.weed_signing_key,
        filer_signing_key=embedded.weed_filer_signing_key,
        filer_read_key=embedded.weed_filer_read_key,
    )


def needed_services(environment: Environment, embedded: Embedded) -> list[Service]:
    """The servers that no setting replaces by an outside one, in the order to start them."""
    services: list[Service] = []
    if not environment.broker_url.get_secret_value():
        services.append(private_redis(environment.data_dir, embedded))
    if not environment.s3_endpoint:
        services.append(private_seaweed(environment.data_dir, embedded))
    return services


@contextmanager
def running(services: list[Service]) -> Iterator[None]:
    """Start those that do not answer yet, and stop exactly those at the end. Raises ServiceFailed."""
    with ExitStack() as started:
        for service in services:
            if not service.is_ready():
                started.callback(service.start().stop)
        yield
