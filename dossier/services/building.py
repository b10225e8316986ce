"""Building a dossier: once, whatever dies on the way."""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from dossier.assemble import assemble
from dossier.contents import WINDOW_SEAL, Assembled
from dossier.models import Dossier, DossierRevision, DossierState, Occasion
from dossier.sealing import SealSetup, setup_for
from dossier.services.planning import plan_of
from dossier.sign import seal_pdf, system_clock
from dossier.trust import Trust
from dossier.verify import Expected, Verdict, verify
from ingest.models import Handling
from registry.actors import Actor
from registry.events import record
from registry.tokens import Purpose, mint
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import store_file

PDF = "application/pdf"


class NotSound(Refused):
    """What was just made does not stand its own verification."""


def build(*, handling: Handling, version: int, actor: Actor, now: datetime) -> Dossier:
    """Assemble, seal, verify and keep one version of a handling's dossier; asked again, return the one there is.

    A build that was killed is taken up with the clock and code of its first attempt. Nothing is kept of a file that
    fails its own verification. Raises PageDamaged, SlipUnreadable, SealingFailed, SealUnusable, NotSound, and what
    the store raises.
    """
    dossier = _begun(handling, version, now)
    if dossier.state == DossierState.SIGNED:
        return dossier
    setup = setup_for(handling.case.window)
    with scratch("dossier") as folder:
        sealed = folder / "dossier.pdf"
        made = _make(dossier, setup, folder, sealed)
        verdict = sound(sealed, setup.trust, Expected(case_number=handling.case.number))
        stored = store_file(path=sealed, kind=Kind.DOSSIER, media_type=PDF, now=now)
    return _keep(dossier, stored, verdict, made=made, level=setup.level, actor=actor, now=now)


def _begun(handling: Handling, version: int, now: datetime) -> Dossier:
    with transaction.atomic():
        dossier, _ = Dossier.objects.get_or_create(
            handling=handling,
            version=version,
            defaults={"token": mint(Purpose.DOSSIER).identifier, "made_at": now},
        )
    return Dossier.objects.select_related(
        "handling__case__window__centre", "handling__case__item", "handling__office"
    ).get(pk=dossier.pk)


def _make(dossier: Dossier, setup: SealSetup, folder: Path, sealed: Path) -> Assembled:
    """Lay out the sources, assemble, seal into `sealed`. Returns what assembly made."""
    sources = folder / "sources"
    sources.mkdir()
    unsigned = folder / "unsigned.pdf"
    assembled = assemble(plan_of(dossier, sources), unsigned)
    seal_pdf(
        source=unsigned,
        target=sealed,
        signer=setup.key,
        timestamper=setup.timestamper,
        level=setup.level,
        field=WINDOW_SEAL,
        appearance=setup.appearance,
        trust=setup.trust,
        reason="收件并提交审批部门",
        place=dossier.handling.case.window.name,
        clean=False,  # made here a moment ago, out of nothing that acts or hides
    )
    return assembled


def sound(path: Path, trust: Trust, expected: Expected) -> Verdict:
    """The verdict on what was just sealed. Raises NotSound."""
    verdict = verify(path, trust=trust, moment=system_clock(), expected=expected)
    if not verdict.is_valid:
        reason = verdict.reasons[0] if verdict.reasons else verdict.headline
        raise NotSound(
            "dossier-not-sound", f"签章后的文件未通过自检：{reason}请管理员检查印章与时间戳配置后重试。"
        )
    return verdict


def _keep(
    dossier: Dossier,
    stored: StoredObject,
    verdict: Verdict,
    *,
    made: Assembled,
    level: str,
    actor: Actor,
    now: datetime,
) -> Dossier:
    with transaction.atomic():
        first = Dossier.objects.filter(pk=dossier.pk, state=DossierState.BUILDING).update(
            state=DossierState.SIGNED,
            stored=stored,
            sha256=verdict.sha256,
            size=verdict.size,
            page_count=made.page_count,
            leaves=made.leaves,
            signature_count=verdict.signature_count,
            level=level,
            stamp_ends_at=verdict.stamp_ends_at,
            signed_at=now,
        )
        if first:
            add_revision(dossier, stored, verdict, occasion=Occasion.SUBMITTED, now=now)
            record(
                kind="dossier.signed",
                actor=actor,
                subject=dossier,
                now=now,
                case_number=dossier.handling.case.number,
                data={
                    "handling": dossier.handling_id,
                    "version": dossier.version,
                    "sha256": verdict.sha256,
                    "pages": made.page_count,
                    "level": level,
                },
            )
    dossier.refresh_from_db()
    return dossier


def add_revision(
    dossier: Dossier, stored: StoredObject, verdict: Verdict, *, occasion: Occasion, now: datetime
) -> DossierRevision:
    """Append the file as it is now. Call inside the transaction that changes the dossier."""
    return DossierRevision.objects.create(
        dossier=dossier,
        number=dossier.revisions.count() + 1,
        occasion=occasion,
        stored=stored,
        sha256=verdict.sha256,
        size=verdict.size,
        signature_count=verdict.signature_count,
        created_at=now,
    )
