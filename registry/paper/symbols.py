"""QR and Code 128 symbols as plain values: rows of dark modules and widths of bars, for any printer."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import zxingcpp
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode

QR_QUIET_MODULES = 4
CODE128_QUIET_MODULES = 10


@dataclass(frozen=True)
class Matrix:
    """A square QR symbol without its quiet zone: `rows[y][x]` is true where ink goes."""

    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules along one side."""
        return len(self.rows)

    def runs(self) -> list[tuple[int, int, int]]:
        """Horizontal runs of dark modules as (x, y, length), for drawing few long rectangles."""
        found = []
        for y, row in enumerate(self.rows):
            x = 0
            while x < len(row):
                if not row[x]:
                    x += 1
                    continue
                start = x
                while x < len(row) and row[x]:
                    x += 1
                found.append((start, y, x - start))
        return found


@dataclass(frozen=True)
class Bars:
    """A linear symbol without its quiet zones: dark bars as (offset, width) in modules, and the whole width."""

    bars: tuple[tuple[int, int], ...]
    width: int


@lru_cache(maxsize=512)
def qr_matrix(text: str) -> Matrix:
    """QR code of `text` at error correction level Q (a quarter of the symbol may be lost)."""
    code = QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return Matrix(tuple(tuple(bool(cell) for cell in row) for row in code.get_matrix()))


@lru_cache(maxsize=512)
def code128_bars(text: str) -> Bars:
    """Code 128 of printable ASCII `text`; pairs of digits are packed by the encoder."""
    if not text or not all(32 <= ord(char) < 127 for char in text):
        raise ValueError("Code 128 here takes printable ASCII only")
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    row = _dark(barcode)[0]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
    bars = tuple((int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True))
    return Bars(bars=bars, width=int(row.size))


def qr_svg(text: str, *, side_mm: float) -> str:
    """An inline SVG element of `side_mm` millimetres with its quiet zone, drawn as one path."""
    matrix = qr_matrix(text)
    span = matrix.size + 2 * QR_QUIET_MODULES
    path = "".join(
        f"M{x + QR_QUIET_MODULES} {y + QR_QUIET_MODULES}h{length}v1h-{length}z"
        for x, y, length in matrix.runs()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qr" role="img" aria-label="二维码" width="{side_mm:g}mm" '
        f'height="{side_mm:g}mm" viewBox="0 0 {span} {span}" shape-rendering="crispEdges">'
        f'<path d="{path}" fill="#000"/></svg>'
    )


def _dark(barcode: zxingcpp.Barcode) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    image = np.array(barcode.to_image(scale=1, add_quiet_zones=False))
    dark: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = image < 128
    return dark
