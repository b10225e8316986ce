"""Later signatures: the office's receipt and the result, each an increment to the file."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.db import transaction

from dossier.appearance import Appearance
from dossier.contents import OFFICE_RECEIPT, RESULT
from dossier.models import Dossier, DossierState, Occasion
from dossier.sealing import Holder, setup_for
from dossier.services.building import PDF, add_revision, sound
from dossier.sign import seal_pdf
from dossier.trust import Trust
from dossier.verify import Expected, Verdict
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import fetch_to, store_file


class NotCountersignable(Refused):
    """The dossier is not there yet, or has this signature already."""


def countersign(*, dossier: Dossier, actor: Actor, now: datetime) -> Dossier:
    """The deciding office signs for receipt, as an increment to the file. Raises NotYours, NotCountersignable."""
    check_may(actor, "dossier.countersign", dossier)
    return _sign(dossier, OFFICE_RECEIPT, Occasion.RECEIVED, "审批部门签收卷宗", actor, now)


def confirm_result(*, dossier: Dossier, actor: Actor, now: datetime) -> Dossier:
    """The deciding office seals the result of the handling into its dossier. Raises NotYours, NotCountersignable."""
    check_may(actor, "dossier.countersign", dossier)
    if dossier.handling.decided_at is None:
        raise NotCountersignable("not-decided", "尚未作出审批决定，不能加盖结果确认章。")
    return _sign(dossier, RESULT, Occasion.DECIDED, "审批结果确认", actor, now)


def seal_document(
    *,
    source: Path,
    target: Path,
    holder: Holder,
    reason: str,
    appearance_box: tuple[float, float, float, float] | None,
    page: int = 0,
) -> None:
    """Seal any PDF with a window's, office's or centre's seal at this installation's level.

    For papers outside dossiers (a settlement, say). `appearance_box` is left, bottom, right, top in points on `page`
    (from 0, -1 is the last); None leaves the seal invisible. Raises what `seal_pdf` raises.
    """
    setup = setup_for(holder)
    shown = Appearance(setup.appearance.picture, page, appearance_box) if appearance_box else None
    seal_pdf(
        source=source,
        target=target,
        signer=setup.key,
        timestamper=setup.timestamper,
        level=setup.level,
        field="Seal",
        appearance=shown,
        trust=setup.trust,
        reason=reason,
    )


def _sign(
    dossier: Dossier, field: str, occasion: Occasion, reason: str, actor: Actor, now: datetime
) -> Dossier:
    if dossier.state != DossierState.SIGNED:
        raise NotCountersignable("dossier-not-ready", "卷宗尚在制作，请稍后再签收。", can_retry=True)
    if dossier.revisions.filter(occasion=occasion).exists():
        return dossier
    setup = setup_for(dossier.handling.office)

    def extend(source: Path, target: Path) -> None:
        seal_pdf(
            source=source,
            target=target,
            signer=setup.key,
            timestamper=setup.timestamper,
            level=setup.level,
            field=field,
            appearance=setup.appearance,
            trust=setup.trust,
            reason=reason,
            place=dossier.handling.office.name,
        )

    return grow(dossier, setup.trust, extend, occasion, actor, now)


def grow(
    dossier: Dossier,
    trust: Trust,
    extend: Callable[[Path, Path], None],
    occasion: Occasion,
    actor: Actor,
    now: datetime,
    *,
    accept: Callable[[Verdict], None] = lambda _verdict: None,
) -> Dossier:
    """Fetch, check against the record, extend, verify, keep: the earlier file stays where it is.

    `accept` may refuse the grown file by raising; then nothing of it is kept.
    """
    if dossier.stored is None:
        raise NotCountersignable("dossier-not-ready", "卷宗尚在制作，请稍后再试。", can_retry=True)
    with scratch("dossier") as folder:
        before, after = folder / "before.pdf", folder / "after.pdf"
        fetch_to(dossier.stored, before)
        sound(before, trust, expected_of(dossier))
        extend(before, after)
        verdict = sound(after, trust, Expected(case_number=dossier.handling.case.number))
        accept(verdict)
        stored = store_file(path=after, kind=Kind.DOSSIER, media_type=PDF, now=now)
    return _keep(dossier, stored, verdict, occasion, actor, now)


def _keep(
    dossier: Dossier, stored: StoredObject, verdict: Verdict, occasion: Occasion, actor: Actor, now: datetime
) -> Dossier:
    with transaction.atomic():
        changed = Dossier.objects.filter(pk=dossier.pk, sha256=dossier.sha256).update(
            stored=stored,
            sha256=verdict.sha256,
            size=verdict.size,
            signature_count=verdict.signature_count,
            stamp_ends_at=verdict.stamp_ends_at,
        )
        if not changed:
            raise Refused("stale", "卷宗刚刚被他人签收或续签，请刷新后再看。", can_retry=True)
        add_revision(dossier, stored, verdict, occasion=occasion, now=now)
        record(
            kind=f"dossier.{occasion.value}",
            actor=actor,
            subject=dossier,
            now=now,
            case_number=dossier.handling.case.number,
            data={"handling": dossier.handling_id, "version": dossier.version, "sha256": verdict.sha256},
        )
    dossier.refresh_from_db()
    return dossier


def expected_of(dossier: Dossier) -> Expected:
    """What is kept outside the file about it."""
    return Expected(
        sha256=dossier.sha256,
        size=dossier.size,
        signature_count=dossier.signature_count,
        case_number=dossier.handling.case.number,
    )
