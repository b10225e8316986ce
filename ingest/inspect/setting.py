"""A stranger's PDF beside a sheet of ours, set in a limited child: this process never opens it."""

from ingest.inspect import messages
from ingest.inspect.asking import ask_child, left_by_child
from ingest.inspect.limits import BESIDE
from ingest.inspect.pool import Pool
from ingest.inspect.sentences import refusal
from storage.errors import Refused
from storage.scratch import scratch


class NotSet(Refused):
    """The PDF cannot be printed so; its sentence says why."""


def pdf_beside(foreign: bytes, own: bytes, *, pool: Pool | None = None) -> bytes:
    """A4 sheets as PDF: each page of `foreign` at its true size, and the first page of `own` to its right.

    Equal input gives equal bytes. Raises NotSet.
    """
    with scratch("beside") as folder:
        (folder / "foreign.pdf").write_bytes(foreign)
        (folder / "own.pdf").write_bytes(own)
        request = {
            "path": str(folder / "foreign.pdf"),
            "folder": str(folder),
            "beside": str(folder / "own.pdf"),
        }
        verdict, _ = ask_child(request, messages.Set, pool)
        if isinstance(verdict, messages.Refusal):
            raise NotSet(verdict.refused, refusal(verdict.refused, verdict.figures))
        return left_by_child(folder / BESIDE).read_bytes()
