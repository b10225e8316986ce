"""Two small printers: they obey the ZPL and TSPL that we send and show the paper that comes out."""

import re
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from registry.paper.symbols import code128_bars, qr_matrix


@dataclass
class Paper:
    """What was printed: the dots, and the commands by name."""

    dots: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    seen: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    def ink(self, x: int, y: int, picture: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
        height, width = picture.shape
        assert min(x, y) >= 0, "printed above or left of the label"
        # Graphics end on whole bytes: up to seven empty dots may lie beyond the edge.
        assert y + height <= self.dots.shape[0] + 8, "printed below the label"
        assert x + width <= self.dots.shape[1] + 8, "printed right of the label"
        room = self.dots[y : y + height, x : x + width]
        room |= picture[: room.shape[0], : room.shape[1]]

    def note(self, command: str, *values: str) -> None:
        self.seen.setdefault(command, []).append(values)

    def image(self) -> Image.Image:
        return Image.fromarray(np.where(self.dots, 0, 255).astype(np.uint8))


def print_zpl(program: str) -> Paper:
    """Obeys ^PW ^LL ^FO ^GB ^GFA ^BY ^BC ^BQ ^FD ^FS and refuses anything it does not know."""
    assert program.isascii()
    assert program.startswith("^XA")
    assert program.rstrip().endswith("^XZ")
    width = int(re.search(r"\^PW(\d+)", program).group(1))  # type: ignore[union-attr]
    height = int(re.search(r"\^LL(\d+)", program).group(1))  # type: ignore[union-attr]
    paper = Paper(np.zeros((height, width), bool))
    paper.note("size", str(width), str(height))
    for line in program.split("\n")[2:]:
        if line in ("^PQ1", "^XZ", ""):
            continue
        placed = re.fullmatch(r"\^FO(\d+),(\d+)(.*)\^FS", line)
        assert placed, line[:60]
        _zpl_field(paper, int(placed.group(1)), int(placed.group(2)), placed.group(3))
    return paper


def _zpl_field(paper: Paper, x: int, y: int, body: str) -> None:
    if box := re.fullmatch(r"\^GB(\d+),(\d+),(\d+)", body):
        across, down, thick = map(int, box.groups())
        assert thick == min(across, down)
        paper.ink(x, y, np.ones((down, across), bool))
    elif graphic := re.fullmatch(r"\^GFA,(\d+),(\d+),(\d+),(.*)", body):
        total, whole, stride = (int(graphic.group(n)) for n in (1, 2, 3))
        assert total == whole
        rows = _unpacked(graphic.group(4), stride * 2)
        assert len(rows) * stride == total
        data = np.frombuffer(bytes.fromhex("".join(rows)), np.uint8).reshape(-1, stride)
        paper.ink(x, y, np.unpackbits(data, axis=1).astype(bool))
        paper.note("graphic")
    elif bars := re.fullmatch(r"\^BY(\d+)\^BCN,(\d+),N,N,N,A\^FD(.*)", body):
        module, tall = int(bars.group(1)), int(bars.group(2))
        paper.ink(x, y, _bars(bars.group(3), module, tall))
        paper.note("bars", bars.group(1), bars.group(2), bars.group(3))
    elif qr := re.fullmatch(r"\^BQN,2,(\d+)\^FDQA,(.*)", body):
        # The printer lowers a QR symbol by ten dots.
        paper.ink(x, y + 10, _matrix(qr.group(2), int(qr.group(1))))
        paper.note("qr", qr.group(1), qr.group(2))
    else:
        raise AssertionError(f"unknown field {body[:60]}")


def _unpacked(packed: str, digits: int) -> list[str]:
    """The run-length letters of ^GF: G-Y count 1-19, g-z count 20-400, `,` ends a row, `:` repeats one."""
    rows: list[str] = []
    row, count = "", 0
    for letter in packed:
        if letter == ":":
            rows.append(rows[-1])
        elif letter == ",":
            rows.append(row.ljust(digits, "0"))
            row = ""
        elif "G" <= letter <= "Y":
            count += ord(letter) - ord("G") + 1
        elif "g" <= letter <= "z":
            count += 20 * (ord(letter) - ord("g") + 1)
        else:
            row += letter * (count or 1)
            count = 0
            if len(row) == digits:
                rows.append(row)
                row = ""
        assert len(row) <= digits
    assert row == ""
    return rows


def print_tspl(program: bytes, per_mm: float) -> Paper:
    """Obeys SIZE GAP DIRECTION REFERENCE CLS BAR BITMAP BARCODE QRCODE PRINT and refuses anything else."""
    size = re.match(rb"SIZE (\d+) mm,(\d+) mm\r\n", program)
    assert size
    width, height = round(int(size.group(1)) * per_mm), round(int(size.group(2)) * per_mm)
    paper = Paper(np.zeros((height, width), bool))
    paper.note("size", size.group(1).decode(), size.group(2).decode())
    at = size.end()
    while at < len(program):
        at = _tspl_command(paper, program, at)
    return paper


def _tspl_command(paper: Paper, program: bytes, at: int) -> int:
    if bitmap := re.compile(rb"BITMAP (\d+),(\d+),(\d+),(\d+),0,").match(program, at):
        x, y, stride, rows = map(int, bitmap.groups())
        end = bitmap.end() + stride * rows
        data = np.frombuffer(program[bitmap.end() : end], np.uint8).reshape(rows, stride)
        paper.ink(x, y, ~np.unpackbits(data, axis=1).astype(bool))
        paper.note("graphic")
        assert program[end : end + 2] == b"\r\n"
        return end + 2
    end = program.index(b"\r\n", at)
    line = program[at:end].decode("ascii")
    if bar := re.fullmatch(r"BAR (\d+),(\d+),(\d+),(\d+)", line):
        x, y, across, down = map(int, bar.groups())
        paper.ink(x, y, np.ones((down, across), bool))
    elif bars := re.fullmatch(r'BARCODE (\d+),(\d+),"128",(\d+),0,0,(\d+),\4,"(.*)"', line):
        x, y, tall, module = (int(bars.group(n)) for n in (1, 2, 3, 4))
        paper.ink(x, y, _bars(bars.group(5), module, tall))
        paper.note("bars", bars.group(4), bars.group(3), bars.group(5))
    elif qr := re.fullmatch(r'QRCODE (\d+),(\d+),Q,(\d+),A,0,M2,"(.*)"', line):
        paper.ink(int(qr.group(1)), int(qr.group(2)), _matrix(qr.group(4), int(qr.group(3))))
        paper.note("qr", qr.group(3), qr.group(4))
    else:
        assert line in ("GAP 2 mm,0 mm", "DIRECTION 1", "REFERENCE 0,0", "CLS", "PRINT 1,1"), line[:60]
    return end + 2


def _bars(text: str, module: int, height: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    bars = code128_bars(text)
    row = np.zeros(bars.width, bool)
    for offset, width in bars.bars:
        row[offset : offset + width] = True
    return np.tile(np.repeat(row, module), (height, 1))


def _matrix(text: str, module: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.kron(np.array(qr_matrix(text).rows), np.ones((module, module), bool)).astype(bool)
