"""Waybill labels from values alone: PDF, PNG, ZPL, TSPL and sheets of A4."""

from logistics.labels.beside import Unfit, beside_carrier
from logistics.labels.label import SIZES, W76H130, W100H150, W100H180, Label, Party, Size
from logistics.labels.pdf import as_pdf, as_sheets
from logistics.labels.raster import as_png
from logistics.labels.tspl import as_tspl
from logistics.labels.zpl import as_zpl

__all__ = [
    "SIZES",
    "W76H130",
    "W100H150",
    "W100H180",
    "Label",
    "Party",
    "Size",
    "Unfit",
    "as_pdf",
    "as_png",
    "as_sheets",
    "as_tspl",
    "as_zpl",
    "beside_carrier",
]
