"""Labels for TSPL printers (TSC and the many that speak its language): text as BITMAP, symbols by the printer."""

import numpy as np
from PIL import Image

from logistics.labels.grid import dashes, dots_per_mm, place_bars, place_qr
from logistics.labels.label import Label, Size
from logistics.labels.layout import marks
from logistics.labels.marks import BarsMark, Mark, Plate, QrMark, Rule, Text
from logistics.labels.raster import plate_ink, text_ink

GAP_MM = 2


def as_tspl(label: Label, size: Size, *, dpi: int = 203) -> bytes:
    """One label as TSPL commands; bytes, because BITMAP carries raw dots."""
    per_mm = dots_per_mm(dpi)
    head = f"SIZE {size.width} mm,{size.height} mm\r\nGAP {GAP_MM} mm,0 mm\r\nDIRECTION 1\r\nREFERENCE 0,0\r\nCLS\r\n"
    body = b"".join(_commands(mark, per_mm) for mark in marks(label, size))
    return head.encode("ascii") + body + b"PRINT 1,1\r\n"


def _commands(mark: Mark, per_mm: float) -> bytes:
    match mark:
        case Text():
            return _bitmap(mark.x, mark.y, text_ink(mark.text, mark.size, mark.bold, per_mm), per_mm)
        case Plate():
            return _bitmap(mark.x, mark.y, plate_ink(mark, per_mm), per_mm)
        case Rule():
            pieces = dashes(mark.x, mark.width) if mark.dashed else [(mark.x, mark.width)]
            return b"".join(_bar(x, mark.y, width, mark.height, per_mm) for x, width in pieces)
        case QrMark():
            placed = place_qr(mark, per_mm)
            # Correction level Q, automatic mode, no rotation, model 2.
            return f'QRCODE {placed.x},{placed.y},Q,{placed.module},A,0,M2,"{mark.data}"\r\n'.encode()
        case BarsMark():
            placed = place_bars(mark, per_mm)
            narrow = placed.module
            return f'BARCODE {placed.x},{placed.y},"128",{placed.height},0,0,{narrow},{narrow},"{mark.data}"\r\n'.encode()


def _bar(x: float, y: float, width: float, height: float, per_mm: float) -> bytes:
    across, down = max(1, round(width * per_mm)), max(1, round(height * per_mm))
    return f"BAR {round(x * per_mm)},{round(y * per_mm)},{across},{down}\r\n".encode()


def _bitmap(x: float, y: float, ink: Image.Image, per_mm: float) -> bytes:
    # In TSPL a zero bit is a printed dot, and what pads the row must stay white.
    dots = np.asarray(ink)
    padded = np.ones((dots.shape[0], -(-dots.shape[1] // 8) * 8), dtype=bool)
    padded[:, : dots.shape[1]] = dots
    rows = np.packbits(padded, axis=1)
    head = f"BITMAP {round(x * per_mm)},{round(y * per_mm)},{rows.shape[1]},{rows.shape[0]},0,"
    return head.encode() + rows.tobytes() + b"\r\n"
