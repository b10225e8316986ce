"""One material out of a dossier as a PDF of its own: the same images and text, a sheet that says where it is from."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pikepdf

from dossier.assemble.draw import A4, GRAY, FontSet, Sheet, VisibleFont, wrap
from dossier.assemble.frontmatter import LEFT, RIGHT
from dossier.assemble.metadata import output_intent, xmp_packet
from dossier.assemble.writer import Name, Ref, StreamingWriter, number
from dossier.fonts import installed_typefaces
from dossier.stamp import mark_pages

STRUCTURE = ("/StructParents", "/Annots", "/Tabs")
ASIDE = (
    "本摘录由存档卷宗抽取，图像与文字层未作改动，仅加注使用范围；摘录本身不带电子印章，"
    "需要证明效力时，请以存档卷宗为准，并用上列校验值核对。"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the material is from: what the first sheet says. `pages` are pages of the dossier's PDF, from 1."""

    case_number: str
    version: int
    sha256: str
    material: str
    pages: tuple[int, ...]
    page_count: int
    window: str
    office: str
    made_at: datetime
    use: str

    @property
    def title(self) -> str:
        return f"办件 {self.case_number} 卷宗（第 {self.version} 版）摘录：{self.material}"


def write_excerpt(source: Path, target: Path, *, origin: Origin, marks: Sequence[str]) -> None:
    """Write the pages of `origin` from the archived dossier to `target`: PDF/A-3b, searchable, each page marked."""
    with pikepdf.open(io.BytesIO(_first_sheet(origin))) as made, pikepdf.open(source) as archived:
        for page in origin.pages:
            made.pages.append(archived.pages[page - 1])
        for copied in made.pages:
            for key in STRUCTURE:
                if key in copied.obj:
                    del copied.obj[key]
        mark_pages(made, marks, first=1)  # the sheet in front says the same in its own words
        made.save(target, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def page_words(pages: Sequence[int]) -> str:
    """“5–7、9”."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return "、".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _first_sheet(origin: Origin) -> bytes:
    buffer = io.BytesIO()
    writer = StreamingWriter(buffer)
    faces = installed_typefaces()
    fonts = FontSet(*(VisibleFont(face, writer.reserve()) for face in (faces.title, faces.body, faces.small)))
    sheet = _sheet(origin, fonts)
    resources = writer.put({"Font": fonts.resources()})
    content = writer.put_stream({}, sheet.content())
    fonts.write(writer)
    writer.finish(_catalogue(writer, origin, content, resources), identity=bytes.fromhex(origin.sha256)[:16])
    return buffer.getvalue()


def _catalogue(writer: StreamingWriter, origin: Origin, content: Ref, resources: Ref) -> Ref:
    tree = writer.reserve()
    page = writer.put(
        {
            "Type": Name("Page"),
            "Parent": tree,
            "MediaBox": [0, 0, float(number(A4[0])), float(number(A4[1]))],
            "Resources": resources,
            "Contents": content,
        }
    )
    writer.put({"Type": Name("Pages"), "Kids": [page], "Count": 1}, tree)
    packet = xmp_packet(
        title=origin.title, identifier=origin.case_number, creator=origin.window, made_at=origin.made_at
    )
    return writer.put(
        {
            "Type": Name("Catalog"),
            "Version": Name("1.7"),
            "Pages": tree,
            "Lang": "zh-CN",
            "ViewerPreferences": {"DisplayDocTitle": True},
            "Metadata": writer.put_stream(
                {"Type": Name("Metadata"), "Subtype": Name("XML")}, packet, compress=False
            ),
            "OutputIntents": [output_intent(writer)],
        }
    )


def _sheet(origin: Origin, fonts: FontSet) -> Sheet:
    sheet = Sheet(fonts)
    with sheet.tag("H1"):
        sheet.centred(120, "材料摘录", fonts.title, 24, spacing=6)
    rows = (
        ("材料名称", origin.material),
        ("摘自", f"办件 {origin.case_number} 的卷宗，第 {origin.version} 版"),
        ("原卷页码", f"第 {page_words(origin.pages)} 页（原卷共 {origin.page_count} 页）"),
        ("收件窗口", origin.window),
        ("审批部门", origin.office),
        ("卷宗校验值", f"SHA-256 {origin.sha256}"),
        ("使用范围", origin.use),
    )
    y = 170.0
    for label, value in rows:
        lines = wrap(value, fonts.body, 11.5, RIGHT - LEFT - 100)
        sheet.line(LEFT, y, RIGHT, y)
        with sheet.tag("P"):
            sheet.text(LEFT + 4, y + 20, label, fonts.body, 11.5, colour=GRAY)
            for index, line in enumerate(lines):
                sheet.text(LEFT + 92, y + 20 + index * 17, line, fonts.body, 11.5)
        y += 30 + (len(lines) - 1) * 17
    sheet.line(LEFT, y, RIGHT, y)
    with sheet.tag("P"):
        for index, line in enumerate(wrap(ASIDE, fonts.small, 9, RIGHT - LEFT)):
            sheet.text(LEFT, y + 24 + index * 15, line, fonts.small, 9, colour=GRAY)
    return sheet
