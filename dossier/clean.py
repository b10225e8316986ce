"""Before the first signature: what could act, hide or differ later is taken out, and only one revision remains."""

from pathlib import Path

import pikepdf
from pikepdf.sanitize import Sanitizer

from storage.errors import Refused

SHOWN_ANNOTATIONS = ("/Link", "/Widget")
SCRUBBER = Sanitizer().remove_javascript().remove_external_access().remove_multimedia().remove_thumbnails()


class NotSealable(Refused):
    """The file cannot be sealed as it is."""


def clean_copy(source: Path, target: Path) -> None:
    """Write `source` anew to `target` without scripts, outside actions, media, XFA, optional content or notes.

    Old revisions and objects that nothing points to stay behind, so nothing prepared in secret gets signed.
    Associated files (PDF/A-3) and internal links stay. Raises NotSealable.
    """
    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                raise NotSealable("pdf-encrypted", "文件已加密，无法盖章；请提供未加密的文件。")
            SCRUBBER.apply(pdf)
            _drop_hidden_content(pdf)
            pdf.save(target, deterministic_id=True)
    except pikepdf.PdfError as error:
        raise NotSealable("pdf-unreadable", "文件无法读取，无法盖章；请重新生成后再试。") from error


def _drop_hidden_content(pdf: pikepdf.Pdf) -> None:
    for key in ("/OCProperties", "/Collection", "/OpenAction", "/AA", "/Perms", "/NeedsRendering"):
        if key in pdf.Root:
            del pdf.Root[key]
    form = pdf.Root.get("/AcroForm")
    if form is not None and "/XFA" in form:
        del form["/XFA"]
    for page in pdf.pages:
        notes = page.obj.get("/Annots")
        if notes is None:
            continue
        kept = [note for note in notes if note.get("/Subtype") in SHOWN_ANNOTATIONS]
        if len(kept) != len(notes):
            page.obj["/Annots"] = pikepdf.Array(kept)
