"""Pictures of kept pages for the screen, drawn in a limited child: the stored bytes are still a stranger's."""

from pathlib import Path

from ingest.inspect import messages
from ingest.inspect.asking import ask_child, left_by_child
from ingest.inspect.limits import VIEW
from ingest.inspect.pool import Pool
from ingest.inspect.sentences import refusal
from storage.errors import Refused
from storage.scratch import scratch


class NotDrawn(Refused):
    """The page cannot be shown; its sentence says why."""


def view_of(
    path: Path,
    *,
    rotation: int,
    size: tuple[int, int],
    part: tuple[int, int, int, int] | None = None,
    pool: Pool | None = None,
) -> bytes:
    """A JPEG without metadata that fits into `size` pixels, turned clockwise by `rotation` degrees.

    `path` is a page's JPEG or PNG file; `part` is (left, top, right, bottom) in its stored pixels, cut to the
    picture's edges. Raises NotDrawn.
    """
    with scratch("view") as folder:
        request = {
            "path": str(path.resolve()),
            "folder": str(folder),
            "view": {"rotation": rotation, "size": size, "part": part},
        }
        verdict, _ = ask_child(request, messages.Drawn, pool)
        if isinstance(verdict, messages.Refusal):
            raise NotDrawn(verdict.refused, refusal(verdict.refused, verdict.figures))
        return left_by_child(folder / VIEW).read_bytes()
