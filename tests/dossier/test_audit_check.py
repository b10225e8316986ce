"""`manage.py audit_check`: whole chains are counted, a changed and a missing entry are named."""

import json

import pytest
from django.core.management import call_command
from django.db import transaction

from registry.actors import SYSTEM
from registry.events import record
from registry.models import Event, Region
from tests.cast import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_objects")]


@pytest.fixture(autouse=True)
def entries(db: None) -> None:
    region = Region.objects.create(code="331000", name="台州市", level="city")
    with transaction.atomic():
        for case in ("A", "A", "A", "B", "B"):
            record(kind="region.seen", actor=SYSTEM, subject=region, now=NOW, case_number=case)


def test_whole_chains_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_check")
    assert capsys.readouterr().out == "5 entries and 0 anchors checked, 0 breaks\n"


@pytest.mark.usefixtures("tampering")
def test_what_was_changed_or_taken_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Event.objects.filter(stream="A", sequence=2).delete()
    Event.objects.filter(stream="B", sequence=1).update(actor_label="somebody else")
    with pytest.raises(SystemExit) as ended:
        call_command("audit_check")
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        "missing   A 3",
        "changed   B 1",
        "4 entries and 0 anchors checked, 2 breaks",
    ]
    with pytest.raises(SystemExit):
        call_command("audit_check", "--json")
    assert json.loads(capsys.readouterr().out)["checked"] == 4
