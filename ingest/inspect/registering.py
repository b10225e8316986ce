"""Finds the signed page that a rescanned sheet shows, and where the two differ. Runs in the limited child.

Both pictures come to the same frame in two steps: a homography from ORB features for the way the sheet lay, then small
shifts tile by tile for paper that is not flat. What is left is judged by local correlation, which neither resolution
nor brightness changes. All boxes that go in or out are in pixels of the pictures as stored.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ingest.inspect.limits import MOST_PLACES
from ingest.inspect.pixels import check_memory
from ingest.inspect.unacceptable import Unacceptable

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]

LONG_SIDE = 1654
"""Working size: A4 at about 140 dots per inch, where a character of a form is 20 pixels tall."""

FEATURES = 4000
RATIO = 0.82
REPROJECTION = 4.0
LEAST_INLIERS = 30
LEAST_AGREEMENT = 0.5
"""Below this share of agreeing ink it is another paper, whatever the features say."""

SURE_AGREEMENT = 0.97
WINDOW = (15, 21)
"""Width and height of what is correlated: a letter or a digit."""

REACH = 2
TILE, TILE_STEP, TILE_REACH = 150, 75, 14
DIFFERS, DIFFERS_IF_READ_ALIKE, DIFFERS_IF_READ_OTHERWISE = 0.70, 0.50, 0.85
"""Correlation below which ink differs: as such, where both were read alike, and where they were not.

