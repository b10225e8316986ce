"""Attacks on a sealed dossier by whoever may append to it, or laid content into it before it was sealed."""

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from dossier.contents import OFFICE_RECEIPT, WINDOW_SEAL
from dossier.verify import Status
from tests.dossier.paper import SealOffice
from tests.dossier.test_verify import judge


def incremental(source: Path, target: Path, change: Callable[[IncrementalPdfFileWriter], None]) -> Path:
    with source.open("rb") as file:
        writer = IncrementalPdfFileWriter(file)
        change(writer)
        with target.open("wb") as out:
            writer.write(out)
    return target


def overlay(writer: IncrementalPdfFileWriter) -> None:
    stream = writer.add_object(generic.StreamObject(stream_data=b"1 0 0 rg 100 100 300 300 re f"))
    writer.add_stream_to_page(2, stream)


def annotation(writer: IncrementalPdfFileWriter) -> None:
    page = writer.find_page_for_modification(2)[0].get_object()
    note = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Square"),
            generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (50, 50, 500, 700))),
            generic.pdf_name("/IC"): generic.ArrayObject(map(generic.NumberObject, (1, 1, 1))),
        }
    )
    page[generic.pdf_name("/Annots")] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page)


def image_swap(writer: IncrementalPdfFileWriter) -> None:
    page = writer.find_page_for_modification(2)[0].get_object()
    other = writer.find_page_for_modification(3)[0].get_object()
    page["/Resources"]["/XObject"][generic.pdf_name("/Scan")] = other["/Resources"]["/XObject"].raw_get(
        "/Scan"
    )
    writer.update_container(page["/Resources"]["/XObject"])


def seal_swap(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    form = generic.StreamObject(stream_data=b"0 0 1 rg 0 0 119 119 re f")
    form[generic.pdf_name("/Type")] = generic.pdf_name("/XObject")
    form[generic.pdf_name("/Subtype")] = generic.pdf_name("/Form")
    form[generic.pdf_name("/BBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 119, 119)))
    field["/AP"][generic.pdf_name("/N")] = writer.add_object(form)
    writer.update_container(field)


def attachment(writer: IncrementalPdfFileWriter) -> None:
    from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file

    embedded = EmbeddedFileObject.from_file_data(writer, b"secret", mime_type="text/plain")
    embed_file(writer, FileSpec("extra.txt", embedded_data=embedded))


def contents_swap(writer: IncrementalPdfFileWriter) -> None:
    """What hides the page lies in the signed file already: only a reference is new."""
    page = writer.find_page_for_modification(2)[0].get_object()
    page[generic.pdf_name("/Contents")] = (
        writer.find_page_for_modification(3)[0].get_object().raw_get("/Contents")
    )
    writer.update_container(page)


def page_tree_swap(writer: IncrementalPdfFileWriter) -> None:
    """The catalogue points to a tree of pages that shows one page twice and leaves another out."""
    pages = generic.DictionaryObject(writer.root["/Pages"])
    kids = generic.ArrayObject(pages["/Kids"])
    kids[2] = kids[3]
    pages[generic.pdf_name("/Kids")] = kids
    writer.root[generic.pdf_name("/Pages")] = writer.add_object(pages)
    writer.update_root()


@pytest.mark.parametrize(
    "attack", [overlay, annotation, image_swap, seal_swap, attachment, contents_swap, page_tree_swap]
)
def test_incremental_attacks(
    tmp_path: Path, countersigned: Path, seals: SealOffice, attack: Callable[[IncrementalPdfFileWriter], None]
) -> None:
    bad = incremental(countersigned, tmp_path / "bad.pdf", attack)
    status, reason = judge(bad, seals)
    assert status is Status.INVALID
    assert "签章之后" in reason or "清单" in reason


@pytest.mark.parametrize("signatures", [1, 2])
def test_shadow_content_laid_in_before_sealing_and_shown_after(
    tmp_path: Path, unsigned: Path, seals: SealOffice, signatures: int
) -> None:
    """Hide and replace: an insider lays a second body for a page's content into the file before it is sealed; nothing
    points to it. After the seals a new cross-reference table does, and not one byte of what was signed has changed."""
    prepared, honest = tmp_path / "prepared.pdf", unsigned.read_bytes()
    with pikepdf.open(unsigned) as pdf:
        number = pdf.pages[2].obj.Contents.objgen[0]
    body = b"%d 0 obj\n<</Length 28>>\nstream\n1 0 0 rg 100 100 300 300 re f\nendstream\nendobj\n" % number
    offset = len(honest)
    end = honest[honest.rindex(b"startxref") :]
    prepared.write_bytes(honest + body + end)
    path = seals.seal(prepared, tmp_path / "sealed.pdf", WINDOW_SEAL, clean=False)
    if signatures == 2:
        path = seals.seal(path, tmp_path / "twice.pdf", OFFICE_RECEIPT, signer=seals.office)
    content = path.read_bytes()
    assert content[offset : offset + len(body)] == body, "the seal covers the hidden body"
    assert judge(path, seals)[0] is Status.VALID, "as long as nothing points to it, it is not shown"
    with pikepdf.open(path) as pdf:
        size, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
        identity = b"".join(b"<%s>" % bytes(part).hex().encode() for part in pdf.trailer.ID)
    before = int(content[content.rindex(b"startxref") + 9 :].split()[0])
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<</Size %d/Root %d 0 R/Prev %d/ID[%s]>>\nstartxref\n%d\n%%%%EOF\n"
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(content + table % (number, offset, size, root, before, identity, len(content)))
    with pikepdf.open(bad) as pdf:
        assert pdf.pages[2].obj.Contents.read_bytes().startswith(b"1 0 0 rg"), (
            "the attack does show other content"
        )
    status, reason = judge(bad, seals)
    assert status is Status.INVALID
    assert "签章之后" in reason or "清单" in reason
    cleaned = seals.seal(prepared, tmp_path / "cleaned.pdf", WINDOW_SEAL)
    assert body not in cleaned.read_bytes(), "a foreign file is cleaned of such bodies before it is sealed"
