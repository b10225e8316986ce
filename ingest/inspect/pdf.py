"""PDF: qpdf reads the structure and writes a quiet copy, then each page becomes a static picture.

Pages that may stay what they are in an archival file are copied beside the pictures (see `ingest.inspect.archival`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf

from ingest.inspect import archival, pdf_active, pdf_drawing, pdf_scan
from ingest.inspect.kinds import refuse_second_file
from ingest.inspect.limits import MAX_PAGES, MAX_PDF_OBJECTS
from ingest.inspect.pages import PageWriter
from ingest.inspect.pictures import keep_jpeg
from ingest.inspect.unacceptable import Unacceptable

_TAIL = 4096
_UNREADABLE = (pikepdf.PdfError, pikepdf.QpdfRuntimeError)
"""What qpdf says of a structure that it cannot follow."""


def take_pdf(path: Path, pages: PageWriter, *, password: str | None) -> None:
    """Every page of a PDF, in order, as a picture with its text lines; and those that may stay, as they are."""
    _refuse_tail(path)
    quiet = pages.folder / "quiet.pdf"
    with _opened(path, password) as pdf:
        _check_extent(pdf)
        pages.remove(*pdf_active.found_in(pdf))
        if pdf.is_encrypted:
            pages.note("文件设有密码或使用限制，已按页面内容收下")
        scans = pdf_scan.plan(pdf)
        _save_quiet(pdf, quiet)
        pages.repaired = bool(pdf.get_warnings()) or any(scan.mended for scan in scans)
    staying = archival.collect(quiet, scans, pages.folder)
    with pikepdf.open(quiet) as pdf, pdf_drawing.opened(quiet) as drawing:
        for number, scan in enumerate(scans, start=1):
            try:
                _take_page(pdf, drawing, number, scan, pages, staying.get(number))
            except Unacceptable as why:
                raise why.on_page(number) from why
    quiet.unlink()


def _take_page(
    pdf: pikepdf.Pdf,
    drawing: pdf_drawing.Drawing,
    number: int,
    scan: pdf_scan.PageScan,
    pages: PageWriter,
    vector: int | None,
) -> None:
    if scan.hidden_text:
        pages.remove("扫描页上的隐藏文字层（将重新识别）")
    if scan.is_single_jpeg:
        apart = pdf_scan.extract(pdf, number, scan)
        if apart is not None:
            pages.remove(*apart.removed)
            keep_jpeg(apart, pages, source="extracted", rotation=scan.rotation)
            return
    drawn = drawing.draw(number - 1, scan)
    pages.note(*drawn.notes)
    pages.encode(drawn.picture, dpi=drawn.dpi, source="rendered", text=drawn.text, vector=vector)


@contextmanager
def _opened(path: Path, password: str | None) -> Iterator[pikepdf.Pdf]:
    try:
        pdf = _open_with(path, password)
    except pikepdf.PasswordError as error:
        raise Unacceptable("wrong_password" if password else "locked") from error
    except _UNREADABLE as error:
        raise Unacceptable(_why_unreadable(path, str(error))) from error
    with pdf:
        yield pdf


def _open_with(path: Path, password: str | None) -> pikepdf.Pdf:
    """Old files hash their password as Latin-1, new ones as UTF-8: try both spellings."""
    try:
        return pikepdf.open(path, password=password or "")
    except pikepdf.PasswordError:
        try:
            spelt = (password or "").encode("latin-1")
        except UnicodeEncodeError:
            spelt = b""
        if not password or spelt.isascii():
            raise
        return pikepdf.open(path, password=spelt)


def _why_unreadable(path: Path, said: str) -> str:
    if "encryption" in said:
        with path.open("rb") as file:
            return "locked_to_certificate" if b"Adobe.PubSec" in file.read() else "unsupported_encryption"
    return "not_a_pdf"


def _check_extent(pdf: pikepdf.Pdf) -> None:
    try:
        count = len(pdf.pages)
    except _UNREADABLE as error:
        raise Unacceptable("not_a_pdf") from error
    if count == 0:
        raise Unacceptable("no_pages")
    if count > MAX_PAGES:
        raise Unacceptable("too_many_pages", pages=count, limit=MAX_PAGES)
    if len(pdf.objects) > MAX_PDF_OBJECTS:
        raise Unacceptable("too_heavy")
    if pdf_active.is_dynamic_form(pdf):
        raise Unacceptable("dynamic_form")


def _save_quiet(pdf: pikepdf.Pdf, path: Path) -> None:
    """A copy in plain structure, decrypted, without scripts, attachments, XFA or outline."""
    try:
        pdf_active.silence(pdf)
        pdf.save(path, encryption=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    except (*_UNREADABLE, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Unacceptable("not_a_pdf") from error


def _refuse_tail(path: Path) -> None:
    """Another file hung on behind the last end mark."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    at = tail.rfind(b"%%EOF")
    if at >= 0:
        refuse_second_file(tail[at + 5 :])
