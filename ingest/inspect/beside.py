"""A stranger's PDF at its true size on A4, with a sheet of ours to its right. Runs in the limited child."""

from pathlib import Path

import pikepdf

from ingest.inspect.limits import MOST_BESIDE
from ingest.inspect.unacceptable import Unacceptable

MARGIN, GAP = 22.68, 17.01
"""Points: 8 and 6 millimetres."""

A4 = (595.276, 841.89)


def set_beside(foreign: Path, own: Path, target: Path) -> None:
    """Write A4 sheets: each page of `foreign` unchanged, and the first page of `own` beside it. Raises Unacceptable.

    Equal input gives equal bytes.
    """
    sheet = pikepdf.new()
    try:
        with pikepdf.open(foreign) as theirs, pikepdf.open(own) as ours:
            if len(theirs.pages) > MOST_BESIDE:
                raise Unacceptable("too_many_beside", pages=len(theirs.pages), limit=MOST_BESIDE)
            for page in theirs.pages:
                _compose(sheet, page, ours.pages[0])
            if not len(sheet.pages):
                raise Unacceptable("no_pages")
            sheet.save(target, deterministic_id=True, compress_streams=True)
    except pikepdf.PdfError as error:
        raise Unacceptable("not_a_pdf") from error


def _compose(sheet: pikepdf.Pdf, page: pikepdf.Page, panel: pikepdf.Page) -> None:
    x0, y0, x1, y1 = (float(edge) for edge in page.trimbox)
    width, height = x1 - x0, y1 - y0
    if int(page.obj.get("/Rotate", 0)) % 180:
        width, height = height, width
    _, _, panel_width, panel_height = (float(edge) for edge in panel.mediabox)
    top, beside = A4[1] - MARGIN, MARGIN + width + GAP
    if beside + panel_width > A4[0] or top - height < 0:
        raise Unacceptable("no_room_beside")
    sheet.add_blank_page(page_size=A4)
    paper = sheet.pages[-1]
    places = (
        ("/Foreign", page, pikepdf.Rectangle(MARGIN, top - height, MARGIN + width, top)),
        ("/Own", panel, pikepdf.Rectangle(beside, top - panel_height, beside + panel_width, top)),
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
