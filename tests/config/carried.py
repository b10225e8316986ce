"""What is carried, as pages show it: a list that waits for its collector, and an original that was scanned again."""

from dossier.arrivals import ArrivalState, SheetMatch, Spot, outcome_of
from dossier.models import ArrivalComparison, ArrivedPage, Dossier
from ingest.models import Original, Page
from logistics.models import HandoverEntry, HandoverLine, HandoverList, Parcel
from logistics.services.handovers import open_list
from logistics.signature import signature_png
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW
from tests.logistics.road import Road


def a_comparison(dossier: Dossier, original: Original) -> ArrivalComparison:
    """A rescan that differs in one place, not judged yet; the picture is the signed page's own."""
    page = Page.objects.filter(case=original.case_id).order_by("pk")[0]
    spot = Spot("changed", (20, 60, 80, 90), ((20, 60), (80, 60), (80, 90), (20, 90)))
    comparison = ArrivalComparison.objects.create(
        original=original,
        dossier=dossier,
        sha256="0" * 64,
        leaves=[page.pk],
        state=ArrivalState.COMPARED.value,
        result=outcome_of([SheetMatch(1, 0, 0.9, 0.0, (spot,))], 1).to_json(),
        asked_by="officer",
        asked_at=NOW,
        compared_at=NOW,
    )
    ArrivedPage.objects.create(
        comparison=comparison, number=1, stored=page.stored, width=page.width, height=page.height
    )
    return comparison


def a_handover(road: Road, parcel: Parcel) -> HandoverList:
    """A list that waits for the collector, so that its page shows all that it can."""
    handover = open_list(carrier=road.account.carrier, actor=road.cast.clerk, now=NOW)
    HandoverLine.objects.create(
        handover=handover,
        position=1,
        parcel=parcel,
        waybill_number="1012345678901",
        originals=2,
        weight_g=320,
        scanned_at=NOW,
    )
    picture = signature_png([((100, 200), (800, 180))])
    HandoverEntry.objects.create(
        handover=handover,
        kind="sheet",
        stored=store_bytes(content=picture, kind=Kind.PHOTO, media_type="image/png", now=NOW),
        by_label="clerk",
        at=NOW,
    )
    return handover
