"""The reading of the detector's heat map: one box for each line, however it lies, and none where the network doubts."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ocr.engines.detection import GROWTH, SURE, WARM, lines_in

Heat = npt.NDArray[np.float32]
COOL = np.zeros((120, 200), np.float32)


def heat_of(middle: tuple[float, float], size: tuple[float, float], angle: float, heat: float = 0.9) -> Heat:
    drawn = COOL.copy()
    corners = cv2.boxPoints((middle, size, angle)).round().astype(np.int32)
    cv2.fillPoly(drawn, [corners], heat)
    return drawn


def test_a_line_is_wider_than_its_core_on_every_side() -> None:
    (found,) = lines_in(heat_of((100, 60), (80, 10), 0))

    by = GROWTH * 80 * 10 / (2 * (80 + 10))
    expected = [(60 - by, 55 - by), (140 + by, 55 - by), (140 + by, 65 + by), (60 - by, 65 + by)]
    assert found == pytest.approx(np.array(expected), abs=2.5)  # places are whole, and a little is added


@pytest.mark.parametrize("angle", [-20, -3, 0, 3, 20])
@pytest.mark.parametrize("size", [(80, 10), (10, 80)])
def test_corners_go_clockwise_from_the_top_left_one(size: tuple[float, float], angle: float) -> None:
    (found,) = lines_in(heat_of((100, 60), size, angle))

    first, second, third, fourth = found
    assert first.sum() == min(corner.sum() for corner in found)
    assert second[0] > first[0]
    assert fourth[1] > first[1]
    along, across = second - first, third - second
    assert along[0] * across[1] > along[1] * across[0]
    width, height = np.linalg.norm(second - first), np.linalg.norm(fourth - first)
    assert (width > height) == (size[0] > size[1])


def test_two_lines_are_two_boxes() -> None:
    both = np.maximum(heat_of((100, 30), (80, 10), 0), heat_of((100, 80), (80, 10), 0))

    assert sorted(round(float(corners[:, 1].mean()) / 10) for corners in lines_in(both)) == [3, 8]


@pytest.mark.parametrize("heat", [WARM - 0.01, SURE - 0.05])
def test_what_is_hardly_warm_is_no_line(heat: float) -> None:
    assert list(lines_in(heat_of((100, 60), (80, 10), 0, heat))) == []


def test_a_thread_is_no_line() -> None:
    assert list(lines_in(heat_of((100, 60), (80, 0), 0))) == []


def test_nothing_is_found_in_the_cold() -> None:
    assert list(lines_in(COOL)) == []
