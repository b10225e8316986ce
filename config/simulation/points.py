"""The list of what commits in which act, as runs of the simulation came to it: so one run can say what it did not reach."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from config.simulation.crashes import Point

LIST = Path(__file__).with_name("commit_points.txt")
HEAD = (
    "# Acts of the simulation and the functions that commit in them; written by `manage.py simulate --learn`."
)


def place_of(point: Point) -> str:
    """What the list says of a point: lines change with every edit, and turns and sides are of a run."""
    return f"{point.act} @ {point.place}"


def known_places() -> Iterator[str]:
    """Each as `act @ module.function`."""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def remember(places: Iterable[str]) -> None:
    """Adds what a run came to."""
    lines = sorted({*known_places(), *places})
    LIST.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
