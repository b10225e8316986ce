"""What a page is before anybody reads it: a blank back, or a separator sheet with its code. Runs in the limited child.

Both are judged on the gray copy of about 150 dots per inch that `quality` makes. A separator sheet bears solid bars
along both long edges besides its codes, so that a sheet whose codes are torn off or smeared is still known for what
it is: the pages behind it must not follow the sheet before it.
"""

import numpy as np
import zxingcpp
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

BAR_PITCH_MM = 12.0
"""From bar to bar; a bar is half as long. `registry/templates/paper/separator.html` prints them."""
_DPI = 150
_MM = _DPI / 25.4
_MARGIN = 0.04
_INK = 45
_CELL = 6
_INKED_PIXELS = 5
_FEWEST_CELLS = 4
_STRIP = round(3 * _MM)
_REACH = round(26 * _MM)
_FEWEST_BARS = 5
_THIRDS = 3
_SOLID = 0.5
_QR = zxingcpp.barcode_formats_from_str("QRCode")


def is_blank(gray: Gray) -> bool:
    """Whether nothing was written or printed on the page. What shines through from the front is not ink; a page
    number is. The outermost 4 % are left out: punched holes, shadows, the lid of the scanner."""
    height, width = gray.shape
    inside = gray[
        round(height * _MARGIN) : -round(height * _MARGIN) or None,
        round(width * _MARGIN) : -round(width * _MARGIN) or None,
    ]
    rows, columns = (side // _CELL for side in inside.shape)
    if min(rows, columns) < 1:
        return False
    lines = inside[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns * _CELL)
    # The paper is judged place by place: uneven light is not ink.
    paper = _local_paper(_across(np.maximum, lines.max(axis=1)))
    darkest_paper = np.clip(paper - _INK, 0, 255).astype(np.uint8)
    ink = lines < np.repeat(darkest_paper, _CELL, axis=1)[:, None, :]
    inked = _across(np.add, ink.view(np.uint8).sum(axis=1, dtype=np.uint8))
    return int((inked >= _INKED_PIXELS).sum()) < _FEWEST_CELLS


def codes_on(gray: Gray) -> list[str]:
    """The texts of the QR codes that show without trying hard; a separator sheet has three large ones."""
    found = zxingcpp.read_barcodes(gray, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    return list(dict.fromkeys(code.text for code in found if code.text))


def is_barred(gray: Gray) -> bool:
    """Whether solid bars of an even pitch run along two opposite edges, as on a separator sheet, however it lies."""
    upright = _edge_is_barred(gray) and _edge_is_barred(gray[:, ::-1])
    return upright or (_edge_is_barred(gray.T) and _edge_is_barred(gray.T[:, ::-1]))


def _across(join: np.ufunc, columns: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One value for each cell, of the values of its columns. Slices are many times as fast as a short axis."""
    joined = columns[:, ::_CELL].copy()
    for start in range(1, _CELL):
        join(joined, columns[:, start::_CELL], out=joined)
    return joined


def _local_paper(brightest: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The brightness of the paper around each cell: the middle of the brightest pixels of seven cells each way."""
    padded = np.pad(brightest, 3, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7))
    return np.asarray(np.median(windows[..., ::2, ::2], axis=(2, 3)), dtype=np.int16)


def _edge_is_barred(gray: Gray) -> bool:
    """At the left edge: each third of the height is looked at by itself, so that a sheet may lie askew."""
    height = gray.shape[0]
    if gray.shape[1] < 4 * _REACH or height < 12 * BAR_PITCH_MM * _MM:
        return False
    paper = float(np.percentile(gray[::8, ::8], 80))
    thirds = [gray[part * height // _THIRDS : (part + 1) * height // _THIRDS] for part in range(_THIRDS)]
    return sum(_bars_in(third, paper) for third in thirds) >= _THIRDS - 1


def _bars_in(part: Gray, paper: float) -> bool:
    for left in range(0, _REACH - _STRIP, _STRIP // 2):
        dark = (part[:, left : left + _STRIP].mean(axis=1) < _SOLID * paper).astype(np.int8)
        starts = np.flatnonzero(np.diff(np.concatenate(([0], dark))) == 1)
        ends = np.flatnonzero(np.diff(np.concatenate((dark, [0]))) == -1) + 1
        whole = (starts > 0) & (ends < part.shape[0])
        lengths, pitches = (ends - starts)[whole] / _MM, np.diff(starts[whole]) / _MM
        if (
            len(lengths) >= _FEWEST_BARS
            and np.all(np.abs(lengths - BAR_PITCH_MM / 2) < 1.5)
            and np.all(np.abs(pitches - BAR_PITCH_MM) < 1.5)
        ):
            return True
    return False
