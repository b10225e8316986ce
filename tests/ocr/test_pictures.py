"""Pictures are opened whatever their mode, and never beyond what one page may take."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ocr.engines.rapidocr import RapidOcr
from ocr.pictures import LONGEST_SIDE, UnreadablePicture, open_picture
from ocr.reading import read_page
from tests.ocr.paper import LETTER, Paper
from tests.shared import ROOT


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "RGBA", "LA", "I;16"])
def test_every_mode_is_read(tmp_path: Path, rapid: RapidOcr, mode: str) -> None:
    image = Paper().letter().image
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)
    else:
        image = image.convert(mode)
    path = tmp_path / f"page.{'jpg' if mode == 'CMYK' else 'png'}"
    image.save(path)

    assert read_page(path, rapid).text.replace(",", "，").split("\n") == list(LETTER)


def test_what_is_transparent_is_paper(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "clear.png")

    assert open_picture(tmp_path / "clear.png").blank


def test_exif_turns_are_not_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (60, 40), "white")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    picture = open_picture(tmp_path / "turned.jpg")

    assert (picture.width, picture.height) == (60, 40)


def test_a_large_page_is_read_smaller(rapid: RapidOcr) -> None:
    pixels = np.asarray(Paper().letter().image.resize((1654 * 3, 2339 * 3)))
    page = read_page(pixels, rapid)

    assert max(open_picture(pixels).gray.shape) == LONGEST_SIDE
    assert page.text.replace(",", "，").split("\n") == list(LETTER)
    assert max(y for line in page.lines for _x, y in line.box) > LONGEST_SIDE / 2


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0 broken", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UnreadablePicture) as refused:
        open_picture(tmp_path / "file")

    assert refused.value.code == "picture_unreadable"
    assert refused.value.message.endswith("。")


WORKER_MEMORY = 1536 * 2**20
"""What a reading process may take, whatever the page."""

READER = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
from ocr.engines.choice import make_engine
from ocr.pictures import UnreadablePicture
from ocr.reading import read_page
engine = make_engine("rapidocr")
for path in map(Path, sys.argv[2:]):
    try: print(read_page(path, engine).text.split(chr(10))[0] or "blank")
    except UnreadablePicture as refusal: print(refusal.code)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Paper().letter().save(tmp_path_factory.mktemp("letter") / "letter.jpg")


@pytest.mark.parametrize(
    ("size", "mode", "ending", "options", "outcome"),
    [
        ((20_000, 14_000), "L", "jpg", {"quality": 60}, "blank"),
        ((20_000, 14_000), "RGB", "jpg", {"quality": 60}, "blank"),
        ((20_000, 14_000), "L", "jpg", {"quality": 60, "progressive": True}, "picture_too_large"),
        ((20_000, 14_000), "1", "png", {}, "blank"),
        ((20_000, 14_000), "L", "png", {}, "blank"),
        ((20_000, 14_000), "RGB", "png", {}, "picture_too_large"),
        ((20_000, 16_000), "L", "jpg", {"quality": 60}, "picture_too_large"),
        ((16_000, 11_000), "1", "png", {}, "blank"),
        ((13_000, 13_000), "P", "png", {"transparency": 1}, "blank"),
        ((9_900, 7_000), "RGB", "png", {}, "blank"),
        ((65_000, 60), "L", "jpg", {"quality": 60}, "blank"),
    ],
)
def test_an_enormous_page_is_read_or_refused_by_a_worker_within_its_memory(
    tmp_path: Path,
    letter: Path,
    size: tuple[int, int],
    mode: str,
    ending: str,
    options: dict[str, Any],
    outcome: str,
) -> None:
    """The process is limited by the kernel, has read a page before, and reads another one afterwards."""
    path = tmp_path / f"huge.{ending}"
    Image.new(mode, size, 1 if mode == "1" else 0).save(path, **options)
    limit = str(WORKER_MEMORY)
    answer = subprocess.run(
        [sys.executable, "-c", READER, limit, str(letter), str(path), str(letter)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    before, said, after, kilobytes = answer.stdout.splitlines()

    assert (before, said, after) == (LETTER[0], outcome, LETTER[0])
    assert int(kilobytes) * 1024 <= WORKER_MEMORY


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_page_made_smaller_in_strips_looks_like_one_made_smaller_at_once(tmp_path: Path, mode: str) -> None:
    image = Paper().letter().image.resize((5_750, 8_130)).convert(mode)
    path = tmp_path / "large.png"
    image.save(path)
    picture = open_picture(path)

    at_once = open_picture(np.asarray(image.convert("L" if mode in {"1", "L"} else "RGB")))
    assert (picture.width, picture.height, picture.gray.shape) == (5_750, 8_130, at_once.gray.shape)
    assert float(np.abs(picture.gray.astype(int) - at_once.gray.astype(int)).mean()) < 5
