"""The signature or photo that a form may bring along as proof of a hand-over."""

from datetime import datetime

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from config.pages.incoming import paper_on_disk
from logistics.services.photos import keep_photo, keep_signature
from storage.models import StoredObject

PHOTO, DRAWN = "proof", "drawn"
NOTHING = ("", "[]")


def proof_in(request: HttpRequest, now: datetime) -> StoredObject | None:
    """What was signed on the pad, or else the form's photo, kept; None when there is neither.

    Raises Refused when it cannot be taken in.
    """
    drawn = request.POST.get(DRAWN, "").strip()
    if drawn not in NOTHING:
        return keep_signature(drawn=drawn, now=now)
    photo = request.FILES.get(PHOTO)
    if not isinstance(photo, UploadedFile):
        return None
    with paper_on_disk(photo) as path:
        return keep_photo(path=path, now=now)
