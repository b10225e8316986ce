"""Papers as they leave the printer: templates filled with the story, set by WeasyPrint, drawn by PDFium."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import pypdfium2
import qrcode
from PIL import Image
from weasyprint import HTML

_PAPERS = Path(__file__).parent / "papers"
_POINTS_PER_INCH = 72


def set_papers(names: Sequence[str], words: Mapping[str, str]) -> bytes:
    """One PDF with the named papers one after another."""
    style = (_PAPERS / "common.css").read_text(encoding="utf-8")
    sheets = "\n".join(_filled(name, words) for name in names)
    page = f'<!doctype html><html lang="zh-CN"><head><title>材料</title><style>{style}</style></head><body>{sheets}</body></html>'
    made = HTML(string=page, base_url=str(_PAPERS)).write_pdf(
        pdf_identifier=b"tongban-sample", uncompressed_pdf=False
    )
    assert made is not None
    return bytes(made)


def drawn(pdf: bytes, dpi: int) -> list[Image.Image]:
    """Every page of a PDF as an RGB picture."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / _POINTS_PER_INCH).to_pil().convert("RGB") for page in document]
    finally:
        document.close()


def _filled(name: str, words: Mapping[str, str]) -> str:
    text = (_PAPERS / f"{name}.html").read_text(encoding="utf-8")
    return Template(text).substitute(words, guilloche=guilloche(), qr=_qr_picture(words))


def guilloche() -> str:
    """Fine crossing waves as on certificates, as SVG paths."""
    lines = []
    for row in range(26):
        points = " ".join(
            f"{x:.1f},{row * 8 + 6 * math.sin(x / 9 + row * 0.7):.1f}" for x in range(0, 290, 2)
        )
        lines.append(f'<polyline points="{points}"/>')
    return "".join(lines)


def _qr_picture(words: Mapping[str, str]) -> str:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=8, border=1)
    code.add_data(f"sample:{words['certificate']}")
    target = io.BytesIO()
    code.make_image().save(target)
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
