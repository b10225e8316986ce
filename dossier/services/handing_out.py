"""Handing a dossier out: to the deciding office only, on record, whole or as a marked copy."""

from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from dossier.models import Dossier, DossierDownload, DossierState
from dossier.stamp import stamp_copy
from registry.actors import Actor
from registry.events import record
from registry.models import User
from registry.permissions import check_may
from registry.time import to_the_minute
from storage.errors import Refused
from storage.scratch import scratch
from storage.services import fetch_to

RESUMABLE = timedelta(days=1)


class NotReady(Refused):
    """The file does not exist yet."""

    def __init__(self) -> None:
        super().__init__("dossier-not-ready", "卷宗尚在制作，请稍后再下载。", can_retry=True)


def authorise_download(
    *,
    dossier: Dossier,
    actor: Actor,
    now: datetime,
    purpose: str = "办理",
    stamped: bool = False,
    resumes: bool = False,
) -> DossierDownload:
    """Permit and record one download. Raises NotYours (deciding office only) and NotReady.

    With `resumes`, the rest of a download that the same actor began less than a day ago needs no second record.
    """
    check_may(actor, "dossier.download", dossier)
    if dossier.state != DossierState.SIGNED:
        raise NotReady
    begun = _begun(dossier, actor, now) if resumes else None
    if begun is not None:
        return begun
    with transaction.atomic():
        download = DossierDownload.objects.create(
            dossier=dossier,
            actor=User.objects.get(pk=actor.id) if actor.kind == "user" else None,
            actor_label=actor.label,
            purpose=purpose[:60],
            stamped=stamped,
            sha256=dossier.sha256,
            at=now,
        )
        record(
            kind="dossier.downloaded",
            actor=actor,
            subject=dossier,
            now=now,
            case_number=dossier.handling.case.number,
            data={"version": dossier.version, "stamped": stamped, "sha256": dossier.sha256},
        )
    return download


def _begun(dossier: Dossier, actor: Actor, now: datetime) -> DossierDownload | None:
    earlier = DossierDownload.objects.filter(
        dossier=dossier,
        actor_label=actor.label,
        sha256=dossier.sha256,
        stamped=False,
        at__gte=now - RESUMABLE,
    )
    return earlier.order_by("-at").first()


def stamped_copy(*, dossier: Dossier, actor: Actor, now: datetime, target: Path) -> DossierDownload:
    """Write a copy marked on every page with whom and what it is for; the archived file stays as signed.

    Raises as `authorise_download` does.
    """
    download = authorise_download(dossier=dossier, actor=actor, now=now, purpose="加注副本", stamped=True)
    if dossier.stored is None:
        raise NotReady
    office = dossier.handling.office
    words = f"仅供{office.name}办理{dossier.handling.case.item.name}使用"
    trace = f"{actor.label}　{to_the_minute(now)}　副本，以存档原件为准"
    with scratch("copy") as folder:
        archived = folder / "archived.pdf"
        fetch_to(dossier.stored, archived)
        stamp_copy(archived, target, lines=(words, trace))
    return download
