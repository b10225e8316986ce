"""Issues slips: a number and the words inside the transaction, the PDF afterwards and outside of it."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse

from registry.actors import Actor
from registry.events import record
from registry.models import NumberSequence, Office, ServiceCentre, Slip, Window
from registry.paper import slips
from registry.paper.engine import TEMPLATE_VERSION, render
from registry.paper.kinds import SlipKind, number_of, sequence_name
from registry.tokens import Purpose, Token, mint
from storage.models import Kind
from storage.services import open_verified, store_bytes

MEDIA_TYPE = "application/pdf"


def issue(
    *,
    kind: SlipKind | str,
    subject: models.Model,
    data: slips.Slip,
    actor: Actor,
    now: datetime,
    revision: int = 1,
    window: Window | None = None,
    office: Office | None = None,
    centre: ServiceCentre | None = None,
) -> Slip:
    """Number a slip and keep what it says. The same kind, subject and revision is issued once, however often asked.

    Meant to be called by the service whose act the slip attests, after that service has asked for permission, in
    its transaction or alone. `window`, `office` and `centre` are those who may print it again. The event
    `slip.issued` leads to `print_slip`.
    """
    kind = SlipKind(kind)
    if data.kind is not kind:
        raise TypeError(f"{type(data).__name__} is not the content of {kind.value}")
    key = {
        "kind": kind.value,
        "subject_type": subject._meta.label_lower,
        "subject_id": str(subject.pk),
        "revision": revision,
    }
    with transaction.atomic():
        # Taking the number first makes a second writer of this kind wait, so that it finds the first one's slip.
        count = NumberSequence.take(sequence_name(kind, now))
        known = Slip.objects.filter(**key).first()
        if known is not None:
            _give_back(sequence_name(kind, now), count)
            return known
        token = mint(Purpose.SLIP)
        content = data.model_copy(
            update={"number": number_of(kind, count, now), "code": _code_of(token, data)}
        )
        slip = Slip(
            **key,
            number=content.number,
            case_number=data.case_number,
            code=token.identifier,
            template_version=TEMPLATE_VERSION,
            issued_at=now,
            window=window,
            office=office,
            centre=centre,
        )
        slip.data = content.model_dump(mode="json")
        slip.save(force_insert=True)
        record(
            kind="slip.issued",
            actor=actor,
            subject=slip,
            now=now,
            case_number=data.case_number,
            data={"slip_kind": kind.value, "number": slip.number, "revision": revision},
        )
    return slip


def print_slip(*, slip: Slip, now: datetime) -> Slip:
    """Make the PDF and keep it in the store; a slip that is printed already stays as it is.

    Call outside a transaction: it talks to the object store.
    """
    if slip.stored_id is not None:
        return slip
    content = slip_pdf(slip)
    kind = Kind.SETTLEMENT if slip.kind == SlipKind.SETTLEMENT else Kind.SLIP
    stored = store_bytes(content=content, kind=kind, media_type=MEDIA_TYPE, now=now)
    Slip.objects.filter(pk=slip.pk, stored__isnull=True).update(
        stored=stored, sha256=hashlib.sha256(content).hexdigest()
    )
    slip.refresh_from_db()
    return slip


def slip_pdf(slip: Slip) -> bytes:
    """The slip's bytes: out of the store once printed, made afresh before."""
    if slip.stored is not None:
        return open_verified(slip.stored)
    return render(slip.kind, slip.data, issued_at=slip.issued_at)


def _code_of(token: Token, data: slips.Slip) -> str:
    """What the QR says. On papers for an applicant it is a link to the progress, of which the token is the last part: a
    phone opens it, and our scanners read the token all the same.

    Scheme and host mean the same in capitals, which keep the symbol small: without small letters it needs a quarter
    fewer modules, each of which is the larger for it.
    """
    if not isinstance(data, slips.OfApplicant):
        return token.text
    site = urlsplit(settings.PUBLIC_URL)
    return (
        f"{site.scheme}://{site.netloc}".upper() + site.path + reverse("progress_by_slip", args=[token.text])
    )


def _give_back(name: str, count: int) -> None:
    """Undo a number that was taken for nothing; nobody else can have taken a later one in this transaction."""
    NumberSequence.objects.filter(name=name, value=count).update(value=count - 1)
