"""The names of many parcels' ends at once, in at most three queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model

from ingest.models import Case
from logistics.models import Parcel
from logistics.rules.parcels import Party
from registry.masking import mask_name
from registry.models import Office, Window


@dataclass(frozen=True)
class Ends:
    """Sender and receiver in words; an applicant is masked."""

    sender: str
    receiver: str


def ends_of(parcels: Sequence[Parcel]) -> dict[int, Ends]:
    """By parcel id."""
    wanted: dict[str, set[int]] = {}
    for parcel in parcels:
        wanted.setdefault(parcel.sender_kind, set()).add(parcel.sender_id)
        wanted.setdefault(parcel.receiver_kind, set()).add(parcel.receiver_id)
    names = {
        **_names(Party.WINDOW, Window, wanted),
        **_names(Party.OFFICE, Office, wanted),
        **{
            (Party.APPLICANT.value, case.pk): f"申请人 {mask_name(case.applicant_name)}"
            for case in Case.objects.filter(pk__in=wanted.get(Party.APPLICANT.value, ()))
        },
    }
    return {
        parcel.pk: Ends(
            names[(parcel.sender_kind, parcel.sender_id)], names[(parcel.receiver_kind, parcel.receiver_id)]
        )
        for parcel in parcels
    }


def _names(kind: Party, model: type[Model], wanted: dict[str, set[int]]) -> dict[tuple[str, int], str]:
    if kind.value not in wanted:
        return {}
    rows = model._default_manager.filter(pk__in=wanted[kind.value]).values_list("pk", "name")
    return {(kind.value, pk): name for pk, name in rows}
