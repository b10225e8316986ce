"""How a seal shows on the page: its picture as a mask of ink, so that paper shines through and bytes stay few."""

import zlib
from dataclasses import dataclass

from PIL import Image
from pyhanko.pdf_utils.content import PdfContent, ResourceType
from pyhanko.pdf_utils.generic import (
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    pdf_name,
)
from pyhanko.pdf_utils.layout import AxisAlignment, BoxConstraints, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.stamp import StaticStampStyle


@dataclass(frozen=True)
class Appearance:
    """A visible signature: the picture (RGBA, one ink), and where it goes when the field does not exist yet.

    `page` counts from 0 (-1 is the last page); `box` is left, bottom, right, top in points.
    """

    picture: Image.Image
    page: int = 0
    box: tuple[float, float, float, float] = (0, 0, 119, 119)


class InkPicture(PdfContent):
    """One colour painted through an 8-bit mask."""

    def __init__(self, picture: Image.Image) -> None:
        super().__init__(box=BoxConstraints(width=picture.width, height=picture.height))
        self._picture = picture

    def render(self) -> bytes:
        mask = self._picture.getchannel("A")
        ink = self._picture.getpixel((0, 0))
        if not isinstance(ink, tuple):
            raise TypeError("a seal's picture must be RGBA")
        mask_ref = self._ensure_writer.add_object(_image(mask.tobytes(), *mask.size, "/DeviceGray"))
        colour = _image(bytes(ink[:3]), 1, 1, "/DeviceRGB")
        colour[pdf_name("/SMask")] = mask_ref
        self.set_resource(ResourceType.XOBJECT, pdf_name("/Seal"), self._ensure_writer.add_object(colour))
        return b"%d 0 0 %d 0 0 cm /Seal Do" % (mask.width, mask.height)


def stamp_style(appearance: Appearance) -> StaticStampStyle:
    rule = SimpleBoxLayoutRule(
        x_align=AxisAlignment.ALIGN_MID,
        y_align=AxisAlignment.ALIGN_MID,
        margins=Margins.uniform(0),
        inner_content_scaling=InnerScaling.STRETCH_TO_FIT,
    )
    return StaticStampStyle(
        background=InkPicture(appearance.picture),
        background_opacity=1.0,
        border_width=0,
        background_layout=rule,
    )


def _image(data: bytes, width: int, height: int, colours: str) -> StreamObject:
    head: dict[NameObject, PdfObject] = {
        pdf_name("/Type"): pdf_name("/XObject"),
        pdf_name("/Subtype"): pdf_name("/Image"),
        pdf_name("/Width"): NumberObject(width),
        pdf_name("/Height"): NumberObject(height),
        pdf_name("/ColorSpace"): pdf_name(colours),
        pdf_name("/BitsPerComponent"): NumberObject(8),
        pdf_name("/Filter"): pdf_name("/FlateDecode"),
    }
    return StreamObject(head, encoded_data=zlib.compress(data, 9))
