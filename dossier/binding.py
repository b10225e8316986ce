"""A dossier without a case: bound from scans, and sealed with the command line's own seal of the local authority."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from dossier.appearance import Appearance
from dossier.assemble import assemble
from dossier.contents import WINDOW_SEAL, DossierPlan, Level
from dossier.gathering import Gathered
from dossier.seal_image import draw_seal
from dossier.sealing import installation_trust, local_authority, timestamper
from dossier.sign import seal_pdf, system_clock
from dossier.signers import Pkcs12Seal
from dossier.verify import Verdict, verify
from registry.time import local
from registry.tokens import Purpose, mint

HOLDER = "通办命令行制卷"


def plan(
    gathered: Gathered, *, case_number: str, item: str, applicant: str, level: Level | None, now: datetime
) -> DossierPlan:
    """What stands in the dossier; a case number is made from the time where none is given."""
    return DossierPlan(
        case_number=case_number or f"CLI-{local(now):%Y%m%d-%H%M%S}",
        version=1,
        item=item,
        applicant=applicant,
        office="（未指定）",
        window=HOLDER,
        qr_text=mint(Purpose.DOSSIER).text,
        made_at=now,
        materials=gathered.materials,
        originals=gathered.originals,
        level=level or "",
    )


def bind(
    planned: DossierPlan, folder: Path, *, level: Level | None, progress: Callable[[int], None]
) -> tuple[Path, int, Verdict | None]:
    """Return the dossier, made in the folder, its number of pages, and the verdict on its seal; unsealed without a level."""
    unsigned = folder / "unsigned.pdf"
    made = assemble(planned, unsigned, progress=progress)
    if level is None:
        return unsigned, made.page_count, None
    sealed = folder / "sealed.pdf"
    seal = local_authority().seal("command-line", holder=HOLDER, organisation="本机", now=system_clock())
    trust = installation_trust()
    seal_pdf(
        source=unsigned,
        target=sealed,
        signer=Pkcs12Seal(seal.path, seal.passphrase),
        timestamper=timestamper(),
        level=level,
        field=WINDOW_SEAL,
        appearance=Appearance(draw_seal(HOLDER, caption="制卷专用章")),
        trust=trust,
        clean=False,
    )
    return sealed, made.page_count, verify(sealed, trust=trust, moment=system_clock())
