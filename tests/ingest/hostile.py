"""Awkward and hostile files, made on the spot so that the tests need nothing from outside."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pikepdf
import pillow_heif
import zxingcpp
from PIL import ExifTags, Image, ImageDraw, TiffImagePlugin


def paper(size: tuple[int, int] = (620, 877), mode: str = "RGB") -> Image.Image:
    """A page with marks in its four corners that differ, so that turns and mirrors show."""
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    width, height = size
    step = min(size) // 8
    draw.rectangle((0, 0, step, step), fill=(200, 30, 30))
    draw.rectangle((width - step, 0, width, step), fill=(30, 120, 30))
    draw.rectangle((0, height - step, step, height), fill=(30, 30, 200))
    for row in range(5):
        draw.line(
            (step * 2, step * (2 + row), width - step * 2, step * (2 + row)), fill=(20, 20, 20), width=3
        )
    return page.convert(mode)


def gps_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Somebody"
    rational = TiffImagePlugin.IFDRational
    exif[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (rational(29), rational(42), rational(5190, 100)),
    }
    return exif


def jpeg(path: Path, *, exif: Image.Exif | None = None, dpi: int | None = 200, mode: str = "RGB") -> Path:
    extra: dict[str, object] = {}
    if exif is not None:
        extra["exif"] = exif.tobytes()
    if dpi is not None:
        extra["dpi"] = (dpi, dpi)
    paper(mode=mode).save(path, "JPEG", quality=85, **extra)
    return path


def png_of(width: int, height: int, *, body: bytes = b"") -> bytes:
    """A gray PNG that claims a size; its picture data is `body`."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def qr(text: str, *, dots: int = 6) -> Image.Image:
    """A QR code, so many pixels a module."""
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    return Image.fromarray(np.asarray(symbol.to_image(scale=dots, add_quiet_zones=True)))


def heic(path: Path) -> Path:
    picture = pillow_heif.from_pillow(paper())
    picture.info["exif"] = gps_exif().tobytes()
    picture.save(path, quality=60)
    return path


def tiff(path: Path, *, pages: int = 3, compression: str = "group4") -> Path:
    frames = [paper((600 + 10 * number, 800), "1") for number in range(pages)]
    frames[0].save(
        path, "TIFF", compression=compression, dpi=(200, 200), save_all=True, append_images=frames[1:]
    )
    return path


def pdf_with_text(path: Path, text: str = "Hello world") -> Path:
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(300, 200))
    page.Resources = pikepdf.Dictionary(
        Font=pikepdf.Dictionary(
            F1=pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            )
        )
    )
    page.Contents = pdf.make_stream(f"BT /F1 24 Tf 30 100 Td ({text}) Tj ET".encode())
    pdf.save(path)
    return path


def pdf_of_jpeg(
    path: Path, image: bytes, size: tuple[int, int], *, rotate: int = 0, hidden: str = ""
) -> Path:
    """A scanner's PDF: one page that is nothing but one JPEG, perhaps with an invisible text layer."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    picture = pdf.make_stream(
        image,
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=size[0],
        Height=size[1],
        ColorSpace=pikepdf.Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    page.Resources = pikepdf.Dictionary(
        XObject=pikepdf.Dictionary(Im0=picture), Font=pikepdf.Dictionary(F1=font)
    )
    text = f" BT 3 Tr /F1 12 Tf 50 700 Td ({hidden}) Tj ET" if hidden else ""
    page.Contents = pdf.make_stream(f"q 595 0 0 842 0 0 cm /Im0 Do Q{text}".encode())
    page.Rotate = rotate
    pdf.save(path)
    return path


def pdf_with_poison(path: Path) -> Path:
    """Document JavaScript, a Launch link, an attachment and an XFA form around one plain page."""
    pdf_with_text(path)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('x')")
        pdf.Root.OpenAction = pdf.make_indirect(script)
        launch = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")
        pdf.pages[0].Annots = pikepdf.Array(
            [
                pdf.make_indirect(
                    pikepdf.Dictionary(
                        Type=pikepdf.Name.Annot,
                        Subtype=pikepdf.Name.Link,
                        Rect=[0, 0, 50, 50],
                        A=launch,
                    )
                )
            ]
        )
        pdf.attachments["note.txt"] = b"hidden"
        field = pdf.make_indirect(pikepdf.Dictionary(T="a", FT=pikepdf.Name.Tx))
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[field], XFA=pdf.make_stream(b"<xdp/>"))
        pdf.save(path)
    return path


def locked_pdf(path: Path, password: str) -> Path:
    pdf_with_text(path)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user=password, owner="owner"))
    return path


def flate_bomb_pdf(path: Path, *, mebibytes: int = 2048) -> Path:
    """Drawing instructions that unpack to gigabytes: blanks pressed a thousandfold, twice."""
    block = b" " * (1024 * 1024)
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # stands alone, so it can be repeated
    checksum = 1
    for _ in range(mebibytes):
        checksum = zlib.adler32(block, checksum)
    once = b"\x78\xda" + packed * mebibytes + b"\x03\x00" + struct.pack(">I", checksum)
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    stream = pdf.make_stream(zlib.compress(once, 9))
    stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
    page.Contents = stream
    pdf.save(path, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    return path


def jpeg_and_zip(path: Path) -> Path:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.txt", "hidden")
    picture = io.BytesIO()
    paper().save(picture, "JPEG")
    path.write_bytes(picture.getvalue() + archive.getvalue())
    return path


def jpeg_and_pdf(path: Path) -> Path:
    """A JPEG whose comment opens a PDF within the first kilobyte."""
    picture = io.BytesIO()
    paper().save(picture, "JPEG")
    data = picture.getvalue()
    comment = b"%PDF-1.4\n1 0 obj<<>>endobj\n"
    path.write_bytes(data[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + data[2:])
    return path
