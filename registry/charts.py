"""Charts as SVG from small tables: bars and lines with direct labels, calm in print, in gray and in the dark."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, ACCENT, SOFT, LATE = "#1a2426", "#566366", "#0d5a61", "#9cc3c6", "#a92f1d"
_DARK = {INK: "#e3e9e8", MUTED: "#9dabab", ACCENT: "#74c5c9", SOFT: "#2f6368", LATE: "#f39a89"}
_WIDTH, _ROW, _EDGES = 8.0, 0.34, 0.35
_HEIGHT = 3.0
_FONTS = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
# Text stays text, so that it can be read, searched and printed in the reader's own fonts; ids do not change from
# one drawing to the next.
mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "tongban",
        # Measures the texts; whoever looks at the chart sees the fonts of the pages.
        "font.family": ["Noto Sans CJK SC", "DejaVu Sans"],
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
    }
)


@dataclass(frozen=True)
class Column:
    """One place on the axis: `solid` has happened, `expected` (at least as much) is what will probably have."""

    label: str
    solid: int
    expected: int


def bars(rows: Sequence[tuple[str, int]], *, shown: Callable[[int], str]) -> bytes:
    """Horizontal bars in the order given, each with its value beside it. Raises ValueError without rows."""
    if not rows:
        raise ValueError("a chart needs something to draw")
    figure = Figure(figsize=(_WIDTH, _EDGES + _ROW * len(rows)))
    axes = figure.add_axes((0.30, 0.02, 0.52, 0.96))
    places = range(len(rows), 0, -1)
    axes.barh(places, [value for _, value in rows], height=0.62, color=ACCENT)
    axes.set_yticks(list(places), [_short(label) for label, _ in rows])
    for place, (_, value) in zip(places, rows, strict=True):
        axes.annotate(
            shown(value), (max(value, 0), place), xytext=(6, 0), textcoords="offset points", va="center"
        )
    axes.set_ylim(0.4, len(rows) + 0.6)
    _quiet(axes)
    axes.xaxis.set_visible(False)
    return _svg(figure)


def columns(
    rows: Sequence[Column], *, shown: Callable[[int], str], limit: tuple[str, int] | None = None
) -> bytes:
    """Running totals over the columns: a line for what happened, a dashed one on to what is expected.

    `limit` is a level with its words. Raises ValueError without rows.
    """
    if not rows:
        raise ValueError("a chart needs something to draw")
    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    axes = figure.add_axes((0.03, 0.12, 0.80, 0.82))
    solid, expected = _running(rows)
    axes.plot(range(len(solid)), solid, color=ACCENT, linewidth=2.2, marker="o", markersize=3.5)
    if len(solid) < len(rows):
        start = max(len(solid) - 1, 0)
        axes.plot(
            range(start, len(rows)),
            [*solid[-1:], *expected[len(solid) :]],
            color=ACCENT,
            linewidth=1.6,
            linestyle=(0, (4, 3)),
        )
        _beside(axes, len(rows) - 1, expected[-1], f"预计 {shown(expected[-1])}", MUTED)
    if solid:
        _beside(axes, len(solid) - 1, solid[-1], shown(solid[-1]), ACCENT, above=True)
    if limit is not None:
        words, level = limit
        axes.hlines(level, -0.4, len(rows) - 1, color=LATE, linewidth=1.2, linestyle=(0, (1, 2)))
        _beside(axes, len(rows) - 1, level, f"{words} {shown(level)}", LATE)
    axes.set_xticks(range(len(rows)), [row.label for row in rows])
    axes.set_ylim(0, 1.12 * max([1, *solid, *expected, limit[1] if limit else 0]))
    axes.set_xlim(-0.4, len(rows) - 0.6)
    _quiet(axes)
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(MUTED)
    axes.yaxis.set_visible(False)
    return _svg(figure)


def _running(rows: Sequence[Column]) -> tuple[list[int], list[int]]:
    """Running totals of what happened (up to the last column with anything), and of what is expected."""
    last = max((index for index, row in enumerate(rows) if row.solid), default=-1)
    solid: list[int] = []
    expected: list[int] = []
    for index, row in enumerate(rows):
        if index <= last:
            solid.append((solid[-1] if solid else 0) + row.solid)
        expected.append((expected[-1] if expected else 0) + row.expected)
    return solid, expected


def _beside(axes: Axes, place: int, level: int, words: str, color: str, *, above: bool = False) -> None:
    offset, across = ((8, 0), "left")
    if above:  # a running total comes from the lower left and goes on to the upper right
        offset, across = ((-6, 4), "right") if place > 1 else ((0, 8), "center")
    axes.annotate(
        words,
        (place, level),
        xytext=offset,
        textcoords="offset points",
        color=color,
        ha=across,
        va="bottom" if above else "center",
        annotation_clip=False,
    )


def _quiet(axes: Axes) -> None:
    axes.set_facecolor("none")
    axes.tick_params(length=0, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _short(label: str) -> str:
    return label if len(label) <= 16 else f"{label[:15]}…"


def _svg(figure: Figure) -> bytes:
    figure.patch.set_visible(False)
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    dark = "".join(
        f'[style*="{light}"]{{fill:{dark} !important}}[style*="stroke: {light}"]{{fill:none !important;stroke:{dark} !important}}'
        for light, dark in _DARK.items()
    )
    style = (
        f"<style>text{{font-family:{_FONTS} !important}}@media (prefers-color-scheme: dark){{{dark}}}</style>"
    )
    head, opening, rest = out.getvalue().decode().partition("<defs>")
    return f"{head}{style}{opening}{rest}".encode()