They hold for a clean capture; where most of the page agrees less, they fall in proportion.
"""

LEAST_CLEAN = 0.6

LEAST_INK = 0.09
"""Mean ink of a window that is worth looking at, of 1."""

LEAST_AREA = 40
NEAR = 9
EDGE = 24
RED_SHARE = 0.5
RED_STANDS_OUT = 40
OTHER_INK = 0.3


@dataclass(frozen=True)
class Signed:
    """A page of the signed dossier: its picture, and boxes where both texts were read alike or otherwise."""

    path: Path
    alike: Sequence[Box] = ()
    otherwise: Sequence[Box] = ()


@dataclass(frozen=True)
class _Sheet:
    """A picture at the working size: gray, red ink (None without colour), and working pixels for each stored one."""

    gray: Gray
    plain: Gray
    red: NDArray[np.bool_] | None
    scale: float


def register(rescan: Path, pages: Sequence[Signed]) -> dict[str, Any]:
    """The page among `pages` that the rescanned picture shows best, as plain values; `index` None for none of them.

    Raises Unacceptable when a picture that it looks at cannot be opened.
    """
    cv2.setRNGSeed(1)
    sheet = _load(rescan)
    best: dict[str, Any] = {"index": None, "inliers": 0, "agreement": 0.0, "unseen": 0.0, "places": []}
    features = _features(sheet)
    for index, page in enumerate(pages):
        signed = _load(page.path)
        matrix, inliers = _homography(_features(signed), features)
        if matrix is None or not _believable(matrix, signed.gray.shape, sheet.gray.shape):
            continue
        found = _compare(signed, sheet, matrix, page)
        if found["agreement"] > max(best["agreement"], LEAST_AGREEMENT):
            best = {"index": index, "inliers": inliers, **found}
        if best["agreement"] >= SURE_AGREEMENT:
            break
    return best


def _load(path: Path) -> _Sheet:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=["JPEG", "PNG"]) as picture:
                width, height = picture.size
                scale = LONG_SIDE / max(width, height)
                size = max(1, round(width * scale)), max(1, round(height * scale))
                picture.draft("RGB", size)
                check_memory(picture)
                flat = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
                small = np.asarray(flat.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unacceptable("page_unreadable") from error
    if small.ndim == 2:
        return _Sheet(small, small, None, scale)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    rest = np.maximum(small[..., 1], small[..., 2]).astype(np.int16)
    red = (small[..., 0].astype(np.int16) - rest) > RED_STANDS_OUT
    # In the red channel red ink is as light as paper: a seal leaves the print under it alone.
    return _Sheet(gray, np.ascontiguousarray(small[..., 0]), red, scale)


def _features(sheet: _Sheet) -> tuple[Sequence[cv2.KeyPoint], Gray | None]:
    orb = cv2.ORB.create(nfeatures=FEATURES, fastThreshold=12)
    found: Any = orb.detectAndCompute(sheet.gray, None)
    points, described = found  # nothing is described where nothing was found
    return points, described


def _homography(
    signed: tuple[Sequence[cv2.KeyPoint], Gray | None], sheet: tuple[Sequence[cv2.KeyPoint], Gray | None]
) -> tuple[NDArray[np.float64] | None, int]:
    """From working pixels of the signed page to those of the sheet, and how many features say so."""
    if signed[1] is None or sheet[1] is None or min(len(signed[0]), len(sheet[0])) < LEAST_INLIERS:
        return None, 0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(signed[1], sheet[1], k=2)
    good = [one for one, *other in pairs if other and one.distance < RATIO * other[0].distance]
    if len(good) < LEAST_INLIERS:
        return None, 0
    source = np.array([signed[0][match.queryIdx].pt for match in good], np.float32)
    target = np.array([sheet[0][match.trainIdx].pt for match in good], np.float32)
    found: Any = cv2.findHomography(source, target, cv2.USAC_MAGSAC, REPROJECTION, maxIters=4000)
    matrix, mask = found  # both None where no way to lie fits
    inliers = int(mask.sum()) if mask is not None else 0
    if matrix is None or inliers < LEAST_INLIERS:
        return None, inliers
    return np.asarray(matrix, np.float64), inliers


def _believable(matrix: NDArray[np.float64], signed: tuple[int, ...], sheet: tuple[int, ...]) -> bool:
    """A sheet of paper seen by a scanner or a camera: convex, not mirrored, not a sliver."""
    corners = _moved(matrix, _corners((0, 0, signed[1], signed[0])))
    sides = np.roll(corners, -1, axis=0) - corners
    turns = [float(a[0] * b[1] - a[1] * b[0]) for a, b in zip(sides, np.roll(sides, -1, axis=0), strict=True)]
    if min(turns) <= 0:
        return False
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    even = max(
        lengths[0] / lengths[2], lengths[2] / lengths[0], lengths[1] / lengths[3], lengths[3] / lengths[1]
    )
    area = float(cv2.contourArea(corners.astype(np.float32))) / (sheet[0] * sheet[1])
    return bool(even < 1.8 and 0.08 < area < 8)


def _compare(signed: _Sheet, sheet: _Sheet, matrix: NDArray[np.float64], page: Signed) -> dict[str, Any]:
    """How far the two agree, and the places where they do not."""
    coloured = signed.red is not None and sheet.red is not None
    ours = _ink(signed.plain if coloured else signed.gray)
    shape = ours.shape[1], ours.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(
        sheet.plain if coloured else sheet.gray, matrix, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    seen = cv2.warpPerspective(np.full(sheet.gray.shape, 255, np.uint8), matrix, shape, flags=flags)
    seen = cv2.erode(seen, np.ones((EDGE, EDGE), np.uint8), borderValue=0)
    theirs = _ink(np.asarray(warped, np.uint8))
    across, down = _shifts(ours, theirs)
    theirs = np.asarray(cv2.remap(theirs, across, down, cv2.INTER_LINEAR, borderValue=0), np.float32)
    alike = _correlation(ours, theirs)
    mine, other = _mean(ours), _mean(theirs)
    inked = np.maximum(mine, other) > LEAST_INK
    judged = inked & (seen > 0)
    sample = alike[::2, ::2][judged[::2, ::2]]
    clean = float(np.quantile(sample, 0.1)) if sample.size else 1.0
    limit = _limits(ours.shape, signed.scale, page) * np.float32(min(1.0, max(LEAST_CLEAN, clean)))
    # Ink on one side only has nothing to correlate with.
    lone = np.minimum(mine, other) < OTHER_INK * np.maximum(mine, other)
    differs = judged & ((alike < limit) | (lone & (alike < DIFFERS_IF_READ_OTHERWISE)))
    red = _red_beside(signed, sheet, matrix, shape)
    places = list(_places(differs, alike, mine, other, red))
    text = judged if red is None else judged & ~red
    return {
        "agreement": round(float((alike[text] >= limit[text]).mean()), 4) if text.any() else 0.0,
        "unseen": round(float((inked & (seen == 0)).sum() / max(1, int(inked.sum()))), 4),
        "places": [
            {
                "kind": kind,
                "signed": _stored(box, signed.scale),
                "sheet": [
                    [round(float(x) / sheet.scale, 1), round(float(y) / sheet.scale, 1)]
                    for x, y in _moved(matrix, _corners(box))
                ],
            }
            for kind, box in places[:MOST_PLACES]
        ],
        "further": len(places[MOST_PLACES:]),
    }


def _ink(gray: Gray) -> Floats:
    """How much ink is where, 0 for the paper around it and 1 for print: free of light and of the paper's tone."""
    paper = cv2.dilate(gray, np.ones((17, 17), np.uint8))
    paper = cv2.blur(cv2.blur(paper, (41, 41)), (41, 41))
    ink = 1 - gray.astype(np.float32) / np.maximum(paper.astype(np.float32), 1)
    ink = np.clip(ink - 0.06, 0, 1)
    printed = ink[::3, ::3][ink[::3, ::3] > 0.1]
    strong = float(np.percentile(printed, 90)) if printed.size else 1.0
    return np.asarray(cv2.GaussianBlur(np.minimum(ink / strong, 1.0), (0, 0), 0.9), np.float32)


