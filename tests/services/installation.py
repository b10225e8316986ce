"""Points the settings at a throw-away installation before Django reads them."""

import os
from pathlib import Path

from tests.services.servers import TestServers, has_postgresql, open_run

RUN = "TONGBAN_TEST_RUN"
DATABASE = "TONGBAN_TEST_DB"


def worker_name() -> str:
    """ "main", or the name that pytest-xdist gave to this process: gw0, gw1, …"""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def leads() -> bool:
    return worker_name() == "main"


def uses_postgresql() -> bool:
    return os.environ[DATABASE] == "postgresql"


def enter() -> TestServers:
    """Make or join the run's folder and set the whole environment of this process from it.

    Each process has its own data folder, buckets, Redis number and (by pytest-django) database.
    Which database is `TONGBAN_TEST_DB`: "postgresql" where it is installed, otherwise "sqlite".
    """
    servers = open_run() if leads() else TestServers.at(Path(os.environ[RUN]))
    database = os.environ.get(DATABASE) or ("postgresql" if has_postgresql() else "sqlite")
    for name in [name for name in os.environ if name.startswith("TONGBAN_")]:
        del os.environ[name]
    worker = worker_name()
    data_dir = servers.folder / worker
    data_dir.mkdir(exist_ok=True)
    number = 0 if leads() else 1 + int(worker.removeprefix("gw"))
    os.environ |= {
        RUN: str(servers.folder),
        DATABASE: database,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TONGBAN_DATA_DIR": str(data_dir),
        "TONGBAN_BROKER_URL": f"{servers.redis.url.removesuffix('/0')}/{number}",
        "TONGBAN_S3_ENDPOINT": servers.seaweed.url,
        "TONGBAN_S3_ACCESS_KEY": servers.seaweed.access_key,
        "TONGBAN_S3_SECRET_KEY": servers.seaweed.secret_key,
        "TONGBAN_S3_BUCKET": f"pages-{worker}",
        "TONGBAN_S3_ARCHIVE_BUCKET": f"archive-{worker}",
    }
    if database == "postgresql":
        os.environ["TONGBAN_DATABASE_URL"] = servers.postgresql.database_url("tongban")
    return servers
