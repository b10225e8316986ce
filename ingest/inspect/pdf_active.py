"""What in a PDF could act, hide or carry something: found for the report, then taken out."""

from collections import Counter

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from pikepdf.sanitize import Sanitizer

from ingest.inspect.pdf_names import spelt

_ACTIONS = {
    "/JavaScript": "JavaScript 脚本",
    "/Launch": "启动外部程序的动作（Launch）",
    "/SubmitForm": "提交表单的动作（SubmitForm）",
    "/ImportData": "导入数据的动作（ImportData）",
    "/GoToR": "打开外部文件的动作（GoToR）",
    "/GoToE": "打开内嵌文件的动作（GoToE）",
    "/Rendition": "多媒体",
    "/Movie": "多媒体",
    "/Sound": "多媒体",
    "/URI": "网页链接",
}
_MEDIA = {"/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}
_SIGNATURE = "电子签名（原文件另存，签名仍在原文件中）"
_DEPTH = 8


def found_in(pdf: pikepdf.Pdf) -> list[str]:
    """Names of everything active or hidden in `pdf`, with how often it occurs when more than once."""
    seen: Counter[str] = Counter()
    with pikepdf.explicit_conversion():
        for item in pdf.objects:
            _look(item, seen, _DEPTH)
    return [name if times == 1 else f"{name} {times} 处" for name, times in seen.items()]


def _look(item: object, seen: Counter[str], depth: int) -> None:
    """Count what a (direct) object is; indirect children come by on their own."""
    children: list[pikepdf.Object | None]
    if isinstance(item, Array):
        children = list(item)
    elif isinstance(item, (Dictionary, Stream)):
        _judge(item, seen)
        children = [value for _, value in item.items()]
    else:
        return
    if depth == 0:
        return
    for child in children:
        if isinstance(child, (Array, Dictionary)) and not child.is_indirect:
            _look(child, seen, depth - 1)


def _judge(item: pikepdf.Object, seen: Counter[str]) -> None:
    action = item.get(Name.S)
    name = spelt(action)
    if name in _ACTIONS and _is_action(item, name):
        seen[_ACTIONS[name]] += 1
    if isinstance(item.get(Name.EF), Dictionary):
        seen["附件"] += 1
    if Name.XFA in item:
        seen["XFA 动态表单"] += 1
    subtype = item.get(Name.Subtype)
    if spelt(subtype) in _MEDIA and Name.Rect in item:
        seen["多媒体"] += 1
    kind = item.get(Name.FT)
    if isinstance(kind, Name) and kind == Name.Sig and Name.V in item:
        seen[_SIGNATURE] += 1


def _is_action(item: pikepdf.Object, action: str) -> bool:
    needs = {"/JavaScript": "/JS", "/URI": "/URI"}.get(action)
    return needs is None or needs in item


def is_dynamic_form(pdf: pikepdf.Pdf) -> bool:
    """Whether the pages are a placeholder and the content lives in an XFA form only."""
    with pikepdf.explicit_conversion():
        needs = pdf.Root.get(Name.NeedsRendering)
        if needs is not None and bool(needs):
            return True
        form = pdf.Root.get(Name.AcroForm)
        if not isinstance(form, Dictionary) or Name.XFA not in form:
            return False
        fields = form.get(Name.Fields)
        return not isinstance(fields, Array) or len(fields) == 0


def silence(pdf: pikepdf.Pdf) -> None:
    """Take out scripts, outside access, attachments, media and XFA; the look of the pages stays."""
    for key in ("/Outlines", "/OpenAction", "/AA", "/Names", "/Metadata", "/PieceInfo", "/Perms"):
        if key in pdf.Root:
            del pdf.Root[key]
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, Dictionary):
        for key in ("/XFA", "/CO"):
            if key in form:
                del form[key]
    Sanitizer().remove_javascript().remove_external_access().remove_attachments().remove_multimedia().apply(
        pdf
    )
