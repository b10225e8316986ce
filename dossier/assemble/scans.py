"""Captured pages on A4: true size where it fits, upright, the image untouched."""

from dataclasses import dataclass

from dossier.assemble.draw import A4
from dossier.assemble.writer import number
from dossier.contents import PagePlan

SMALLEST_DPI = 30


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies, in points of unrotated page space (origin bottom left)."""

    page_width: float
    page_height: float
    rotate: int
    x: float
    y: float
    width: float
    height: float

    def paint(self, resource: str) -> str:
        numbers = " ".join(number(value) for value in (self.width, 0, 0, self.height, self.x, self.y))
        return f"q {numbers} cm /{resource} Do Q"

    def paint_form(self, resource: str, box: tuple[float, float, float, float]) -> str:
        """The same for a form whose box is not the unit square."""
        left, bottom, right, top = box
        across, down = self.width / (right - left), self.height / (top - bottom)
        matrix = (across, 0, 0, down, self.x - left * across, self.y - bottom * down)
        return f"q {' '.join(number(value) for value in matrix)} cm /{resource} Do Q"

    def scale(self, page: PagePlan) -> tuple[float, float, float, float]:
        """For the text layer: left edge, top edge, points a pixel across and down."""
        return self.x, self.y + self.height, self.width / page.width, self.height / page.height


def place(page: PagePlan) -> Placement:
    """A4 portrait, or landscape when the upright image is wide and too wide for portrait at true size.

    Images larger than the sheet, or of unknown resolution, are fitted to it.
    """
    turned = page.rotation in (90, 270)
    seen_width, seen_height = (page.height, page.width) if turned else (page.width, page.height)
    points = 72 / page.dpi if page.dpi >= SMALLEST_DPI else float("inf")
    short, long = A4
    landscape = seen_width > seen_height and seen_width * points > short * 1.02
    sheet_width, sheet_height = (long, short) if landscape else (short, long)
    factor = min(points, sheet_width / seen_width, sheet_height / seen_height)
    page_width, page_height = (sheet_height, sheet_width) if turned else (sheet_width, sheet_height)
    width, height = page.width * factor, page.height * factor
    return Placement(
        page_width,
        page_height,
        page.rotation,
        (page_width - width) / 2,
        (page_height - height) / 2,
        width,
        height,
    )
