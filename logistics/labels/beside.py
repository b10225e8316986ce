"""The carrier's own label with our code beside it, for carriers that accept only labels of their making."""

import io

import pikepdf

from logistics.labels.label import Label
from logistics.labels.layout import PANEL
from logistics.labels.pdf import A4, POINTS, as_panel

MARGIN_MM, GAP_MM = 8.0, 6.0
MOST_PAGES = 10


class Unfit(ValueError):
    """The carrier's file is no PDF, or its label leaves no room beside it on A4."""


def beside_carrier(carrier: bytes, label: Label) -> bytes:
    """A4 sheets: each page of the carrier's PDF at its true size, nothing of it changed, and our panel to its right.

    The sheet is cut in two, and both are stuck on the bag. Equal input gives equal bytes. Raises `Unfit`.
    """
    sheet = pikepdf.new()
    try:
        with (
            pikepdf.open(io.BytesIO(carrier)) as theirs,
            pikepdf.open(io.BytesIO(as_panel(label))) as ours,
        ):
            for page in theirs.pages[:MOST_PAGES]:
                _compose(sheet, page, ours.pages[0])
            out = io.BytesIO()
            sheet.save(out, deterministic_id=True, compress_streams=True)
    except pikepdf.PdfError as error:
        raise Unfit("not a PDF that can be opened") from error
    return out.getvalue()


def _compose(sheet: pikepdf.Pdf, page: pikepdf.Page, panel: pikepdf.Page) -> None:
    x0, y0, x1, y1 = (float(edge) for edge in page.trimbox)
    width, height = x1 - x0, y1 - y0
    if int(page.obj.get("/Rotate", 0)) % 180:
        width, height = height, width
    left, top = MARGIN_MM * POINTS, (A4[1] - MARGIN_MM) * POINTS
    beside = left + width + GAP_MM * POINTS
    if beside + PANEL[0] * POINTS > A4[0] * POINTS or top - height < 0:
        raise Unfit("too large")
    sheet.add_blank_page(page_size=(A4[0] * POINTS, A4[1] * POINTS))
    paper = sheet.pages[-1]
    places = (
        ("/Carrier", page, pikepdf.Rectangle(left, top - height, left + width, top)),
        (
            "/Panel",
            panel,
            pikepdf.Rectangle(beside, top - PANEL[1] * POINTS, beside + PANEL[0] * POINTS, top),
        ),
    )
    # Drawn under fixed names: add_overlay makes up a new one each time, and equal sheets would differ.
    content = b""
    for name, drawn, place in places:
        form = sheet.copy_foreign(drawn.as_form_xobject())
        paper.add_resource(form, pikepdf.Name.XObject, pikepdf.Name(name))
        content += paper.calc_form_xobject_placement(
            form,
            pikepdf.Name(name),
            place,
            invert_transformations=True,
            allow_shrink=True,
            allow_expand=False,
        )
    paper.Contents = sheet.make_stream(content)
