"""What is carried, as pages show it: a list that waits for its collector."""

from logistics.models import HandoverEntry, HandoverLine, HandoverList, Parcel
from logistics.services.handovers import open_list
from logistics.signature import signature_png
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW
from tests.logistics.road import Road


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
