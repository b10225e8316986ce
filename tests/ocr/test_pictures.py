"""Pictures are opened whatever their mode, and never beyond what one page may take."""

import subprocess
import sys
from pathlib import Path

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
    path = tmp_path / f"page.{'tif' if mode == 'CMYK' else 'png'}"
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


@pytest.mark.parametrize(("kind", "outcome"), [("jpeg", "read"), ("png", "picture_too_large")])
def test_a_page_of_280_million_pixels_is_read_or_refused_in_bounded_memory(
    tmp_path: Path, kind: str, outcome: str
) -> None:
    path = tmp_path / f"huge.{kind}"
    Image.new("L", (20_000, 14_000), 250).save(path, quality=60)
    script = (
        "import sys; from pathlib import Path; from ocr.pictures import *\n"
        "try: open_picture(Path(sys.argv[1])); print('read')\n"
        "except UnreadablePicture as refusal: print(refusal.code)\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(int(peak.split()[1]) // 1024)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    said, megabytes = answer.stdout.split()

    assert said == outcome
    assert int(megabytes) < 700
