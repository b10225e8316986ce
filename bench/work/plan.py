"""A dossier's plan over scans whose text is already read."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from bench.work.print import lines_of_print
from dossier.contents import DossierPlan, MaterialPlan, PagePlan, Point, TextLine

MADE = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
PAGES_A_MATERIAL = 20
DPI = 300
CODE = "TB1-D-AB-ABCDEFGHIJKLMNOP-ABCDEFGHIJKLMNOPQRST"


def plan_of(folder: Path, read: Path | None = None) -> DossierPlan:
    """All JPEG files directly in the folder, twenty to a material.

    `read` (JSON) has the lines of each kind of scan, and the scans are these kinds in turn; without it every page is
    full of print.
    """
    said = [[_line(*line) for line in lines] for lines in json.loads(read.read_text())] if read else None
    pages = [_page(path, number, said) for number, path in enumerate(sorted(folder.glob("*.jpg")))]
    materials = tuple(
        MaterialPlan(f"材料{start // PAGES_A_MATERIAL + 1}", tuple(pages[start : start + PAGES_A_MATERIAL]))
        for start in range(0, len(pages), PAGES_A_MATERIAL)
    )
    return DossierPlan(
        case_number="330681-2026-000001",
        version=1,
        item="建筑业企业资质证书变更",
        applicant="诸暨市暨通建筑有限公司",
        office="台州市住房和城乡建设局",
        window="诸暨市行政服务中心通办专窗",
        qr_text=CODE,
        made_at=MADE,
        materials=materials,
        level="B-LTA",
    )


def _line(text: str, box: Sequence[Point], confidence: float) -> TextLine:
    a, b, c, d = ((x, y) for x, y in box)
    return TextLine(text, (a, b, c, d), confidence)


def _page(path: Path, number: int, said: Sequence[Sequence[TextLine]] | None) -> PagePlan:
    content = path.read_bytes()
    with Image.open(path) as picture:
        width, height = picture.size
    return PagePlan(
        path=path,
        media_type="image/jpeg",
        sha256=hashlib.sha256(content).hexdigest(),
        width=width,
        height=height,
        dpi=DPI,
        captured_by="clerk",
        captured_at=MADE,
        lines=said[number % len(said)] if said else _lines(number, width, height),
        reader="bench",
        reader_version="1",
    )


def _lines(number: int, width: int, height: int) -> tuple[TextLine, ...]:
    printed = lines_of_print(number)
    step, left, right = height / (len(printed) + 4), width * 0.12, width * 0.88
    return tuple(
        TextLine(
            text,
            (
                (left, top := step * (row + 2)),
                (right, top),
                (right, top + 0.6 * step),
                (left, top + 0.6 * step),
            ),
            0.98,
        )
        for row, text in enumerate(printed)
    )
