"""The two engines, each loaded once."""

import pytest

from ocr.engines.rapidocr import RapidOcr
from ocr.engines.tesseract import Tesseract


@pytest.fixture(scope="session")
def rapid() -> RapidOcr:
    return RapidOcr()


@pytest.fixture(scope="session")
def tesseract() -> Tesseract:
    return Tesseract()
