"""Papers of finance that carry their centre's seal: printed as issued, sealed, kept in the archive."""

from datetime import datetime

from dossier.services import seal_document
from logistics.models import DisputeLetter
from logistics.postage.disputing import attach_dispute_paper
from registry.actors import SYSTEM
from registry.models import Event, ServiceCentre, Slip
from registry.paper.issue import slip_pdf
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import store_file

# Left, bottom, right, top in points: the seal place at the foot of the last page.
SEAL_BOX = (380.0, 60.0, 500.0, 180.0)
LAST_PAGE = -1


def sealed_paper(*, slip: Slip, holder: ServiceCentre, reason: str, now: datetime) -> StoredObject:
    """The slip's PDF under the seal of a centre, in the store."""
    with scratch("letter") as folder:
        printed, sealed = folder / "printed.pdf", folder / "sealed.pdf"
        printed.write_bytes(slip_pdf(slip))
        seal_document(
            source=printed,
            target=sealed,
            holder=holder,
            reason=reason,
            appearance_box=SEAL_BOX,
            page=LAST_PAGE,
        )
        return store_file(path=sealed, kind=Kind.SETTLEMENT, media_type="application/pdf", now=now)


def sign_dispute(event: Event, part: str, now: datetime) -> None:
    """Seal a letter to a carrier. One that has its paper is left alone."""
    letter = DisputeLetter.objects.select_related(
        "slip__stored", "statement__centre__seal", "statement__centre__region"
    ).get(pk=event.subject_id)
    centre = letter.statement.centre
    if letter.paper_id is not None or centre is None:
        return
    stored = sealed_paper(slip=letter.slip, holder=centre, reason="邮资账单争议", now=now)
    attach_dispute_paper(letter=letter, stored=stored, actor=SYSTEM, now=now)
