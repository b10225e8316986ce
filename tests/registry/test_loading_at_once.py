"""Programs that start in one moment: each row of the reference data comes once, and both of them come up."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from registry.reference.load import HERE, KEYS
from tests.conftest import SERVERS
from tests.services.servers import has_postgresql
from tests.shared import ROOT

DATABASE = "loaded"
AT_ONCE = 3
ASKED = """
from registry.events import verify_chains
from registry.models import Event, Grant, Office
assert not list(verify_chains("system"))
seen = Event.objects.filter(kind="reference.loaded")
print(seen.count(), Grant.objects.count(), Office.objects.count())
"""


def load_together(environment: dict[str, str]) -> str:
    """Loads in an empty database, in all processes at once; answers events, grants and offices as they were after."""
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.registry.load_once"],
            cwd=ROOT,
            env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(AT_ONCE)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    answers = [(*program.communicate(timeout=180), program.returncode) for program in programs]
    assert [code for _, _, code in answers] == [0] * AT_ONCE, [faults[-2000:] for _, faults, _ in answers]
    added = Counter(
        f"{name}:{key}" for told, _, _ in answers for name, keys in json.loads(told).items() for key in keys
    )
    rows = sum(len(json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))) for name in KEYS)
    assert set(added.values()) == {1}
    assert len(added) == rows
    said = subprocess.run(
        [*manage, "shell", "--verbosity", "0", "-c", ASKED],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return said.stdout.strip()


def expected() -> str:
    grants, offices = (len(json.loads((HERE / f"{name}.json").read_text())) for name in ("grants", "offices"))
    return f"1 {grants} {offices}"


@pytest.mark.parametrize("named", [False, True], ids=["in the data folder", "by its address"])
def test_on_sqlite_whoever_comes_second_waits_and_adds_nothing(tmp_path: Path, named: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TONGBAN_DATABASE_URL"}
    environment["TONGBAN_DATA_DIR"] = str(tmp_path)
    if named:
        environment["TONGBAN_DATABASE_URL"] = f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
    assert load_together(environment) == expected()


def test_on_postgresql_too(tmp_path: Path) -> None:
    if not has_postgresql():
        pytest.skip("no PostgreSQL is installed")
    with SERVERS.database(DATABASE) as url:
        environment = os.environ | {"TONGBAN_DATA_DIR": str(tmp_path), "TONGBAN_DATABASE_URL": url}
        assert load_together(environment) == expected()
