"""A private Redis (Debian's redis-server) for Celery: loopback, with a password, its log of changes on disk."""

from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from config.services.processes import Service, write_private

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir .
appendonly yes
appendfsync everysec
save ""
daemonize no
maxmemory-policy noeviction
"""


@dataclass(frozen=True)
class PrivateRedis(Service):
    port: int
    password: str

    name = "redis"
    start_seconds = 15.0

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(
            self.folder / "redis.conf", CONFIGURATION.format(port=self.port, password=self.password)
        )

    def command(self) -> list[str]:
        return ["redis-server", "redis.conf"]

    def is_ready(self) -> bool:
        try:
            with Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False
