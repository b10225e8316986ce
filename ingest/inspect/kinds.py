"""What a file is, decided by its first bytes alone, and whether it pretends to be two things."""

import re
import struct
from typing import Literal

from ingest.inspect.pixels import check_size
from ingest.inspect.unacceptable import Unacceptable

MediaType = Literal["image/jpeg", "image/png", "image/tiff", "application/pdf", "image/heic", "image/webp"]

HEAD_BYTES = 4096
TAIL_BYTES = 65_557  # the longest distance of a ZIP directory end from the end of the file

_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_PDF_READER_WINDOW = 1024  # readers look for the PDF mark this far into a file
_TEXT = re.compile(rb"[\t\r\n\f\x20-\x7e\x80-\xff]+")

_TURNED_AWAY: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office_document"),
    (b"{\\rtf", "office_document"),
    (b"Rar!\x1a\x07", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
)


def media_type_of(head: bytes) -> MediaType:
    """The type whose mark stands at offset 0; anything else is `Unacceptable` with the fitting code."""
    if not head:
        raise Unacceptable("empty")
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(_TIFF_MARKS):
        return "image/tiff"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    raise Unacceptable(_why_turned_away(head))


def _iso_media(head: bytes) -> MediaType:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))}
    if head[8:12] in _AVIF_BRANDS or (brands & _AVIF_BRANDS and not brands & {b"heic", b"heix"}):
        raise Unacceptable("avif")
    if brands & _HEIC_BRANDS:
        return "image/heic"
    raise Unacceptable("video")


def _why_turned_away(head: bytes) -> str:
    if head.startswith(b"GIF8"):
        check_size(*_gif_extent(head))
    if head.startswith(b"PK\x03\x04"):
        if b"OFD.xml" in head:
            return "ofd"
        office = (b"[Content_Types].xml", b"word/", b"xl/", b"ppt/", b"mimetypeapplication/vnd.oasis")
        return "office_document" if any(mark in head for mark in office) else "archive"
    for mark, code in _TURNED_AWAY:
        if head.startswith(mark):
            return code
    return "text_file" if _TEXT.fullmatch(head) else "unknown_type"


def _gif_extent(head: bytes) -> tuple[int, int]:
    """The area that a GIF claims: its screen, stretched to its first frame (which bombs put far outside)."""
    if len(head) < 13:
        return 1, 1
    width, height, flags = *struct.unpack_from("<HH", head, 6), head[10]
    at = 13 + (3 << (1 + (flags & 7)) if flags & 0x80 else 0)
    while head[at : at + 1] == b"!":  # extensions: a label and then blocks, each with its length
        at += 2
        while at < len(head) and head[at]:
            at += 1 + head[at]
        at += 1
    if head[at : at + 1] == b"," and len(head) >= at + 9:
        left, top, across, down = struct.unpack_from("<HHHH", head, at + 1)
        width, height = max(width, left + across), max(height, top + down)
    return max(1, width), max(1, height)


def refuse_two_in_one(media_type: MediaType, head: bytes, tail: bytes) -> None:
    """Refuse a file that another kind of reader would take for something else (a polyglot)."""
    if media_type != "application/pdf" and b"%PDF-" in head[:_PDF_READER_WINDOW]:
        raise Unacceptable("polyglot", other="PDF")
    if _ends_as_zip(tail):
        raise Unacceptable("polyglot", other="ZIP")


def refuse_second_file(trailing: bytes) -> None:
    """Refuse bytes after a picture's end that are a document or a program of their own."""
    marks = ((b"%PDF-", "PDF"), (b"PK\x03\x04", "ZIP"), (b"<script", "HTML"), (b"<?php", "PHP"))
    for mark, name in marks:
        if mark in trailing:
            raise Unacceptable("polyglot", other=name)


def _ends_as_zip(tail: bytes) -> bool:
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return False
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    return at + 22 + comment == len(tail)
