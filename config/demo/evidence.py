"""What remains of a demonstration: the files, and what our own and a stranger's checker say of them."""

import hashlib
import subprocess
from pathlib import Path

import pikepdf
from django.utils import timezone

from config.demo.play import Play
from config.demo.stage import DemoFailed, all_work_done
from dossier.independent import check_pdfa
from dossier.models import Dossier
from dossier.sealing import installation_trust
from dossier.verify import Expected, verify
from ingest.models import Case
from logistics.labels import W100H150, as_pdf
from logistics.models import Settlement, Waybill
from logistics.services.labels import label_of
from registry.events import verify_chains
from registry.models import Slip
from registry.paper.kinds import SlipKind
from storage.models import StoredObject
from storage.services import fetch_to

DOSSIER, LABEL, SLIP = "dossier.pdf", "label.pdf", "slip.pdf"
SETTLEMENT_XLSX, SETTLEMENT_PDF = "settlement.xlsx", "settlement.pdf"
FILES = (DOSSIER, LABEL, SLIP, "statement.xlsx", SETTLEMENT_XLSX, SETTLEMENT_PDF)


def collect(play: Play, case: Case, inbound: Waybill, result: Waybill, settlement: Settlement) -> None:
    """Fetch the files into the folder and judge them. Raises DemoFailed when anything does not hold."""
    with play.step("取证核验") as says:
        dossier = Dossier.objects.select_related("stored").get(handling__case=case, version=1)
        slip = Slip.objects.get(kind=SlipKind.ACCEPTANCE, case_number=case.number)
        _fetch(play, dossier.stored, DOSSIER)
        _fetch(play, slip.stored, SLIP)
        _fetch(play, settlement.workbook, SETTLEMENT_XLSX)
        _fetch(play, settlement.paper, SETTLEMENT_PDF)
        (play.folder / LABEL).write_bytes(as_pdf([label_of(inbound.parcel)], W100H150))
        _judge_dossier(play, dossier, case)
        _judge_by_strangers(play)
        _judge_pixels(play, case)
        broken = list(verify_chains(case.number))
        _hold(play, "event chain", not broken, f"{len(broken)} breaks")
        done, given_up = all_work_done()
        _hold(play, "background work", not given_up, f"{done} jobs done, {given_up} given up")
        says("卷宗、面单、承诺单、结算单均已取出并通过核验")


def _judge_dossier(play: Play, dossier: Dossier, case: Case) -> None:
    expected = Expected(
        sha256=dossier.sha256,
        size=dossier.size,
        signature_count=dossier.signature_count,
        case_number=case.number,
    )
    verdict = verify(
        play.folder / DOSSIER, trust=installation_trust(), moment=timezone.now(), expected=expected
    )
    _hold(play, "verify_dossier", verdict.is_valid, "；".join(verdict.reasons) or verdict.headline)


def _judge_by_strangers(play: Play) -> None:
    """veraPDF says whether it is archival, poppler whether the signatures hold, each in its own process."""
    papers = [play.folder / name for name in (DOSSIER, SLIP, SETTLEMENT_PDF)]
    for result in check_pdfa(papers):
        name = f"veraPDF {Path(result.path).name}"
        _hold(play, name, result.conforms, "PDF/A-3b" if result.conforms else "；".join(result.failures))
    for name in (DOSSIER, SETTLEMENT_PDF):
        signatures, valid, whole = _asked_of_poppler(play.folder / name)
        _hold(
            play,
            f"pdfsig {name}",
            0 < valid == signatures and whole,
            f"{valid}/{signatures} signatures valid, {'the whole file is covered' if whole else 'not all is covered'}",
        )


def _asked_of_poppler(path: Path) -> tuple[int, int, bool]:
    """(signatures, valid ones, whether the newest covers the whole file). It cannot judge document timestamps."""
    done = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False)
    blocks = done.stdout.split("\nSignature #")[1:]
    judged = [block for block in blocks if "ETSI.CAdES.detached" in block]
    valid = [block for block in judged if "Signature is Valid." in block]
    return len(judged), len(valid), any("- Total document signed" in block for block in blocks)


def _judge_pixels(play: Play, case: Case) -> None:
    """Every JPEG page can be taken out of the dossier again, byte for byte."""
    wanted = set(case.pages.filter(media_type="image/jpeg", set_aside=False).values_list("sha256", flat=True))
    found = set()
    with pikepdf.open(play.folder / DOSSIER) as pdf:
        for obj in pdf.objects:
            if isinstance(obj, pikepdf.Stream) and obj.get("/Filter") == pikepdf.Name.DCTDecode:
                found.add(hashlib.sha256(obj.read_raw_bytes()).hexdigest())
    _hold(play, "original JPEG bytes", wanted <= found, f"{len(wanted & found)}/{len(wanted)} pages")


def _fetch(play: Play, stored: StoredObject | None, name: str) -> None:
    if stored is None:
        raise DemoFailed(f"{name} is not in the store")
    fetch_to(stored, play.folder / name)


def _hold(play: Play, name: str, holds: bool, words: str) -> None:
    play.verdicts[name] = f"{'pass' if holds else 'FAIL'}: {words}"
    if not holds:
        raise DemoFailed(f"{name}: {words}")


def clear(folder: Path) -> None:
    """Remove what an earlier demonstration left, so that nothing old is taken for new."""
    for name in (*FILES, "report.json"):
        (folder / name).unlink(missing_ok=True)
