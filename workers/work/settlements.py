"""The signed paper of a closed month: printed from its frozen lines, sealed by its centre."""

import tempfile
from datetime import datetime
from pathlib import Path

from dossier.services import seal_document
from logistics.models import Settlement
from logistics.postage.closing import attach_settlement_pdf
from logistics.postage.settlement_files import keep_workbook
from logistics.postage.settlement_paper import settlement_paper
from registry.actors import SYSTEM
from registry.models import Event
from registry.paper.issue import issue, slip_pdf
from registry.paper.kinds import SlipKind
from storage.models import Kind
from storage.services import store_file

# Left, bottom, right, top in points: the seal place at the foot of the last page.
SEAL_BOX = (380.0, 60.0, 500.0, 180.0)
LAST_PAGE = -1


def sign_settlement(event: Event, part: str, now: datetime) -> None:
    """Keep the workbook; print, seal with the centre's seal, attach. What is there already is left alone."""
    settlement = Settlement.objects.select_related("centre__seal", "centre__region", "carrier").get(
        pk=event.subject_id
    )
    keep_workbook(settlement=settlement, now=now)
    if settlement.paper_id is not None:
        return
    slip = issue(
        kind=SlipKind.SETTLEMENT,
        subject=settlement,
        data=settlement_paper(settlement),
        actor=SYSTEM,
        now=event.at,
        centre=settlement.centre,
    )
    with tempfile.TemporaryDirectory(prefix="settlement-") as folder:
        printed, sealed = Path(folder) / "printed.pdf", Path(folder) / "sealed.pdf"
        printed.write_bytes(slip_pdf(slip))
        seal_document(
            source=printed,
            target=sealed,
            holder=settlement.centre,
            reason="寄递费用结算",
            appearance_box=SEAL_BOX,
            page=LAST_PAGE,
        )
        stored = store_file(path=sealed, kind=Kind.SETTLEMENT, media_type="application/pdf", now=now)
    attach_settlement_pdf(settlement=settlement, stored=stored, actor=SYSTEM, now=now)
