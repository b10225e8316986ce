"""Pages of other PDFs as forms: slips of our own making, and pages of uploads that may stay what they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf

from dossier.assemble.draw import A4
from dossier.assemble.writer import Name, Raw, Ref, StreamingWriter, Value, number
from dossier.fingerprint import fingerprint
from storage.errors import Refused


class SlipUnreadable(Refused):
    """A slip's file cannot be taken into the dossier."""


@dataclass(frozen=True, slots=True)
class Form:
    """A page as a form: its box, and the digest of all that it draws with."""

    ref: Ref
    box: tuple[float, float, float, float]
    sha256: str


class SlipFile:
    """An open PDF. Its objects are copied once each, however many pages share them."""

    def __init__(self, path: Path) -> None:
        try:
            self._pdf = pikepdf.open(path)
        except (pikepdf.PdfError, OSError) as error:
            raise SlipUnreadable("slip-unreadable", "办理文书无法读取，请重新生成文书后再组卷。") from error
        self._copied: dict[tuple[int, int], Ref] = {}

    def __len__(self) -> int:
        return len(self._pdf.pages)

    def close(self) -> None:
        self._pdf.close()

    def write_page(self, writer: StreamingWriter, index: int) -> tuple[Ref, str]:
        """Copy page `index` as a form. Returns its reference and the operators that paint it on A4, upright."""
        form = self.write_form(writer, index)
        left, bottom, right, top = form.box
        width, height = right - left, top - bottom
        factor = min(1.0, A4[0] / width, A4[1] / height)
        x = (A4[0] - width * factor) / 2 - left * factor
        y = (A4[1] - height * factor) / 2 - bottom * factor
        matrix = " ".join(number(value) for value in (factor, 0, 0, factor, x, y))
        return form.ref, f"q {matrix} cm /Slip Do Q"

    def write_form(self, writer: StreamingWriter, index: int) -> "Form":
        """Copy page `index` as a form, with all that it draws with."""
        page = self._pdf.pages[index]
        left, bottom, right, top = (float(edge) for edge in page.mediabox)
        page.contents_coalesce()
        resources = page.obj.get(pikepdf.Name.Resources, pikepdf.Dictionary())
        head: dict[str, Value] = {
            "Type": Name("XObject"),
            "Subtype": Name("Form"),
            "BBox": [left, bottom, right, top],
            "Resources": self._copy(writer, resources),
        }
        contents = page.obj.get(pikepdf.Name.Contents)
        content = contents.read_bytes() if contents is not None else b""
        ref = writer.put_stream(head, content)
        return Form(ref, (left, bottom, right, top), fingerprint(content, resources))

    def _copy(self, writer: StreamingWriter, value: Any) -> Value:
        """qpdf gives numbers, booleans and null as Python values, everything else as objects."""
        if isinstance(value, pikepdf.Object) and value.is_indirect:
            known = self._copied.get(value.objgen)
            if known is None:
                known = self._copied[value.objgen] = writer.reserve()
                self._copy_indirect(writer, value, known)
            return known
        return self._copy_direct(writer, value)

    def _copy_indirect(self, writer: StreamingWriter, value: pikepdf.Object, ref: Ref) -> None:
        if isinstance(value, pikepdf.Stream):
            entries = self._entries(writer, value.stream_dict.items())
            head = {key: item for key, item in entries.items() if key != "Length"}
            writer.put_stream(head, value.read_raw_bytes(), compress=False, ref=ref)
        else:
            writer.put(self._copy_direct(writer, value), ref)

    def _copy_direct(self, writer: StreamingWriter, value: Any) -> Value:
        if isinstance(value, pikepdf.Dictionary):
            return self._entries(writer, value.items())
        if isinstance(value, pikepdf.Array):
            return [self._copy(writer, item) for item in value]
        if isinstance(value, pikepdf.Object):
            return Raw(value.unparse())
        return value if value is None or isinstance(value, bool | int) else Raw(str(value).encode())

    def _entries(self, writer: StreamingWriter, items: Iterable[tuple[str, Any]]) -> Mapping[str, Value]:
        return {key[1:]: self._copy(writer, item) for key, item in items}
