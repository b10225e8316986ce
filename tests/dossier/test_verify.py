"""Attacks on sealed dossiers, other people's signed files, and a look from ten years on."""

import asyncio
import hashlib
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    NonRevokedStatusAssertion,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from dossier.contents import WINDOW_SEAL
from dossier.sign import renew_timestamp, system_clock
from dossier.signers import Pkcs12Seal
from dossier.trust import Trust, certificates
from dossier.verify import Expected, Status, verify
from dossier.verify.child import verify_foreign
from tests.dossier.paper import SealOffice
from tests.shared import shared

YEAR = timedelta(days=365.25)


def judge(path: Path, seals: SealOffice, **expected: Any) -> tuple[Status, str]:
    verdict = verify(path, trust=seals.trust, moment=system_clock(), expected=Expected(**expected))
    return verdict.status, " ".join(verdict.reasons)


def kept(path: Path, count: int) -> dict[str, Any]:
    """What the system remembers of a file."""
    content = path.read_bytes()
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "signature_count": count,
        "case_number": "330681-2026-000001",
    }


def test_an_untouched_dossier_is_valid(countersigned: Path, seals: SealOffice) -> None:
    assert judge(countersigned, seals, **kept(countersigned, 4)) == (Status.VALID, "")


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_a_flipped_byte(tmp_path: Path, countersigned: Path, seals: SealOffice, share: float) -> None:
    content = bytearray(countersigned.read_bytes())
    content[int(len(content) * share)] ^= 1
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(content)
    status, reason = judge(bad, seals)
    assert status is Status.INVALID
    assert reason


def test_cut_back_to_an_earlier_signature(
    tmp_path: Path, sealed: Path, countersigned: Path, seals: SealOffice
) -> None:
    """The first revision is a valid file by itself: only what was kept outside tells that more was there."""
    status, reason = judge(sealed, seals, **kept(countersigned, 4))
    assert status is Status.INVALID
    assert "截去" in reason
    assert "4 处" in reason


def test_cut_back_below_what_the_manifest_promises(tmp_path: Path, sealed: Path, seals: SealOffice) -> None:
    """Without any record: the dossier itself says that a document timestamp belongs to it."""
    content = sealed.read_bytes()
    with sealed.open("rb") as file:
        seal = PdfFileReader(file).embedded_regular_signatures[0]
        end = int(seal.byte_range[2]) + int(seal.byte_range[3])
    bad = tmp_path / "cut.pdf"
    bad.write_bytes(content[:end])
    status, reason = judge(bad, seals)
    assert status is Status.INVALID
    assert "截回" in reason


@pytest.mark.parametrize("junk", [b"x", b"\n\n", b"%PDF-1.7\n%%EOF\n", b"\0" * 5000])
def test_bytes_after_the_end(tmp_path: Path, countersigned: Path, seals: SealOffice, junk: bytes) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(countersigned.read_bytes() + junk)
    assert judge(bad, seals)[0] is Status.INVALID


def test_bytes_before_the_beginning(tmp_path: Path, countersigned: Path, seals: SealOffice) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"GIF89a" + countersigned.read_bytes())
    assert judge(bad, seals)[0] is Status.INVALID


def test_the_right_seal_on_the_wrong_case(sealed: Path, seals: SealOffice) -> None:
    status, reason = judge(sealed, seals, case_number="330681-2026-000002")
    assert status is Status.INVALID
    assert "不是本办件" in reason


def test_page_content_replaced_and_sealed_by_somebody_else(
    tmp_path: Path, unsigned: Path, seals: SealOffice
) -> None:
    """A file that was changed before an honest seal still contradicts its own manifest."""
    forged = tmp_path / "forged.pdf"
    with pikepdf.open(unsigned) as pdf:
        scans = [page.Resources.XObject for page in pdf.pages if "/XObject" in page.Resources]
        scans[0].Scan, scans[1].Scan = scans[1].Scan, scans[0].Scan
        pdf.save(forged)
    bad = seals.seal(forged, tmp_path / "bad.pdf", WINDOW_SEAL)
    status, reason = judge(bad, seals)
    assert status is Status.INVALID
    assert "图像与清单不符" in reason


