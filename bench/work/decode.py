"""`decode SEEDS`: spoiled labels read by our ladder and by one plain call of zxing-cpp."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import numpy as np
import zxingcpp
from PIL import Image

from ingest.codes import CODE128, QR, read_codes
from logistics.labels import SIZES
from logistics.labels.raster import draw, to_ink
from tests.logistics.labels import to_office
from tests.logistics.misfortunes import MISFORTUNES


def main(words: Sequence[str]) -> dict[str, object]:
    ways: dict[str, Callable[[Image.Image], set[str]]] = {"ours": _ladder, "plain": _plain}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    right = dict.fromkeys(ways, 0)
    for picture, code in _spoiled(int(words[0])):
        for name, read in ways.items():
            begun = time.monotonic()
            found = read(picture)
            seconds[name].append(time.monotonic() - begun)
            right[name] += code in found
    images = len(seconds["ours"])
    return {
        "images": images,
        **{f"{name}_ms": 1000 * median(times) for name, times in seconds.items()},
        **{f"{name}_share": 100 * count / images for name, count in right.items()},
    }


def _spoiled(seeds: int) -> Iterator[tuple[Image.Image, str]]:
    for misfortune in MISFORTUNES.values():
        for size in SIZES.values():
            for seed in range(seeds):
                label = to_office(seed)
                picture = to_ink(draw(label, size, dpi=203)).convert("L")
                yield misfortune(picture, np.random.default_rng([seed, size.height])), label.code


def _ladder(picture: Image.Image) -> set[str]:
    return {code.text for code in read_codes(picture, expect=(QR, CODE128))}


def _plain(picture: Image.Image) -> set[str]:
    return {code.text for code in zxingcpp.read_barcodes(picture)}
