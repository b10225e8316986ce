"""Papers printed twice and captured twice: what a window scanned, and what an office scans again later."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageChops

from config.demo.samples import tell, wear
from config.demo.samples.seals import round_seal, stamp
from config.demo.samples.story import Story
from config.demo.samples.typesetting import drawn, set_papers
from ingest.inspect import Place

PAPERS = ("application", "changes", "licence", "household_member", "certificate_copy", "authorisation")
DPI = 200
Box = tuple[int, int, int, int]


@cache
def printed(seed: int, **changed: str) -> dict[str, Image.Image]:
    """The papers of a seed's story as they leave the printer, some words of it changed."""
    words = replace(tell(seed), **changed).words
    return dict(zip(PAPERS, drawn(set_papers(PAPERS, words), DPI), strict=True))


def another_digit(number: str, at: int, dice: np.random.Generator) -> str:
    """The same number with one other digit at a place."""
    others = [digit for digit in "0123456789" if digit != number[at]]
    return number[:at] + str(dice.choice(others)) + number[at + 1 :]


def story(seed: int) -> Story:
    return tell(seed)


def truth(before: Image.Image, after: Image.Image) -> list[Box]:
    """Boxes around what differs between two prints, in their pixels."""
    differs = np.asarray(ImageChops.difference(before.convert("L"), after.convert("L"))) > 60
    # A hair's breadth of another spacing is no other letter: what differs is wider than an edge.
    differs = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    joined = cv2.dilate(differs.astype(np.uint8), np.ones((9, 15), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    return [
        (int(left), int(top), int(left + width), int(top + height))
        for left, top, width, height, _ in stats[1:count]
    ]


def at_window(paper: Image.Image, path: Path, seed: int) -> Path:
    """The window's scan: flatbed, colour."""
    wear.scanned(paper, np.random.default_rng(seed)).save(path, "JPEG", quality=82, dpi=(DPI, DPI))
    return path


@dataclass(frozen=True)
class Again:
    """How the office captures it: `scale` of the resolution, degrees of turn, `light` as a factor, by hand or not."""

    scale: float = 1.0
    skew: float = 0.0
    light: float = 1.0
    gray: bool = False
    quarter_turns: int = 0
    stamped: bool = False
    photo: bool = False


WAYS = {
    "flat": Again(),
    "low resolution": Again(scale=0.75, skew=0.6),
    "skewed": Again(skew=2.4),
    "dark and gray": Again(skew=-0.8, light=0.72, gray=True),
    "bright": Again(light=1.15, skew=0.3),
    "upside down": Again(quarter_turns=2, skew=0.4),
    "stamped": Again(skew=-0.5, stamped=True),
    "photo": Again(photo=True),
}


def at_office(paper: Image.Image, path: Path, seed: int, way: Again) -> Path:
    """The office's capture of a paper."""
    dice = np.random.default_rng(seed + 7919)
    sheet = paper.copy()
    if way.stamped:
        plate = round_seal("台州市住房和城乡建设局", diameter=round(42 / 25.4 * DPI), middle="收件专用章")
        stamp(sheet, plate, (round(sheet.width * 0.62), round(sheet.height * 0.4)), dice)
    if way.scale != 1:
        size = round(sheet.width * way.scale), round(sheet.height * way.scale)
        sheet = sheet.resize(size, Image.Resampling.LANCZOS)
    if way.photo:
        tall = sheet.height >= sheet.width
        scan = wear.photographed(sheet, dice, size=(2448, 3264) if tall else (3264, 2448))
    else:
        scan = wear.scanned(sheet, dice, skew=way.skew, noise=4.5, gray=way.gray)
    if way.light != 1:
        scan = scan.point(lambda level: min(255, int(level * way.light)))
    for _ in range(way.quarter_turns):
        scan = scan.transpose(Image.Transpose.ROTATE_90)
    scan.save(path, "JPEG", quality=78)
    return path


def hits(places: tuple[Place, ...], boxes: list[Box]) -> tuple[int, int]:
    """How many of the true boxes are marked, and how many marks that count lie elsewhere."""
    marks = [place.signed for place in places if place.kind != "seal"]
    found = sum(any(_meet(box, mark) for mark in marks) for box in boxes)
    elsewhere = sum(not any(_meet(box, mark) for box in boxes) for mark in marks)
    return found, elsewhere


def _meet(one: Box, other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