def _shifts(ours: Floats, theirs: Floats) -> tuple[Floats, Floats]:
    """Where each pixel of ours lies in theirs: tiles of text tell, the paper between them bends smoothly."""
    height, width = ours.shape
    tops, lefts = range(0, max(1, height - TILE), TILE_STEP), range(0, max(1, width - TILE), TILE_STEP)
    found = np.full((len(tops), len(lefts), 2), np.nan, np.float32)
    padded = cv2.copyMakeBorder(theirs, *(4 * (TILE_REACH,)), cv2.BORDER_CONSTANT, value=0)
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            tile = ours[top : top + TILE, left : left + TILE]
            if tile.mean() < 0.015:
                continue
            around = padded[top : top + TILE + 2 * TILE_REACH, left : left + TILE + 2 * TILE_REACH]
            scores = cv2.matchTemplate(around, np.ascontiguousarray(tile), cv2.TM_CCOEFF_NORMED)
            _, best, _, at = cv2.minMaxLoc(scores)
            if best > 0.45:
                found[row, column] = at[0] - TILE_REACH, at[1] - TILE_REACH
    across, down = (_filled(found[..., axis], (width, height)) for axis in (0, 1))
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    return xs + across, ys + down


def _filled(shifts: Floats, size: tuple[int, int]) -> Floats:
    """A smooth field through the known shifts; what no tile told is as its neighbours are."""
    known = ~np.isnan(shifts)
    if not known.any():
        return np.zeros((size[1], size[0]), np.float32)
    middle = float(np.median(shifts[known]))
    odd = known & (np.abs(np.nan_to_num(shifts, nan=middle) - middle) > TILE_REACH - 2)
    weight = (known & ~odd).astype(np.float32)
    value = np.where(weight > 0, np.nan_to_num(shifts, nan=0.0), 0).astype(np.float32)
    spread = cv2.GaussianBlur(value, (0, 0), 1.0)
    share = cv2.GaussianBlur(weight, (0, 0), 1.0)
    field = np.where(share > 0.02, spread / np.maximum(share, 0.02), middle).astype(np.float32)
    # The field is made of the middles of tiles; at the edges it goes on as it was.
    step = np.float32(TILE_STEP)
    xs = (np.arange(size[0], dtype=np.float32) - TILE / 2) / step
    ys = (np.arange(size[1], dtype=np.float32) - TILE / 2) / step
    grid = np.meshgrid(xs, ys)
    smooth = cv2.remap(field, grid[0], grid[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32)


def _mean(ink: NDArray[Any]) -> Floats:
    return np.asarray(cv2.boxFilter(np.asarray(ink, np.float32), cv2.CV_32F, WINDOW), np.float32)


def _correlation(ours: Floats, theirs: Floats) -> Floats:
    """For each place the best correlation of the window around it within REACH pixels; -1 to 1."""
    mean, spread = _mean(ours), _spread(ours)
    height, width = ours.shape
    edge = 4 * (REACH,)
    padded = [
        cv2.copyMakeBorder(one, *edge, cv2.BORDER_CONSTANT, value=0)
        for one in (theirs, _mean(theirs), _spread(theirs))
    ]
    best = np.full(ours.shape, -1, np.float32)
    for down in range(2 * REACH + 1):
        for across in range(2 * REACH + 1):
            moved, other, wide = (one[down : down + height, across : across + width] for one in padded)
            joint = _mean(cv2.multiply(ours, moved))
            joint -= cv2.multiply(mean, other)
            joint /= np.maximum(cv2.multiply(spread, wide), 1e-4)
            np.maximum(best, joint, out=best)
    return best


def _spread(ink: Floats) -> Floats:
    """The standard deviation of the window around each place."""
    mean = _mean(ink)
    return np.asarray(np.sqrt(np.maximum(_mean(cv2.multiply(ink, ink)) - mean * mean, 1e-4)), np.float32)


def _limits(shape: tuple[int, ...], scale: float, page: Signed) -> Floats:
    """The correlation that ink must have, place by place."""
    limits = np.full(shape, DIFFERS, np.float32)
    for boxes, limit in ((page.alike, DIFFERS_IF_READ_ALIKE), (page.otherwise, DIFFERS_IF_READ_OTHERWISE)):
        for left, top, right, bottom in boxes:
            rows = slice(max(0, int(top * scale)), max(0, int(bottom * scale) + 1))
            limits[rows, max(0, int(left * scale)) : max(0, int(right * scale) + 1)] = limit
    return limits


def _red_beside(
    signed: _Sheet, sheet: _Sheet, matrix: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """Red ink of the sheet where the signed page has none: a seal that came later."""
    if sheet.red is None:
        return None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    red = cv2.warpPerspective(sheet.red.astype(np.uint8) * 255, matrix, size, flags=flags) > 127
    near = cv2.dilate(red.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    if signed.red is None:
        return near
    known = cv2.dilate(signed.red.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    return near & ~known


def _places(
    differs: NDArray[np.bool_], alike: Floats, mine: Floats, other: Floats, red: NDArray[np.bool_] | None
) -> Iterator[tuple[str, Box]]:
    """Boxes around what differs, the largest first, with what seems to have happened there."""
    joined = cv2.dilate(differs.astype(np.uint8), np.ones((NEAR, 2 * NEAR), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height, _area = (int(value) for value in stats[label])
        rows, columns = slice(top, top + height), slice(left, left + width)
        inside = (labels[rows, columns] == label) & differs[rows, columns]
        area = int(inside.sum())
        if area < LEAST_AREA:
            continue
        kind = "changed"
        if red is not None and float(red[rows, columns][inside].mean()) > RED_SHARE:
            kind = "seal"
        elif float(other[rows, columns][inside].mean()) < OTHER_INK * float(
            mine[rows, columns][inside].mean()
        ):
            kind = "missing"
        elif float(mine[rows, columns][inside].mean()) < OTHER_INK * float(
            other[rows, columns][inside].mean()
        ):
            kind = "added"
        around = WINDOW[0] // 4
        edges = (left - around, top - around, left + width + around, top + height + around)
        found.append((area, kind, edges))
    for _area, kind, edges in sorted(found, key=lambda one: -one[0]):
        yield kind, edges


def _corners(box: Iterable[float]) -> NDArray[np.float64]:
    left, top, right, bottom = box
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def _moved(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.perspectiveTransform(points[None], matrix)[0], np.float64)


def _stored(box: Box, scale: float) -> list[float]:
    return [round(value / scale, 1) for value in box]
