"""Papers of finance leave under the seal of their centre, once."""

from datetime import timedelta
from pathlib import Path

import pytest

from dossier.services import check_file
from logistics.models import DisputeLetter
from logistics.postage.services import (
    approve_settlement,
    dispute_all,
    import_statement,
    prepare_month,
    reconcile_statement,
    write_dispute,
)
from registry.models import Event
from storage.services import fetch_to
from tests.cast import NOW, assemble
from tests.logistics.postage_world import MONTH, PostageWorld, write_csv
from workers.work.letters import sign_dispute
from workers.work.settlements import sign_settlement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


def test_a_letter_and_a_settlement_are_sealed_once(tmp_path: Path) -> None:
    world = PostageWorld.build(assemble())
    finance = world.cast.finance
    path = write_csv(tmp_path / "a.csv", [world.row(world.charged().waybill.number, "15.00")])
    made = import_statement(path=path, carrier=world.carrier, month=MONTH, actor=finance, now=NOW)
    reconcile_statement(statement=made.statement, actor=finance, now=NOW)
    dispute_all(statement_id=made.statement.pk, reason="与合同不符", actor=finance, now=NOW)
    letter = write_dispute(statement=made.statement, actor=finance, now=NOW)
    prepared = prepare_month(
        centre=world.cast.taizhou.centre, carrier=world.carrier, month=MONTH, actor=finance, now=NOW
    )
    settlement = approve_settlement(proposal=prepared, actor=world.cast.second_finance, now=NOW)
    for _ in range(2):
        sign_dispute(Event.objects.get(kind="dispute.written"), "", NOW + timedelta(minutes=1))
        sign_settlement(Event.objects.get(kind="settlement.closed"), "", NOW + timedelta(minutes=1))
    letter = DisputeLetter.objects.get(pk=letter.pk)
    settlement.refresh_from_db()
    for name, stored in (("letter", letter.paper), ("settlement", settlement.paper)):
        assert stored is not None
        fetch_to(stored, tmp_path / f"{name}.pdf")
        assert check_file(path=tmp_path / f"{name}.pdf").is_valid
    assert Event.objects.filter(kind="dispute.signed").count() == 1
    assert Event.objects.filter(kind="settlement.signed").count() == 1
