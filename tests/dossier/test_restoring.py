"""A backup taken as the operator's guide says becomes an installation again: bytes, locks, keys, audit trail, guards."""

import json
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from config.services.postgresql import find_binaries
from dossier.models import Dossier
from dossier.services.anchoring import anchor_audit
from registry.accounts import PEOPLE
from registry.models import Event
from registry.reference.load import load_reference
from storage.client import store
from storage.models import ARCHIVED, Kind, StoredObject
from storage.services import store_bytes
from tests.conftest import SERVERS
from tests.dossier.cases import LATER, file_of
from tests.services import installation
from tests.shared import ROOT

pytestmark = pytest.mark.usefixtures("objects")

TRIGGERS = {
    "postgresql": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal",
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
}


class Elsewhere:
    """Another installation, that has nothing but the backup."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def storage_check(self, *options: str) -> tuple[int, set[tuple[str, str]]]:
        """Exit code, and what is wrong and was not mended."""
        done = self.run("storage_check", "--json", *options)
        assert done.stdout, done.stderr
        findings = json.loads(done.stdout)["findings"]
        return done.returncode, {(row["fault"], row["key"]) for row in findings if not row["mended"]}

    def triggers(self) -> set[tuple[str, str]]:
        if connection.vendor == "postgresql":
            with psycopg.connect(self.environment["TONGBAN_DATABASE_URL"]) as database:
                return set(database.execute(TRIGGERS["postgresql"]).fetchall())
        with closing(sqlite3.connect(Path(self.environment["TONGBAN_DATA_DIR"], "tongban.sqlite3"))) as file:
            return set(file.execute(TRIGGERS["sqlite"]).fetchall())


@contextmanager
def copy_of_database(data_dir: Path, folder: Path) -> Iterator[dict[str, str]]:
    """The database as the guide copies it: pg_dump and pg_restore, or SQLite's own backup. Gives the settings that name it."""
    source = str(connection.settings_dict["NAME"])
    if not installation.uses_postgresql():
        with (
            closing(sqlite3.connect(source)) as old,
            closing(sqlite3.connect(data_dir / "tongban.sqlite3")) as new,
        ):
            old.backup(new)
        yield {}
        return
    binaries, dump = find_binaries(), folder / "tongban.dump"
    assert binaries is not None
    subprocess.run(
        [binaries / "pg_dump", "--format=custom", f"--file={dump}", SERVERS.postgresql.database_url(source)],
        check=True,
    )
    with SERVERS.database(f"restored_{uuid.uuid4().hex}") as url:
        subprocess.run(
            [binaries / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url}", dump], check=True
        )
        yield {"TONGBAN_DATABASE_URL": url}


def copy_buckets(environment: dict[str, str]) -> None:
    """What any S3 tool does: the newest version of each object, and no locks."""
    client = store().client
    for source, target in (
        (settings.S3_BUCKET, environment["TONGBAN_S3_BUCKET"]),
        (settings.S3_ARCHIVE_BUCKET, environment["TONGBAN_S3_ARCHIVE_BUCKET"]),
    ):
        for entry in store().list(bucket=source):
            body = client.get_object(Bucket=source, Key=entry.key)["Body"].read()
            client.put_object(Bucket=target, Key=entry.key, Body=body)


@pytest.fixture
def elsewhere(signed_here: Dossier, outside: dict[str, str], tmp_path: Path) -> Iterator[Elsewhere]:
    """An empty machine beside this one; its keys came from where the operator keeps them."""
    data_dir = tmp_path / "elsewhere"
    data_dir.mkdir()
    shutil.copy(settings.DATA_DIR / "embedded.json", data_dir)
    shutil.copytree(settings.AUTHORITY_DIR, data_dir / "authority")
    buckets = f"restored-{uuid.uuid4().hex[:12]}"
    with copy_of_database(data_dir, tmp_path) as database:
        yield Elsewhere(
            {
                **outside,
                "TONGBAN_DATA_DIR": str(data_dir),
                "TONGBAN_S3_BUCKET": f"{buckets}-pages",
                "TONGBAN_S3_ARCHIVE_BUCKET": f"{buckets}-archive",
                **database,
            }
        )


@pytest.fixture
def signed_here(outside: dict[str, str], empty_objects: None, signed: Dossier) -> Dossier:
    load_reference()
    assert anchor_audit(now=LATER + timedelta(hours=2)) == 1
    return signed


def test_a_backup_becomes_an_installation_again(
    signed_here: Dossier, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    stored = set(StoredObject.objects.values_list("kind", "key"))
    assert elsewhere.run("migrate", "--check").returncode == 0
    assert elsewhere.storage_check() == (1, {("missing", key) for _, key in stored}), "and made the buckets"

    late = store_bytes(content=b"a scan after the dump", kind=Kind.PAGE, media_type="text/plain", now=LATER)
    copy_buckets(elsewhere.environment)
    harmless = {("unreferenced", late.key)}
    archived = {("unlocked", key) for kind, key in stored if kind in ARCHIVED}
    assert archived
    assert elsewhere.storage_check() == (1, archived | harmless)
    assert elsewhere.storage_check("--mend") == (0, harmless)
    assert elsewhere.storage_check() == (0, harmless)

    audit = elsewhere.run("audit_check")
    assert (audit.returncode, audit.stdout) == (
        0,
        f"{Event.objects.count()} entries and 1 anchors checked, 0 breaks\n",
    )
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS[connection.vendor])
        assert elsewhere.triggers() == set(cursor.fetchall())

    dossier = elsewhere.run("verify_dossier", str(file_of(signed_here, tmp_path)))
    assert dossier.returncode == 0, dossier.stdout
    accounts = elsewhere.run("make_accounts", "--json")
    assert len(json.loads(accounts.stdout)) == len(PEOPLE), "numbers of new rows go on where they were"
