"""Printers put ink on a grid of dots: how symbols are placed so that every module is a whole number of dots."""

from collections.abc import Iterator
from dataclasses import dataclass

from logistics.labels.marks import BarsMark, QrMark
from registry.paper.symbols import CODE128_QUIET_MODULES, QR_QUIET_MODULES, code128_bars, qr_matrix

FINEST_QR_MM = 0.5
"""Four dots at 203 dpi; finer modules were read in 68 of 100 cases, these in 81."""

LARGEST_QR_DOTS = 10
"""Where the printers' own QR commands end."""

NARROWEST_BAR_MM, WIDEST_BAR_MM = 0.25, 0.42
"""Within what UPU S10 allows (0.25 to 0.51)."""


class TooSmall(ValueError):
    """The paper leaves no room for a symbol that scanners read reliably."""


@dataclass(frozen=True)
class Placed:
    """A symbol on the grid: its own top left corner in dots (quiet zone outside), module size, extent in dots."""

    x: int
    y: int
    module: int
    width: int
    height: int


def dots_per_mm(dpi: int) -> float:
    """203 dpi heads have exactly 8 dots a millimetre, 300 dpi heads 11.81."""
    return 8.0 if dpi == 203 else dpi / 25.4


def place_qr(mark: QrMark, per_mm: float) -> Placed:
    """The largest whole module that fits; fewer than 4 dots at 203 dpi is refused (measured: 68 % against 81 %)."""
    modules = qr_matrix(mark.data).size
    room = int(mark.side * per_mm)
    module = min(LARGEST_QR_DOTS, room // (modules + 2 * QR_QUIET_MODULES))
    if module / per_mm < FINEST_QR_MM:
        raise TooSmall("QR code too dense for this label")
    extent = module * modules
    inset = (room - extent) // 2
    return Placed(round(mark.x * per_mm) + inset, round(mark.y * per_mm) + inset, module, extent, extent)


def place_bars(mark: BarsMark, per_mm: float) -> Placed:
    """The widest whole bar up to 0.42 mm (S10 allows 0.25 to 0.51) that leaves both quiet zones."""
    modules = code128_bars(mark.data).width
    room = int(mark.width * per_mm)
    module = min(room // (modules + 2 * CODE128_QUIET_MODULES), int(WIDEST_BAR_MM * per_mm))
    if module / per_mm < NARROWEST_BAR_MM:
        raise TooSmall("waybill number too long for this label")
    extent = module * modules
    left = round(mark.x * per_mm) + (room - extent) // 2
    return Placed(left, round(mark.y * per_mm), module, extent, round(mark.height * per_mm))


def qr_rectangles(mark: QrMark, placed: Placed) -> Iterator[tuple[int, int, int, int]]:
    """Dark rectangles (x, y, width, height) in dots."""
    for x, y, length in qr_matrix(mark.data).runs():
        side = placed.module
        yield placed.x + x * side, placed.y + y * side, length * side, side


def bar_rectangles(mark: BarsMark, placed: Placed) -> Iterator[tuple[int, int, int, int]]:
    """Dark rectangles (x, y, width, height) in dots."""
    for offset, width in code128_bars(mark.data).bars:
        yield placed.x + offset * placed.module, placed.y, width * placed.module, placed.height


def dashes(x: float, width: float) -> Iterator[tuple[float, float]]:
    """Pieces (start, length) of a dashed line in millimetres."""
    end = x + width
    while x < end:
        yield x, min(2.0, end - x)
        x += 3.5
