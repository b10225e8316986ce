"""Seals: every level, every place where a key may live, and what a certified dossier still allows."""

import hashlib
import os
import subprocess
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import pem, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509 import Certificate

from dossier.appearance import Appearance
from dossier.contents import OFFICE_RECEIPT, RESULT, SIGNATURE_FIELDS, WINDOW_SEAL, Level
from dossier.seal_image import draw_seal
from dossier.sign import SealingFailed, renew_timestamp, seal_pdf, system_clock
from dossier.signers import Pkcs11Seal, Pkcs12Seal, SealUnusable
from dossier.trust import Trust
from dossier.verify import verify
from tests.dossier.paper import OFFICE, SealOffice
from tests.verapdf import assert_pdfa

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


@pytest.mark.parametrize("level", list(Level))
def test_every_level_holds_and_stays_archival(
    tmp_path: Path, unsigned: Path, seals: SealOffice, level: Level
) -> None:
    made = seals.seal(unsigned, tmp_path / "out.pdf", WINDOW_SEAL, level=level)
    verdict = verify(made, trust=seals.trust, moment=system_clock())
    expected = "卷宗应有文件时间戳而没有：文件被截回到较早的状态。"
    assert verdict.findings[0].level == level.value
    assert verdict.findings[0].time_proven is (level is not Level.BASIC)
    # The plan promises B-LTA: anything less is told from it.
    assert verdict.is_valid if level is Level.ARCHIVED else verdict.reasons == (expected,)
    assert_pdfa(made)


def test_a_signature_costs_little(unsigned: Path, sealed: Path, countersigned: Path) -> None:
    sizes = [path.stat().st_size for path in (unsigned, sealed, countersigned)]
    assert sizes[1] - sizes[0] < 90_000
    assert sizes[2] - sizes[1] < 90_000


def test_fields_for_later_stand_ready_before_certifying(unsigned: Path, countersigned: Path) -> None:
    for path in (unsigned, countersigned):
        with pikepdf.open(path) as pdf:
            names = [str(field.T) for field in pdf.Root.AcroForm.Fields]
        assert set(SIGNATURE_FIELDS) <= set(names)
    with pikepdf.open(countersigned) as pdf:
        transform = pdf.Root.Perms.DocMDP.Reference[0].TransformParams
        assert transform.P == 2


def test_office_and_result_sign_after_the_window(
    tmp_path: Path, sealed: Path, countersigned: Path, seals: SealOffice
) -> None:
    final = seals.seal(countersigned, tmp_path / "final.pdf", RESULT, signer=seals.office)
    before = sealed.read_bytes()
    assert final.read_bytes()[: len(before)] == before
    verdict = verify(final, trust=seals.trust, moment=system_clock())
    assert verdict.is_valid, verdict.reasons
    assert [item.field for item in verdict.findings if item.kind == "seal"] == [
        WINDOW_SEAL,
        OFFICE_RECEIPT,
        RESULT,
    ]
    assert_pdfa(sealed, countersigned, final)


def test_poppler_agrees(countersigned: Path) -> None:
    told = subprocess.run(
        ["pdfsig", "-nocert", str(countersigned)], capture_output=True, text=True, check=False
    )
    assert told.stdout.count("Signature is Valid") == 2


def test_a_key_in_a_token_signs(tmp_path: Path, unsigned: Path, seals: SealOffice) -> None:
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None:
        pytest.skip("SoftHSM is not installed")
    seal = _token(tmp_path, seals.office, module)
    made = seals.seal(unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=seal)
    verdict = verify(made, trust=seals.trust, moment=system_clock())
    assert verdict.is_valid, verdict.reasons
    assert verdict.findings[0].signer == OFFICE


def _token(folder: Path, seal: Pkcs12Seal, module: str) -> Pkcs11Seal:
    """A SoftHSM token that holds the key and certificate of a PKCS#12 seal."""
    (folder / "tokens").mkdir()
    config = folder / "softhsm.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    key, certificate, chain = opened(seal)
    key_file = folder / "key.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    base = ["softhsm2-util", "--token", "seal", "--pin", "1234"]
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "seal", "--so-pin", "0000", "--pin", "1234"],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [*base, "--import", str(key_file), "--label", "seal", "--id", "01"], check=True, capture_output=True
    )
    _import_certificate(module, certificate.public_bytes(Encoding.DER))
    return Pkcs11Seal(
        Path(module), "seal", "1234", "seal", tuple(item.public_bytes(Encoding.DER) for item in chain)
    )


