"""The signed paper of a closed month: printed from its frozen lines, sealed by its centre."""

from datetime import datetime

from logistics.models import Settlement
from logistics.postage.closing import attach_settlement_pdf
from logistics.postage.settlement_files import keep_workbook
from logistics.postage.settlement_paper import settlement_paper
from registry.actors import SYSTEM
from registry.models import Event
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from workers.work.letters import sealed_paper


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
    stored = sealed_paper(slip=slip, holder=settlement.centre, reason="寄递费用结算", now=now)
    attach_settlement_pdf(settlement=settlement, stored=stored, actor=SYSTEM, now=now)
