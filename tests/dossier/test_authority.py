"""The local authority: made once, whoever asks, whatever crashes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dossier.authority import BadCode, LocalAuthority, SealFile

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_asking_again_changes_nothing(tmp_path: Path) -> None:
    authority = LocalAuthority(tmp_path / "a", now=NOW)
    first = authority.seal("window-1", holder="窗口", organisation="中心", now=NOW)
    before = snapshot(tmp_path)
    again = LocalAuthority(tmp_path / "a", now=NOW + timedelta(days=9))
    assert again.seal("window-1", holder="窗口", organisation="中心", now=NOW) == first
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("lost", ["issuing.p12", "tsa.p12", "root.pem"])
def test_a_crash_between_files_is_made_good(tmp_path: Path, lost: str) -> None:
    LocalAuthority(tmp_path / "a", now=NOW)
    root = (tmp_path / "a" / "root.p12").read_bytes()
    (tmp_path / "a" / lost).unlink()
    (tmp_path / "a" / f".{lost}.123").write_bytes(b"half a fi")
    authority = LocalAuthority(tmp_path / "a", now=NOW)
    authority.seal("window-1", holder="窗口", organisation="中心", now=NOW)
    assert (tmp_path / "a" / lost).exists()
    assert (tmp_path / "a" / "root.p12").read_bytes() == root


def test_many_at_once_get_the_same(tmp_path: Path) -> None:
    def ask(_: int) -> SealFile:
        authority = LocalAuthority(tmp_path / "a", now=NOW)
        return authority.seal("window-1", holder="窗口", organisation="中心", now=NOW)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ask, range(16)))
    assert len({(item.path, item.passphrase, item.path.read_bytes()) for item in made}) == 1


def test_a_seal_is_renewed_before_it_expires_and_the_old_one_stays(tmp_path: Path) -> None:
    authority = LocalAuthority(tmp_path / "a", now=NOW)
    first = authority.seal("window-1", holder="窗口", organisation="中心", now=NOW).path.read_bytes()
    second = authority.seal(
        "window-1", holder="窗口", organisation="中心", now=NOW + timedelta(days=5 * 365 - 10)
    )
    assert second.path.read_bytes() != first
    assert first in [path.read_bytes() for path in second.path.parent.glob("*.until-*.p12")]


def test_codes_do_not_leave_the_folder(tmp_path: Path) -> None:
    authority = LocalAuthority(tmp_path / "a", now=NOW)
    with pytest.raises(BadCode):
        authority.seal("../evil", holder="x", organisation="y", now=NOW)
