"""Labels for Zebra-language printers: lines and symbols drawn by the printer, Chinese text sent as dots.

Printers in the field rarely hold a Chinese font, so every line of text goes as a ^GF graphic; the symbols are
commands of the printer itself, whose modules are exact dots.
"""

import re
from functools import lru_cache

import numpy as np
from PIL import Image

from logistics.labels.grid import Placed, dashes, dots_per_mm, place_bars, place_qr
from logistics.labels.label import Label, Size
from logistics.labels.layout import marks
from logistics.labels.marks import BarsMark, Mark, Plate, QrMark, Rule, Text
from logistics.labels.raster import plate_ink, text_ink

QR_DROP_DOTS = 10
"""^BQ draws its symbol this many dots below the field origin."""

_COUNTS = {
    **{n: chr(ord("G") + n - 1) for n in range(1, 20)},
    **{20 * n: chr(ord("g") + n - 1) for n in range(1, 21)},
}


def as_zpl(label: Label, size: Size, *, dpi: int = 203) -> str:
    """One label as a ZPL II format, ASCII only, for a head of 203 or 300 dpi."""
    per_mm = dots_per_mm(dpi)
    width, height = round(size.width * per_mm), round(size.height * per_mm)
    body = [command for mark in marks(label, size) for command in _commands(mark, per_mm)]
    return "\n".join(["^XA", f"^PW{width}^LL{height}^LH0,0^CI28", *body, "^PQ1", "^XZ", ""])


def _commands(mark: Mark, per_mm: float) -> list[str]:
    match mark:
        case Text():
            ink = _graphic(text_ink(mark.text, mark.size, mark.bold, per_mm))
            return [f"^FO{round(mark.x * per_mm)},{round(mark.y * per_mm)}{ink}^FS"]
        case Plate():
            return [
                f"^FO{round(mark.x * per_mm)},{round(mark.y * per_mm)}{_graphic(plate_ink(mark, per_mm))}^FS"
            ]
        case Rule():
            pieces = dashes(mark.x, mark.width) if mark.dashed else [(mark.x, mark.width)]
            return [_line(x, mark.y, width, mark.height, per_mm) for x, width in pieces]
        case QrMark():
            return [_qr(mark, place_qr(mark, per_mm))]
        case BarsMark():
            return [_bars(mark, place_bars(mark, per_mm))]


def _line(x: float, y: float, width: float, height: float, per_mm: float) -> str:
    across, down = max(1, round(width * per_mm)), max(1, round(height * per_mm))
    return f"^FO{round(x * per_mm)},{round(y * per_mm)}^GB{across},{down},{min(across, down)}^FS"


def _qr(mark: QrMark, placed: Placed) -> str:
    # Q is the correction level, A lets the printer pick the mode.
    return f"^FO{placed.x},{placed.y - QR_DROP_DOTS}^BQN,2,{placed.module}^FDQA,{mark.data}^FS"


def _bars(mark: BarsMark, placed: Placed) -> str:
    # Mode A packs pairs of digits like our own encoder, so the printed width is the measured one.
    return f"^FO{placed.x},{placed.y}^BY{placed.module}^BCN,{placed.height},N,N,N,A^FD{mark.data}^FS"


def _graphic(ink: Image.Image) -> str:
    rows = np.packbits(~np.asarray(ink), axis=1)
    return _graphic_of(rows.tobytes(), rows.shape[1])


@lru_cache(maxsize=2048)
def _graphic_of(data: bytes, stride: int) -> str:
    """^GFA with the run-length letters of ZPL: `,` fills a row with zeros, `:` repeats the row above."""
    packed: list[str] = []
    previous = ""
    for start in range(0, len(data), stride):
        row = data[start : start + stride].hex().upper()
        packed.append(":" if row == previous else _packed_row(row))
        previous = row
    return f"^GFA,{len(data)},{len(data)},{stride}," + "".join(packed)


def _packed_row(row: str) -> str:
    body = row.rstrip("0")
    tail = "," if len(body) < len(row) else ""
    return re.sub(r"(.)\1{2,}", lambda run: _counted(run.group(1), len(run.group())), body) + tail


def _counted(digit: str, count: int) -> str:
    letters = ""
    while count > 400:
        letters, count = letters + "z" + digit, count - 400
    if count >= 20:
        letters, count = letters + _COUNTS[count // 20 * 20], count % 20
    return letters + (_COUNTS[count] if count else "") + digit
