"""Damaged files for the inspectors: `python -m tests.ingest.fuzzing SECONDS FOLDER [SEED]` keeps in FOLDER whatever was not foreseen.

What it finds belongs into tests/ingest/corpus, shortened by hand where that is easy and named `….bin`, once
it has been mended.
"""

import hashlib
import io
import logging
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pikepdf

from ingest.inspect import Inspection, Pool, inspect_file
from tests.ingest import hostile

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A few bytes changed, cut out or put in, half of the time near the beginning."""
    copy = bytearray(data)
    for _ in range(dice.choice((1, 2, 5, 20))):
        at = dice.randrange(len(copy) if dice.random() < 0.5 else min(len(copy), 600))
        kind = dice.random()
        if kind < 0.7:
            copy[at] = dice.choice((0, 255, 127, dice.randrange(256)))
        elif kind < 0.85:
            del copy[at : at + dice.randrange(1, 40)]
        else:
            copy[at:at] = dice.randbytes(dice.randrange(1, 20))
    return bytes(copy)


def twisted(data: bytes, others: Sequence[bytes], dice: random.Random) -> bytes:
    """Heavier: lengths and counts that lie, parts repeated or taken from another file, an end that is missing."""
    copy = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(copy))
        kind = dice.random()
        if kind < 0.4:
            width = dice.choice((1, 2, 4))
            value = dice.choice(INTERESTING) & ((1 << (8 * width)) - 1)
            copy[at : at + width] = value.to_bytes(width, dice.choice(("big", "little")))
        elif kind < 0.55:
            end = at + dice.randrange(1, 400)
            copy[at:at] = copy[at:end] * dice.choice((1, 2, 50))
        elif kind < 0.7:
            other = dice.choice(others)
            begin = dice.randrange(len(other))
            copy[at:at] = other[begin : begin + dice.randrange(1, 2000)]
        elif kind < 0.8:
            del copy[at : at + dice.randrange(1, len(copy))]
        else:
            copy[:] = damaged(bytes(copy), dice)
        if not copy:
            return b"\0"
    return bytes(copy)


def seeds(folder: Path) -> dict[str, Path]:
    """One sound file of every kind that is taken in."""
    png, webp = folder / "a.png", folder / "a.webp"
    hostile.paper((200, 300)).save(png)
    hostile.paper((200, 300)).save(webp)
    return {
        "jpeg": hostile.jpeg(folder / "a.jpg", exif=hostile.gps_exif(6)),
        "png": png,
        "webp": webp,
        "heic": hostile.heic(folder / "a.heic"),
        "tiff": hostile.tiff(folder / "a.tiff", pages=2),
        "pdf": hostile.pdf_with_poison(folder / "a.pdf"),
    }


def more_seeds(folder: Path) -> dict[str, Path]:
    """Rarer forms of the same kinds."""
    page = hostile.paper((200, 300))
    made: dict[str, bytes] = {}
    for name, mode, form, options in (
        ("progressive.jpg", "RGB", "JPEG", {"progressive": True, "dpi": (300, 300)}),
        ("cmyk.jpg", "CMYK", "JPEG", {}),
        ("gray.jpg", "L", "JPEG", {"comment": b"x" * 100}),
        ("palette.png", "P", "PNG", {"transparency": 3}),
        ("alpha.png", "RGBA", "PNG", {"dpi": (200, 200)}),
        ("fax.tiff", "1", "TIFF", {"compression": "group4", "dpi": (204, 196)}),
        ("lzw.tiff", "RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("jpeg.tiff", "RGB", "TIFF", {"compression": "jpeg"}),
        ("deflate.tiff", "L", "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("lossless.webp", "RGBA", "WEBP", {"lossless": True}),
    ):
        target = io.BytesIO()
        page.convert(mode).save(target, form, **options)
        made[name] = target.getvalue()
    target = io.BytesIO()
    page.save(target, "PDF", resolution=150, save_all=True, append_images=[page.convert("1")])
    made["scan.pdf"] = target.getvalue()
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(made["scan.pdf"])) as document:
        document.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)
    made["streams.pdf"] = target.getvalue()
    for name, content in made.items():
        (folder / name).write_bytes(content)
    hostile.pdf_with_text(folder / "text.pdf", "Hello world")
    hostile.locked_pdf(folder / "locked.pdf", "")
    return {name: folder / name for name in (*made, "text.pdf", "locked.pdf")}


def contradicts_itself(found: Inspection) -> bool:
    """A verdict without a sentence, or pages with a refusal."""
    return not found.reason.endswith("。") or found.refused != (not found.pages)


class _Heard(logging.Handler):
    """What the inspection said in the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def hunt(seconds: float, keep: Path, seed: int) -> int:
    """Inspect damaged files until the time is over; answers how many. What was not foreseen is kept and told."""
    heard = _Heard()
    logging.getLogger("ingest.inspect").addHandler(heard)
    dice = random.Random(seed)
    pool = Pool(size=1)
    told: set[tuple[str, str]] = set()
    tried, until = 0, time.monotonic() + seconds
    keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        sound = {name: path.read_bytes() for name, path in {**seeds(folder), **more_seeds(folder)}.items()}
        while time.monotonic() < until:
            kind = dice.choice(list(sound))
            if dice.random() < 0.4:
                data = damaged(sound[kind], dice)
            else:
                data = twisted(sound[kind], list(sound.values()), dice)
            path = folder / "file"
            path.write_bytes(data)
            begun = time.monotonic()
            with tempfile.TemporaryDirectory(dir=folder) as out:
                found = inspect_file(path, Path(out), pool=pool)
            took = time.monotonic() - begun
            tried += 1
            said = "; ".join(heard.lines) or ("contradiction" if contradicts_itself(found) else "")
            if took > 10:
                said = f"{said} took {took:.0f} s"
            heard.lines.clear()
            if said and (kind, said) not in told:
                told.add((kind, said))
                kept = keep / f"{kind.partition('.')[0]}-{hashlib.sha256(data).hexdigest()[:8]}"
                kept.write_bytes(data)
                print(f"{kept.name} ({found.code}): {said}", flush=True)
    pool.close()
    return tried


if __name__ == "__main__":
    given = sys.argv[1:]
    count = hunt(
        float(given[0]), Path(given[1]), int(given[2]) if len(given) > 2 else random.randrange(10**6)
    )
    print(f"{count} files inspected")
