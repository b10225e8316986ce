"""Which list for the collector a parcel stands on."""

from logistics.models import HandoverLine, HandoverList, Parcel
from logistics.rules.parcels import NotNow


def list_of(parcel: Parcel) -> HandoverList | None:
    """The one list, open or signed, that the parcel stands on."""
    line = HandoverLine.objects.filter(parcel=parcel, stands=True).select_related("handover__carrier").first()
    return line.handover if line else None


def must_be_on_no_list(parcel: Parcel) -> None:
    """A parcel that stands on a list leaves under the collector's signature, not by a scan of its own."""
    found = list_of(parcel)
    if found is not None and parcel.handed_over_at is None:
        raise NotNow(
            "parcel_on_list",
            f"该寄件已列入交接清单 {found.number}，请由揽收员在清单上签收，或先从清单移除。",
        )