def test_an_unknown_signer_is_not_trusted(sealed: Path, seals: SealOffice) -> None:
    verdict = verify(sealed, trust=Trust(roots=()), moment=system_clock())
    assert verdict.status is Status.UNTRUSTED
    assert "未受信任" in verdict.reasons[0]


def test_a_seal_revoked_later_still_vouches_for_what_it_sealed_before(
    tmp_path: Path, unsigned: Path, seals: SealOffice
) -> None:
    made = seals.authority.seal("lost", holder="某窗口", organisation="测试机构", now=system_clock())
    path = seals.seal(
        unsigned, tmp_path / "a.pdf", WINDOW_SEAL, signer=Pkcs12Seal(made.path, made.passphrase)
    )
    before = verify(path, trust=seals.trust, moment=system_clock())
    seals.authority.revoke(made, now=system_clock() + timedelta(seconds=60))
    later = system_clock() + timedelta(minutes=5)
    assert before.is_valid
    assert verify(path, trust=seals.trust, moment=later).is_valid


def test_ten_years_on_without_network(sealed: Path, seals: SealOffice) -> None:
    """The seal's certificate (5 years) is long expired; the timestamp's (15 years) is not."""
    for years in (0.5, 2, 4, 6, 10, 14):
        verdict = verify(sealed, trust=seals.offline, moment=system_clock() + years * YEAR)
        assert verdict.is_valid, (years, verdict.reasons)


def test_a_timestamp_that_ran_out_unrenewed(sealed: Path, seals: SealOffice) -> None:
    verdict = verify(sealed, trust=seals.offline, moment=system_clock() + 16 * YEAR)
    assert verdict.status is Status.INVALID
    assert "到期" in verdict.reasons[0]


def test_renewed_in_time_it_outlives_its_timestamp(
    tmp_path: Path, sealed: Path, seals: SealOffice, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Fourteen years on, a younger timestamp authority is asked; twenty years on, the file still stands."""
    later = system_clock() + 14 * YEAR
    younger = SealOffice(tmp_path_factory.mktemp("younger") / "keys")
    younger.authority = type(younger.authority)(tmp_path / "keys", now=later)
    both = Trust(
        roots=(*seals.trust.roots, *certificates_of(younger)),
        others=(*seals.trust.others, younger.authority.issuing_certificate),
        revocation_lists=lambda moment: [
            *seals.authority.revocation_lists(now=moment),
            *younger.authority.revocation_lists(now=moment),
        ],
    )
    target = tmp_path / "renewed.pdf"
    renew_timestamp(
        source=sealed,
        target=target,
        timestamper=younger.authority.timestamper(lambda: later),
        trust=both,
        clock=lambda: later,
    )
    verdict = verify(target, trust=replace(both, revocation_lists=None), moment=system_clock() + 20 * YEAR)
    assert verdict.is_valid, verdict.reasons


def certificates_of(office: SealOffice) -> tuple[bytes, ...]:
    from dossier.trust import read_certificates

    return read_certificates(office.authority.roots_file)


@pytest.mark.parametrize("years", [10, 14])
def test_the_standard_s_own_algorithm_agrees_ten_years_on(
    sealed: Path, seals: SealOffice, years: int
) -> None:
    """ETSI EN 319 102-1 long-term validation, offline. It needs two things that are easily forgotten (else NO_POE):
    the roots among the known certificates, so that their CRLs find an issuer, and the verifier's word that the
    last timestamp's chain is not revoked, since no newer proof can exist."""
    moment = system_clock() + years * YEAR
    with sealed.open("rb") as file:
        reader = PdfFileReader(file)
        roots = certificates(seals.trust.roots)
        last = reader.embedded_timestamp_signatures[-1]
        rule = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
        spec = SignatureValidationSpec(
            cert_validation_policy=CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build(trust_roots=roots),
                revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
            ),
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
            local_knowledge=LocalKnowledge(
                known_certs=roots,
                nonrevoked_assertions=[
                    NonRevokedStatusAssertion(item.sha256, at=moment)
                    for item in (last.signer_cert, *last.other_embedded_certs)
                ],
            ),
        )
        timing = ValidationTimingInfo(
            validation_time=moment, best_signature_time=moment, point_in_time_validation=True
        )
        result = asyncio.run(
            ades_lta_validation(
                reader.embedded_regular_signatures[0], PdfSignatureValidationSpec(spec), timing_info=timing
            )
        )
    assert result.ades_subindic is AdESPassed.OK


