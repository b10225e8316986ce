"""Kept pages' pictures coded for a PDF in a limited child: the bytes come back, and nothing that has to be decoded."""

from pathlib import Path

from ingest.inspect import messages
from ingest.inspect.asking import ask_child, left_by_child
from ingest.inspect.limits import CODED, PATIENT_SECONDS
from ingest.inspect.messages import Stream
from ingest.inspect.pool import Pool
from ingest.inspect.sentences import refusal
from storage.errors import Refused
from storage.scratch import scratch


class NotCoded(Refused):
    """The page cannot be decoded, or not within the limits of a child; its sentence says why."""


def coded(page: Path, *, pool: Pool | None = None) -> tuple[Stream, bytes]:
    """How the picture lies in a PDF, and the bytes of its stream. Raises NotCoded.

    Bilevel pictures come as CCITT G4, all others deflated with PNG's predictor. `Stream.inverted` tells of G4 that black
    is 0 in it.
    """
    with scratch("coded") as folder:
        request = {
            "path": str(page.resolve()),
            "folder": str(folder),
            "code": True,
            "seconds": PATIENT_SECONDS,
        }
        verdict, _ = ask_child(request, messages.Coded, pool)
        if isinstance(verdict, messages.Refusal):
            raise NotCoded(verdict.refused, refusal(verdict.refused, verdict.figures))
        try:
            return verdict.coded, left_by_child(folder / CODED).read_bytes()
        except (OSError, ValueError) as error:
            raise NotCoded("crashed", refusal("crashed", {})) from error
