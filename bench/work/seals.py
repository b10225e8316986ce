"""The same seal, timestamps and trust for both sides: ours by `seal_pdf`, the peer by pyHanko's own call."""

import os
from functools import cache
from pathlib import Path

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner

from dossier.appearance import Appearance, stamp_style
from dossier.authority import LocalAuthority
from dossier.contents import Level
from dossier.seal_image import draw_seal
from dossier.sign import seal_pdf, system_clock
from dossier.signers import DIGEST, Pkcs12Seal
from dossier.trust import Trust, read_certificates

HOLDER = "诸暨市行政服务中心通办专窗"
PLACE = (400, 60, 519, 179)


@cache
def authority() -> LocalAuthority:
    return LocalAuthority(Path(os.environ["TONGBAN_DATA_DIR"]) / "authority", now=system_clock())


def trust() -> Trust:
    """As an installation without a network has it."""
    return Trust(
        roots=read_certificates(authority().roots_file),
        others=(authority().issuing_certificate,),
        revocation_lists=lambda moment: authority().revocation_lists(now=moment),
    )


def key() -> Pkcs12Seal:
    made = authority().seal("bench", holder=HOLDER, organisation="本机", now=system_clock())
    return Pkcs12Seal(made.path, made.passphrase)


def seal_ours(source: Path, target: Path, field: str) -> None:
    seal_pdf(
        source=source,
        target=target,
        signer=key(),
        timestamper=authority().timestamper(system_clock),
        level=Level.ARCHIVED,
        field=field,
        appearance=Appearance(draw_seal(HOLDER)),
        trust=trust(),
        clean=False,
    )


def seal_by_pyhanko(source: Path, target: Path, field: str, *, new: bool = False) -> None:
    """PAdES B-LTA in the one call that its documentation shows. `new`: the file has no such field yet."""
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.FILL_FORMS,
        embed_validation_info=True,
        use_pades_lta=True,
        validation_context=trust().context(moment=system_clock()),
    )
    seal = key()
    opened = SimpleSigner.load_pkcs12_data(seal.path.read_bytes(), other_certs=[], passphrase=seal.passphrase)
    with source.open("rb") as unsigned, target.open("w+b") as file:
        signer = PdfSigner(
            metadata,
            opened,
            timestamper=authority().timestamper(system_clock),
            stamp_style=stamp_style(Appearance(draw_seal(HOLDER))),
            new_field_spec=SigFieldSpec(field, box=PLACE) if new else None,
        )
        signer.sign_pdf(IncrementalPdfFileWriter(unsigned), output=file)
