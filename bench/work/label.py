"""`label COUNT PICTURES`: labels as ZPL and PDF by us, as PDF by WeasyPrint; pictures of them for the other peer."""

import base64
import io
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import qrcode
from weasyprint import HTML

from logistics.labels import W100H150, Label, as_pdf, as_png, as_zpl
from logistics.labels.layout import marks
from logistics.labels.marks import BarsMark, Mark, Plate, QrMark, Rule, Text
from tests.logistics.labels import to_office

SIZE = W100H150


def main(words: Sequence[str]) -> dict[str, object]:
    count, folder = int(words[0]), Path(words[1])
    made = [to_office(seed) for seed in range(count + 1)]
    warm, labels = made[0], made[1:]
    folder.mkdir(exist_ok=True)
    for number, label in enumerate(labels):
        (folder / f"{number:04d}.png").write_bytes(as_png(label, SIZE))
    as_pdf([warm], SIZE)
    _by_weasyprint(warm)
    return {
        "zpl": _pace(labels, lambda label: as_zpl(label, SIZE)),
        "zpl_kilobytes": sum(len(as_zpl(label, SIZE)) for label in labels) / len(labels) / 1000,
        "pdf": _pace(labels, lambda label: as_pdf([label], SIZE)),
        # A tenth is enough to know its pace.
        "weasyprint": _pace(labels[: max(10, count // 10)], _by_weasyprint),
    }


def _pace(labels: Sequence[Label], make: Callable[[Label], object]) -> float:
    begun = time.monotonic()
    for label in labels:
        make(label)
    return len(labels) / (time.monotonic() - begun)


def _by_weasyprint(label: Label) -> bytes:
    body = "".join(map(_html, marks(label, SIZE)))
    style = f"@page {{ size: {SIZE.width}mm {SIZE.height}mm; margin: 0 }} body {{ margin: 0 }} div, img {{ position: absolute }}"
    made: bytes = HTML(string=f"<style>{style}</style>{body}").write_pdf()
    return made


def _html(mark: Mark) -> str:
    at = f"left: {mark.x}mm; top: {mark.y}mm;"
    match mark:
        case Text():
            weight = "bold" if mark.bold else "normal"
            return f'<div style="{at} font: {weight} {mark.size}mm/1 Noto Sans CJK SC; white-space: nowrap">{escape(mark.text)}</div>'
        case Plate():
            box = f"{at} width: {mark.width}mm; height: {mark.height}mm; background: black; color: white"
            return f'<div style="{box}; font-size: {mark.size}mm">{escape(mark.text)}</div>'
        case Rule():
            return (
                f'<div style="{at} width: {mark.width}mm; height: {mark.height}mm; background: black"></div>'
            )
        case QrMark():
            return f'<img style="{at} width: {mark.side}mm" src="data:image/png;base64,{_qr(mark.data)}">'
        case BarsMark():
            # It has no barcodes of its own; a user would bring a picture, which we give it for nothing.
            return f'<div style="{at}">{escape(mark.data)}</div>'


def _qr(data: str) -> str:
    out = io.BytesIO()
    qrcode.make(data, error_correction=qrcode.constants.ERROR_CORRECT_Q).save(out)
    return base64.b64encode(out.getvalue()).decode()
