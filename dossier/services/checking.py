"""Checking a file: the one that is kept, one that somebody holds against a dossier, and anybody's."""

from collections.abc import Iterable
from pathlib import Path

from dossier.models import Dossier, DossierRevision, DossierState
from dossier.sealing import installation_trust
from dossier.services.countersigning import expected_of
from dossier.services.public_checking import LARGEST, Checked, TooLarge, parsing_place
from dossier.sign import system_clock
from dossier.verify import Expected, Verdict, verify
from dossier.verify.bytes import measure
from dossier.verify.child import verify_foreign
from dossier.verify.words import Standing, in_plain_words
from registry.actors import Actor
from registry.permissions import NotYours, check_may
from storage.scratch import scratch


def check_file(*, path: Path, dossier: Dossier | None = None) -> Verdict:
    """The verdict on a file: ours is compared with the record, a stranger's is read inside limits."""
    trust = installation_trust()
    if dossier is None:
        return verify_foreign(path, trust=trust, moment=system_clock())
    return verify(path, trust=trust, moment=system_clock(), expected=expected_of(dossier))


def check_in_hand(*, dossier: Dossier, content: Iterable[bytes], size: int, actor: Actor) -> Checked:
    """Is the file that somebody holds this dossier? Read in the limited child; its only copy is gone afterwards.

    A file of an earlier state (before a later seal or timestamp, or of an earlier version) is judged by what was
    recorded of that state, and the answer says that it is not the newest. Raises NotYours, TooLarge, Busy.
    """
    check_may(actor, "dossier.download", dossier)
    if dossier.state != DossierState.SIGNED:
        raise NotYours
    if size > LARGEST:
        raise TooLarge
    with parsing_place(), scratch("check") as folder:
        path = folder / "in-hand.pdf"
        with path.open("wb") as kept:
            kept.writelines(content)
        known = _known(dossier, measure(path)[0])
        verdict = verify_foreign(
            path,
            trust=installation_trust(),
            moment=system_clock(),
            expected=_recorded(known) if known else expected_of(dossier),
        )
    newest = verdict.sha256 == dossier.sha256
    return Checked(verdict, in_plain_words(verdict, Standing.CURRENT if newest else Standing.EARLIER))


def _known(dossier: Dossier, sha256: str) -> DossierRevision | None:
    found = DossierRevision.objects.filter(dossier__handling=dossier.handling_id, sha256=sha256)
    return found.select_related("dossier__handling__case").order_by("-pk").first()


def _recorded(revision: DossierRevision) -> Expected:
    return Expected(
        sha256=revision.sha256,
        size=revision.size,
        signature_count=revision.signature_count,
        case_number=revision.dossier.handling.case.number,
    )
