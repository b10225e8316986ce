"""`python -m tests.logistics.book_once PARCEL ACCOUNT USER`: one clerk's click, in a process that a test can kill."""

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from logistics.models import CarrierAccount, Parcel  # noqa: E402
from logistics.rules.payers import PaymentTerm  # noqa: E402
from logistics.services.waybills import book_waybill  # noqa: E402
from registry.actors import Actor  # noqa: E402
from registry.models import User  # noqa: E402

if __name__ == "__main__":
    parcel, account, user = map(int, sys.argv[1:])
    book_waybill(
        parcel=Parcel.objects.get(pk=parcel),
        account=CarrierAccount.objects.select_related("carrier").get(pk=account),
        term=PaymentTerm.COLLECT,
        actor=Actor.of(User.objects.get(pk=user)),
        now=timezone.now(),
    )
