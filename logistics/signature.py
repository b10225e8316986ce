"""The picture of a signature that was drawn on the screen, made here from its lines."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from logistics.rules.handovers import PAD_HEIGHT, PAD_WIDTH, Stroke

PEN = 7


def signature_png(strokes: Sequence[Stroke]) -> bytes:
    """Black on white, one pixel for each unit of the pad. The same lines give the same bytes."""
    picture = Image.new("L", (PAD_WIDTH + 1, PAD_HEIGHT + 1), 255)
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        if len(stroke) > 1:
            pen.line(stroke, fill=0, width=PEN, joint="curve")
        for x, y in stroke:
            pen.ellipse((x - PEN // 2, y - PEN // 2, x + PEN // 2, y + PEN // 2), fill=0)
    out = io.BytesIO()
    picture.convert("1").save(out, "PNG")
    return out.getvalue()
