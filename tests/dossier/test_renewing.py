"""Timestamps are renewed in time, once, and only where that makes the dossier last longer."""

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

import dossier.sign
from dossier.models import Dossier, Occasion
from dossier.services import check_file, renew, renew_due
from dossier.services.renewing import NotExtended
from dossier.sign import system_clock
from registry.actors import SYSTEM
from registry.models import Event
from storage.models import StoredObject
from tests.dossier.cases import file_of
from workers.upkeep import DUTIES, round_of_upkeep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
YEAR = timedelta(days=365.25)


@pytest.fixture(autouse=True)
def own_authority(settings: Any, tmp_path: Path) -> None:
    """Keys made on a moved clock stay with the test that moved it."""
    settings.AUTHORITY_DIR = tmp_path / "authority"


def move_clock(monkeypatch: pytest.MonkeyPatch, to: datetime) -> datetime:
    """The clock of seals, timestamps and verification reads `to` from now on."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return to.astimezone(tz)

    monkeypatch.setattr(dossier.sign, "datetime", Moved)
    assert system_clock() == to
    return to


def ends_of(found: Dossier) -> datetime:
    found.refresh_from_db()
    assert found.stamp_ends_at is not None
    return found.stamp_ends_at


def test_the_round_of_upkeep_renews_what_ends_soon_and_only_once(
    signed: Dossier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ends = ends_of(signed)
    early = move_clock(monkeypatch, ends - timedelta(days=200))
    assert DUTIES["renew_timestamps"](now=early) == 0

    due = move_clock(monkeypatch, ends - timedelta(days=150))
    assert round_of_upkeep(now=due)["renew_timestamps"] == 1
    assert ends_of(signed) > ends + 10 * YEAR
    assert signed.signature_count == 3
    assert [item.occasion for item in signed.revisions.all()] == [Occasion.SUBMITTED, Occasion.RENEWED]
    assert Event.objects.filter(kind="dossier.renewed", actor_kind="system").count() == 1

    for later in (due + timedelta(minutes=1), due + timedelta(days=2)):
        move_clock(monkeypatch, later)
        assert DUTIES["renew_timestamps"](now=later) == 0
    assert signed.revisions.count() == 2

    # Without the renewal the dossier would be lost by now; the file before it is.
    move_clock(monkeypatch, ends + YEAR)
    assert check_file(path=file_of(signed, tmp_path), dossier=signed).is_valid


def test_the_days_are_the_operators_choice(
    signed: Dossier, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    now = move_clock(monkeypatch, ends_of(signed) - timedelta(days=300))
    assert DUTIES["renew_timestamps"](now=now) == 0
    settings.STAMP_RENEWAL_DAYS = 301
    assert DUTIES["renew_timestamps"](now=now) == 1


def test_a_stamp_that_would_last_no_longer_is_not_kept(signed: Dossier) -> None:
    before = (signed.sha256, StoredObject.objects.count())
    with pytest.raises(NotExtended):
        renew(dossier=signed, actor=SYSTEM, now=datetime.now(UTC))
    signed.refresh_from_db()
    assert (signed.sha256, StoredObject.objects.count()) == before
    assert signed.revisions.count() == 1


def test_one_that_fails_rests_for_a_day_and_lets_the_others_pass(
    signed: Dossier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Dossier.objects.create(
        handling=signed.handling,
        version=9,
        state="signed",
        token="x",
        made_at=signed.made_at,
        stored=signed.stored,
        sha256="0" * 64,  # not what the store holds
        size=signed.size,
        signature_count=signed.signature_count,
        stamp_ends_at=ends_of(signed) - timedelta(days=1),
    )
    now = move_clock(monkeypatch, ends_of(signed) - timedelta(days=100))
    within = timedelta(days=180)
    assert renew_due(now=now, within=within, at_most=1) == 0
    assert f"timestamp of dossier {broken.pk} was not renewed: dossier-not-sound" in caplog.text
    assert renew_due(now=now, within=within, at_most=1) == 1
    assert ends_of(signed) > now + 10 * YEAR
    assert renew_due(now=now + timedelta(hours=1), within=within, at_most=1) == 0
    broken.refresh_from_db()
    assert (broken.renewal_tried_at, broken.revisions.count()) == (now, 0)
