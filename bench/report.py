"""The measured figures as a table for people and as JSON for whoever compares two runs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure


@dataclass(frozen=True)
class Section:
    """One benchmark's outcome; `missing` says why it has no figures."""

    name: str
    about: str
    figures: Sequence[Figure] = ()
    remarks: Sequence[str] = ()
    missing: str = ""
    seconds: float = 0.0

    def rows(self) -> list[tuple[str, ...]]:
        """figure, unit, ours, peer, the peer's, times better, goal: a row for each peer."""
        return [row for figure in self.figures for row in _rows(figure)]


@dataclass
class Report:
    """All sections of one run."""

    machine: dict[str, object]
    begun: str
    sections: list[Section] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {
            "machine": self.machine,
            "begun": self.begun,
            "benchmarks": {section.name: _section_json(section) for section in self.sections},
        }

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n")


def show(section: Section, console: Console) -> None:
    """Print one section."""
    if section.missing:
        console.print(f"[bold]{section.name}[/bold]: not measured: {section.missing}", highlight=False)
        return
    table = Table(title=f"{section.name} ({section.seconds:.0f} s)", title_justify="left")
    for heading in ("figure", "unit"):
        table.add_column(heading)
    for heading in ("ours", "peer", "peer's", "times better", "goal"):
        table.add_column(heading, justify="left" if heading == "peer" else "right")
    for row in section.rows():
        table.add_row(*row)
    console.print(table)
    for remark in section.remarks:
        console.print(f"  {remark}", highlight=False)


def _rows(figure: Figure) -> list[tuple[str, ...]]:
    peers = list(figure.peers) or [""]
    return [
        (
            figure.name,
            figure.unit,
            number(figure.median),
            peer or "—",
            number(figure.median_of(peer)) if peer else "—",
            _ratio_words(figure, peer),
            "; ".join(
                figure.in_words(goal)
                for goal in figure.goals
                if goal.than == peer or (not goal.than and peer == peers[0])
            ),
        )
        for peer in peers
    ]


def _ratio_words(figure: Figure, peer: str) -> str:
    ratio = figure.ratio(peer) if peer else None
    return "—" if ratio is None else f"{ratio:.2f}"


def number(value: float) -> str:
    """Three figures that count, without an exponent."""
    if value == 0:
        return "0"
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{places}f}"


def _section_json(section: Section) -> dict[str, object]:
    return {
        "about": section.about,
        "missing": section.missing,
        "seconds": round(section.seconds, 1),
        "remarks": list(section.remarks),
        "figures": [_figure_json(figure) for figure in section.figures],
    }


def _figure_json(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "better": figure.better,
        "ours": {"median": figure.median, "runs": list(figure.ours)},
        "peers": {
            peer: {"median": figure.median_of(peer), "runs": list(values), "times_better": figure.ratio(peer)}
            for peer, values in figure.peers.items()
        },
        "goals": [
            {"limit": goal.limit, "than": goal.than, "reached": figure.reached(goal)} for goal in figure.goals
        ],
    }