def opened(seal: Pkcs12Seal) -> tuple[ec.EllipticCurvePrivateKey, Certificate, list[Certificate]]:
    key, certificate, chain = pkcs12.load_key_and_certificates(seal.path.read_bytes(), seal.passphrase)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate is not None
    return key, certificate, chain


def _import_certificate(module: str, encoded: bytes) -> None:
    import pkcs11

    token = pkcs11.lib(module).get_token(token_label="seal")
    with token.open(user_pin="1234", rw=True) as session:
        parsed = x509.Certificate.load(encoded)
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.LABEL: "seal",
                pkcs11.Attribute.ID: b"\x01",
                pkcs11.Attribute.SUBJECT: parsed.subject.dump(),
                pkcs11.Attribute.ISSUER: parsed.issuer.dump(),
                pkcs11.Attribute.SERIAL_NUMBER: parsed["tbs_certificate"]["serial_number"].dump(),
                pkcs11.Attribute.VALUE: encoded,
            }
        )


def test_a_wrong_passphrase_leaves_nothing(tmp_path: Path, unsigned: Path, seals: SealOffice) -> None:
    with pytest.raises(SealUnusable):
        seals.seal(
            unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=Pkcs12Seal(seals.window.path, b"wrong")
        )
    assert not list(tmp_path.iterdir())


def test_a_revoked_seal_does_not_seal(tmp_path: Path, unsigned: Path, seals: SealOffice) -> None:
    made = seals.authority.seal("thief", holder="某窗口", organisation="测试机构", now=system_clock())
    seals.authority.revoke(made, now=system_clock())
    with pytest.raises(SealingFailed) as refusal:
        seals.seal(unsigned, tmp_path / "out.pdf", WINDOW_SEAL, signer=Pkcs12Seal(made.path, made.passphrase))
    assert refusal.value.code == "seal-not-trusted"
    assert not (tmp_path / "out.pdf").exists()


def test_a_timestamp_is_demanded_where_the_level_needs_one(
    tmp_path: Path, unsigned: Path, seals: SealOffice
) -> None:
    with pytest.raises(SealingFailed):
        seal_pdf(
            source=unsigned,
            target=tmp_path / "out.pdf",
            signer=seals.window,
            timestamper=None,
            level=Level.TIMESTAMPED,
            field=WINDOW_SEAL,
            appearance=None,
            trust=Trust(roots=()),
        )


def test_a_foreign_file_is_cleaned_before_its_first_seal(tmp_path: Path, seals: SealOffice) -> None:
    source = tmp_path / "settlement.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FreeText, Rect=[0, 0, 9, 9], Contents="x"
        )
        page.Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(note)]))
        pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array([]), D=pikepdf.Dictionary())
        pdf.save(source)
    made = seals.seal(
        source,
        tmp_path / "sealed.pdf",
        "Seal",
        appearance=Appearance(draw_seal(OFFICE), page=0, box=(400, 60, 519, 179)),
    )
    with pikepdf.open(made) as pdf:
        assert "/OpenAction" not in pdf.Root
        assert "/OCProperties" not in pdf.Root
        kinds = {str(item.Subtype) for item in pdf.pages[0].Annots}
    assert kinds == {"/Widget"}
    assert verify(made, trust=seals.trust, moment=system_clock()).is_valid


def test_a_renewed_timestamp_covers_everything_before(
    tmp_path: Path, sealed: Path, seals: SealOffice
) -> None:
    target = tmp_path / "renewed.pdf"
    renew_timestamp(
        source=sealed, target=target, timestamper=seals.authority.timestamper(system_clock), trust=seals.trust
    )
    verdict = verify(target, trust=seals.trust, moment=system_clock())
    assert verdict.is_valid, verdict.reasons
    assert [item.kind for item in verdict.findings] == ["seal", "timestamp", "timestamp"]
    assert_pdfa(target)


def test_no_passphrase_is_readable_by_others(seals: SealOffice) -> None:
    folder = seals.window.path.parent
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {0o600}
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert pem.detect(seals.authority.roots_file.read_bytes())
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in folder.glob("*.pass")}) > 1
