"""The signed paper of a closed month: printed from its frozen lines, sealed by its centre."""

import tempfile
from datetime import datetime
from pathlib import Path

from dossier.services import seal_paper
from logistics.models import Settlement
from logistics.postage.closing import attach_settlement_pdf
from logistics.postage.settlement_files import settlement_slip
from registry.actors import SYSTEM
from registry.models import Event
from registry.paper.issue import issue, slip_pdf
from registry.paper.kinds import SlipKind
from storage.models import Kind
from storage.services import store_file


def sign_settlement(event: Event, part: str, now: datetime) -> None:
    """Print, seal with the centre's seal, attach. A settlement that has its paper is left alone."""
    settlement = Settlement.objects.select_related("centre__seal", "carrier").get(pk=event.subject_id)
    if settlement.paper_id is not None:
        return
    slip = issue(
        kind=SlipKind.SETTLEMENT,
        subject=settlement,
        data=settlement_slip(settlement),
        actor=SYSTEM,
        now=event.at,
        centre=settlement.centre,
    )
    with tempfile.TemporaryDirectory(prefix="settlement-") as folder:
        printed, sealed = Path(folder) / "printed.pdf", Path(folder) / "sealed.pdf"
        printed.write_bytes(slip_pdf(slip))
        seal_paper(source=printed, target=sealed, seal=settlement.centre.seal, now=now)
        stored = store_file(path=sealed, kind=Kind.SETTLEMENT, media_type="application/pdf", now=now)
    attach_settlement_pdf(settlement=settlement, stored=stored, actor=SYSTEM, now=now)
