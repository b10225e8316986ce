"""What an applicant sent is weighed when it arrives, where a centre pays for it by weight."""

from datetime import datetime

from logistics.models import Parcel
from logistics.models.waybills import LIVING
from logistics.rules.parcels import NotNow, check_weight
from logistics.rules.payers import PaymentTerm


def pays_by_weight(parcel: Parcel) -> bool:
    """Whether a centre is charged for this parcel of an applicant, which nobody has weighed yet."""
    if not parcel.is_from_applicant or parcel.weight_g:
        return False
    charged = parcel.waybills.filter(state__in=LIVING).exclude(term=PaymentTerm.SENDER_CASH.value)
    return charged.exists()


def weigh_on_arrival(*, parcel: Parcel, weight_g: int | None, now: datetime) -> None:
    """Keeps the weight in grams of an applicant's parcel, in the caller's transaction; others were weighed when sealed."""
    if not parcel.is_from_applicant:
        return
    if weight_g is None:
        if pays_by_weight(parcel):
            raise NotNow("arrival_weight", "此件邮资由审批部门一方承担，请称重并填写重量后再签收。")
        return
    check_weight(weight_g)
    Parcel.objects.filter(pk=parcel.pk).update(weight_g=weight_g)
    parcel.weight_g = weight_g
