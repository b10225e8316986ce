"""A dossier's proof as one zip that openssl, qpdf and sha256sum can check without us."""

from dossier.bundle.archive import write_bundle
from dossier.bundle.evidence import Evidence, Signature, evidence_of

__all__ = ["Evidence", "Signature", "evidence_of", "write_bundle"]
