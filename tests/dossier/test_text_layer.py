"""The text layer at its limits: many characters, crooked lines, and what it costs."""

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dossier.assemble import assemble
from dossier.assemble.charcodes import BYTES, ONE_BYTE, CharCodes
from dossier.contents import PagePlan, TextLine
from tests.dossier.paper import draw_page, plan_of
from tests.dossier.test_assemble import FIRST_SCAN, mutool, pdfium, pdftotext
from tests.verapdf import assert_pdfa

COMMON = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"


def written(page: PagePlan, texts: list[str], *, skew: float = 0) -> PagePlan:
    """`texts` one below the other; each line rises by `skew` pixels over its length."""
    step = 1600 / len(texts)
    lines = []
    for index, text in enumerate(texts):
        top, height = 80 + index * step, min(0.7 * step, 30)
        width = min(height * len(text), 1100)
        box = ((90, top), (90 + width, top - skew), (90 + width, top - skew + height), (90, top + height))
        lines.append(TextLine(text, box, 0.99))
    return replace(page, lines=tuple(lines))


@pytest.mark.parametrize("skew", [0, 2, 12])
@pytest.mark.parametrize("reader", [pdftotext, mutool, pdfium])
def test_a_thousand_different_characters_come_out_exactly(
    tmp_path: Path, reader: Callable[[Path, int], str], skew: float
) -> None:
    """More than have short codes: both lengths stand in one line, beside every byte that a string must escape."""
    rare = [chr(0x4E00 + 19 * number) for number in range(1000)]
    texts = ["".join(rare[start : start + 25]) + "（a\\b)" for start in range(0, 1000, 25)]
    made = assemble(
        plan_of(written(draw_page(tmp_path / "a.jpg", lines=()), texts, skew=skew)), tmp_path / "o.pdf"
    )
    found = reader(made.path, FIRST_SCAN).replace("\r", "").replace("\f", "").split()
    assert "".join(found) == "".join(texts)
    if reader is not pdfium or not skew:
        assert found == texts


def test_many_characters_are_still_archival(tmp_path: Path) -> None:
    texts = ["".join(chr(0x4E00 + 31 * (40 * row + place)) for place in range(40)) for row in range(15)]
    assert_pdfa(
        assemble(plan_of(written(draw_page(tmp_path / "a.jpg", lines=()), texts)), tmp_path / "o.pdf").path
    )


def test_codes_are_prefix_free_and_shortest_for_the_most_frequent() -> None:
    codes = CharCodes(["的" * 50 + "一" * 40] + [chr(0x4E00 + number) for number in range(3000)])
    pairs = dict(codes.pairs())
    short = [code for code in pairs if len(code) == 1]
    assert len(short) == ONE_BYTE
    assert {pairs[code] for code in short} >= {"的", "一"}
    assert not {code[:1] for code in pairs if len(code) == 2} & set(short)
    assert not set(b"".join(pairs)) & set(b"()\\\r\n")


def test_more_characters_than_codes_read_as_unknown() -> None:
    capacity = ONE_BYTE + (len(BYTES) - ONE_BYTE) * len(BYTES)
    codes = CharCodes([chr(0x20000 + number) for number in range(capacity + 10)])
    assert codes.encode(chr(0x20000 + capacity + 5)) == codes.encode("\ufffd")
    assert len(dict(codes.pairs())) == capacity


def cost(folder: Path, characters: int, pages: int) -> int:
    """Bytes a page beyond the images, of one page more."""
    base = draw_page(folder / "a.jpg", lines=())
    dice = random.Random(7)

    def one() -> PagePlan:
        texts = ["".join(dice.choices(COMMON, k=30)) for _ in range(characters // 30)]
        return written(base, texts, skew=dice.choice((0, 1, 2)))

    made = [
        assemble(plan_of(*(one() for _ in range(count))), folder / f"{count}.pdf").size
        for count in (20, 20 + pages)
    ]
    return (made[1] - made[0]) // pages - base.path.stat().st_size


def test_an_ordinary_page_costs_little(tmp_path: Path) -> None:
    """The characters here are drawn at random, so that they compress no better than their frequency allows."""
    assert cost(tmp_path, 600, 60) < 1200


def test_a_dense_page_costs_hardly_more_than_its_letters(tmp_path: Path) -> None:
    """1,200 characters out of 70 hold 920 bytes of information; place, structure, manifest and index come on top."""
    assert cost(tmp_path, 1200, 60) < 1750


PROBE = """
import hashlib, sys
from datetime import UTC, datetime
from pathlib import Path
from PIL import Image
from dossier.assemble import assemble
from dossier.contents import DossierPlan, MaterialPlan, PagePlan, TextLine
folder, count = Path(sys.argv[1]), int(sys.argv[2])
small = folder / "small.jpg"
Image.new("L", (1240, 1754), 250).save(small, quality=30)
digest = hashlib.sha256(small.read_bytes()).hexdigest()
lines = tuple(
    TextLine(sys.argv[3][row : row + 30], ((90, y), (1000, y), (1000, y + 30), (90, y + 30)), 0.99)
    for row, y in enumerate(range(100, 1500, 45))
)
pages = tuple(PagePlan(small, "image/jpeg", digest, 1240, 1754, 150, lines=tuple(lines)) for _ in range(count))
plan = DossierPlan(
    case_number="1", version=1, item="x", applicant="x", office="x", window="x", qr_text="x",
    made_at=datetime(2026, 3, 1, tzinfo=UTC), materials=(MaterialPlan("材料", pages),), level="B-LTA",
)
made = assemble(plan, folder / "out.pdf")
# Not ru_maxrss: that one remembers the parent that this process was forked from.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, made.page_count)
"""


def peak_of(folder: Path, pages: int) -> int:
    """MiB that a process needs at most for a dossier of so many small pages."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(folder), str(pages), COMMON],
        capture_output=True,
        text=True,
        check=True,
    )
    mebibytes, count = (int(word) for word in done.stdout.split())
    assert count > pages
    return mebibytes


def test_two_thousand_pages_stay_within_the_limit(tmp_path: Path) -> None:
    few, many = peak_of(tmp_path, 20), peak_of(tmp_path, 2000)
    assert many <= 120, f"{many} MiB"
    assert many - few <= 20, f"{few} MiB at 20 pages, {many} MiB at 2,000"