GOOD = {
    "dss__certified-changes-permitted": Status.UNTRUSTED,
    "dss__doc-firmado-T": Status.UNTRUSTED,
    "dss__hello_signed_INCSAVE_signed": Status.UNTRUSTED,
    "dss__pdf-signed-original": Status.UNTRUSTED,
    "dss__pdf-with-empty-sig": Status.UNSIGNED,
    "pyhanko__certified-with-indirect-refs-in-dir": Status.UNTRUSTED,
    "pyhanko__form-update-override-appearance-stream": Status.UNTRUSTED,
    "pyhanko__minimal-signed-twice-second-created": Status.UNTRUSTED,
    "pyhanko__minimal-two-fields-signed-twice": Status.UNTRUSTED,
}
BAD = {
    "dss__hide": "无法",
    "dss__pades-bes-no-certificates": "证书缺失",
    "dss__pades-spoofing-replaced-reason": "被改动",
    "dss__pdf-signed-added-page": "被改动",
    "dss__pdf-signed-corrupted": "无法",
    "dss__pdf-signed-out-of-byteRange": "没有覆盖",
    "pdfjs__signed_verified": "没有覆盖",
    "pyhanko__coverage__tail-uncovered": "没有覆盖",
    "pyhanko__coverage__weird-byterange": "没有覆盖",
    "pyhanko__form-update-override-appearance-stream-sneaky": "被改动",
    "pyhanko__pdf-sig-with-econtent": "不合规范",
}


@pytest.mark.parametrize("name", GOOD)
def test_whole_files_of_others_are_called_whole(name: str, seals: SealOffice) -> None:
    status, _ = judge(shared("samples", "pdf-signed", f"{name}.pdf"), seals)
    assert status is GOOD[name]


@pytest.mark.parametrize("name", BAD)
def test_bad_files_of_others_are_called_bad_with_the_reason(name: str, seals: SealOffice) -> None:
    status, reason = judge(shared("samples", "pdf-signed", f"{name}.pdf"), seals)
    assert status is Status.INVALID
    assert BAD[name] in reason


def test_strangers_files_are_read_within_limits(
    tmp_path: Path, countersigned: Path, seals: SealOffice
) -> None:
    verdict = verify_foreign(countersigned, trust=seals.trust, moment=system_clock())
    assert verdict.is_valid, verdict.reasons
    assert verdict.findings[0].signed_at is not None
    starved = verify_foreign(countersigned, trust=seals.trust, moment=system_clock(), memory=40 << 20)
    assert starved.status is Status.INVALID
    assert "超出" in starved.reasons[0]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"hello" * 1000, bytes(100_000)])
def test_nonsense_is_invalid_and_never_an_error(tmp_path: Path, seals: SealOffice, content: bytes) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(content)
    assert judge(path, seals)[0] is Status.INVALID


def test_every_awkward_pdf_gets_an_answer(seals: SealOffice) -> None:
    folder = shared("samples", "pdf-awkward")
    answers = {}
    for path in sorted(folder.glob("*.pdf"))[::6]:
        answers[path.name] = verify_foreign(
            path, trust=seals.offline, moment=system_clock(), cpu_seconds=20
        ).status
    assert set(answers.values()) <= {Status.INVALID, Status.UNSIGNED}


PROBE = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from dossier.trust import Trust
from dossier.verify import verify
verify(Path(sys.argv[1]), trust=Trust(roots=()), moment=datetime.now(UTC))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_verification_memory_does_not_grow_with_the_scans(
    tmp_path: Path, seals: SealOffice, countersigned: Path
) -> None:
    from tests.dossier.test_assemble import PROBE as MAKE

    def peak(path: Path) -> int:
        command = [sys.executable, "-c", PROBE, str(path)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    subprocess.run([sys.executable, "-c", MAKE, str(tmp_path), "80"], check=True, capture_output=True)
    large = seals.seal(tmp_path / "out.pdf", tmp_path / "large.pdf", WINDOW_SEAL, clean=False)
    assert large.stat().st_size > 100 << 20
    assert peak(large) - peak(countersigned) < 40 << 10
