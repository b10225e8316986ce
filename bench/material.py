"""The pages that go in: the product's own samples, and pages of the shared generator with their truth."""

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import pikepdf
import pillow_heif
import pytest
from PIL import Image

from bench.benchmarks import Missing
from config.demo.samples import Sample, make_samples
from tests.ocr.scans import generate
from tests.shared import SHARED

HIGHEST_SEED = 1_000_000
Item = TypeVar("Item")
_KEPT = tempfile.TemporaryDirectory(prefix="tongban-bench-samples-")  # removed when the process ends


@dataclass(frozen=True)
class Truth:
    """What stands on a page: its text, its exact fields (kind, value), and whether it lies upright."""

    text: str
    fields: Sequence[tuple[str, str]]
    upright: bool


@dataclass(frozen=True)
class Stack:
    """A stack of scanned files, as a user would drop them. Without a `seed` nobody wrote the truth down."""

    name: str
    files: Sequence[Path]
    pages: int
    truths: Sequence[Truth] = ()
    seed: int | None = None


def own_samples(most: int | None) -> Stack:
    """The scanned files of the product's demonstration case.

    The phone photo is turned from HEIC into JPEG for everybody, and the born-digital PDF is left out: the peers
    take neither without more work by the user.
    """
    pillow_heif.register_heif_opener()
    samples = [sample for sample in _samples() if sample.path.suffix != ".pdf"]
    chosen = [(_readable(sample.path), sample.pages) for sample in spread(samples, most)]
    return Stack("samples", [path for path, _ in chosen], sum(pages for _, pages in chosen))


def generated(folder: Path, seed: int, most: int | None) -> Stack:
    """Pages of the shared generator, spread over its kinds. Raises Missing without it or its fonts."""
    if not SHARED.is_dir():
        raise Missing("the shared scan generator is not beside this repository")
    try:
        folder.mkdir()
        scans = spread(generate(folder, seed), most)
    except pytest.skip.Exception as skipped:
        raise Missing(str(skipped)) from skipped
    return Stack(
        f"seed {seed}",
        [scan.path for scan in scans],
        len(scans),
        [Truth(scan.truth, scan.fields, scan.lies == 0) for scan in scans],
        seed,
    )


def any_seed() -> int:
    """One that nobody could tune anything to."""
    return secrets.randbelow(HIGHEST_SEED)


def archive_scans(folder: Path) -> list[Path]:
    """The samples that are JPEG files, saved again at the quality of scans for archives: about a megabyte each."""
    folder.mkdir()
    made = []
    for sample in _samples():
        if sample.path.suffix != ".jpg":
            continue
        copy = folder / sample.path.name
        with Image.open(sample.path) as scan:
            scan.save(copy, "JPEG", quality=95, dpi=scan.info["dpi"])
        made.append(copy)
    return made


def distinct_scans(kinds: Sequence[Path], folder: Path, count: int) -> list[Path]:
    """`count` scans in a new folder, each with bytes of its own: the kinds in turn, numbered in a JPEG comment."""
    folder.mkdir()
    pages = []
    for number in range(count):
        content = kinds[number % len(kinds)].read_bytes()
        comment = b"page %d" % number
        marker = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        path = folder / f"{number:05d}.jpg"
        path.write_bytes(content[:2] + marker + content[2:])
        pages.append(path)
    return pages


def stack_pdf(scans: Sequence[Path], path: Path) -> Path:
    """One PDF whose pages are the JPEG files untouched, as a scanner program makes it."""
    with pikepdf.new() as document:
        for scan in scans:
            with Image.open(scan) as picture:
                (width, height), dpi, gray = picture.size, picture.info["dpi"][0], picture.mode == "L"
            image = pikepdf.Stream(
                document,
                scan.read_bytes(),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=width,
                Height=height,
                BitsPerComponent=8,
                ColorSpace=pikepdf.Name.DeviceGray if gray else pikepdf.Name.DeviceRGB,
                Filter=pikepdf.Name.DCTDecode,
            )
            size = (width * 72 / dpi, height * 72 / dpi)
            page = document.add_blank_page(page_size=size)
            page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=image))
            page.contents_add(f"{size[0]:.4f} 0 0 {size[1]:.4f} 0 0 cm /Scan Do".encode())
        document.save(path)
    return path


@cache
def _samples() -> Sequence[Sample]:
    """Made once for all benchmarks of a run: printing and wearing paper takes a while."""
    return make_samples(Path(_KEPT.name))


def spread(items: Sequence[Item], most: int | None) -> list[Item]:
    """At most `most` of them, evenly over the whole."""
    if most is None or most >= len(items):
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]


def _readable(path: Path) -> Path:
    if path.suffix != ".heic":
        return path
    copy = path.with_suffix(".jpg")
    with Image.open(path) as photo:
        photo.convert("RGB").save(copy, "JPEG", quality=90, dpi=(300, 300))
    return copy
