"""The order of the dossier: cover, contents, slips, materials, handling record, and what binds them."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from dossier.assemble.draw import A4, FontSet, Sheet, Tagged, VisibleFont
from dossier.assemble.frontmatter import Entry, SealPlace, contents_list, cover, handling_record
from dossier.assemble.images import embed
from dossier.assemble.metadata import (
    MANIFEST_NAME,
    MANIFEST_SCHEMA,
    embed_original,
    embedded_file,
    manifest_json,
    output_intent,
    page_entry,
    xmp,
)
from dossier.assemble.outline import Bookmark, page_labels, write_outline
from dossier.assemble.scans import place
from dossier.assemble.slips import SlipFile
from dossier.assemble.structure import Part, StructureTree
from dossier.assemble.textlayer import InvisibleFont, shown, text_operators
from dossier.assemble.writer import Name, Ref, StreamingWriter, Value, number
from dossier.contents import DossierPlan, Leaf, MaterialPlan, OriginalPlan, PagePlan
from dossier.fonts import Typefaces

VECTOR = "Form"
"""How the manifest names a page that stays what it was in the uploaded PDF."""
PRINTED = 4  # annotation flag: print; PDF/A asks for it


class Assembler:
    """Writes one plan through one writer."""

    def __init__(
        self, plan: DossierPlan, writer: StreamingWriter, slips: Sequence[SlipFile], typefaces: Typefaces
    ) -> None:
        self.plan = plan
        self._writer = writer
        self._slips = slips
        self._fonts = FontSet(
            VisibleFont(typefaces.title, writer.reserve()),
            VisibleFont(typefaces.body, writer.reserve()),
            VisibleFont(typefaces.small, writer.reserve()),
        )
        lines = (line for page in plan.pages() for line in page.lines)
        self._text = InvisibleFont(writer.reserve(), (shown(line) for line in lines))
        self._structure = StructureTree(writer)
        self._tree = writer.reserve()
        self._kids: list[Ref] = []
        self._pages: list[dict[str, object]] = []
        self._fields: list[Ref] = []
        self._originals = list(plan.originals)
        self._vectors: dict[Path, SlipFile] = {}
        self.leaves: list[Leaf] = []

    @property
    def page_count(self) -> int:
        return len(self._kids)

    def write(self, progress: Callable[[int], None]) -> Ref:
        """Write everything; the answer is the document catalogue."""
        plan, reserve = self.plan, self._writer.reserve
        slip_refs = [[reserve() for _ in range(len(slip))] for slip in self._slips]
        material_refs = [[reserve() for _ in material.pages] for material in plan.materials]
        record, receipts = handling_record(plan, self._fonts)
        record_refs = [reserve() for _ in record]
        entries = self._entries(slip_refs, material_refs, record_refs)
        contents = contents_list(entries, self._fonts)
        contents_refs = [reserve() for _ in contents]
        body = sum(map(len, slip_refs)) + sum(map(len, material_refs)) + len(record)
        first, seal = cover(plan, self._fonts, 1 + len(contents) + body)
        cover_ref = reserve()

        self._sheets("封面", "cover", [first], [cover_ref], [seal])
        self._sheets("目录", "contents", contents, contents_refs, [])
        for index, refs in enumerate(slip_refs):
            self._slip(index, refs)
        done = 0
        for material, refs in zip(plan.materials, material_refs, strict=True):
            done = self._material(material, refs, done, progress)
        self._sheets("办理记录", "record", record, record_refs, receipts)

        bookmarks = [Bookmark("封面", cover_ref), Bookmark("目录", contents_refs[0])]
        bookmarks += self._bookmarks(slip_refs, material_refs)
        bookmarks.append(Bookmark("办理记录", record_refs[0]))
        return self._bind(bookmarks, len(contents))

    def _entries(self, slips: list[list[Ref]], materials: list[list[Ref]], record: list[Ref]) -> list[Entry]:
        entries, page = [], 1
        if slips:
            entries.append(Entry("", "办理文书", "1", slips[0][0], heading=True))
        for index, (slip, refs) in enumerate(zip(self.plan.slips, slips, strict=True), 1):
            title = f"{slip.name}（{slip.number}）" if slip.number else slip.name
            entries.append(Entry(str(index), title, str(page), refs[0]))
            page += len(refs)
        filled = [
            (material, refs) for material, refs in zip(self.plan.materials, materials, strict=True) if refs
        ]
        if filled:
            entries.append(Entry("", "申请材料", str(page), filled[0][1][0], heading=True))
        for index, (material, refs) in enumerate(filled, 1):
            title = f"{material.name}（{material.note}）" if material.note else material.name
            entries.append(Entry(str(index), title, str(page), refs[0]))
            page += len(refs)
        entries.append(Entry("", "办理记录", str(page), record[0], heading=True))
        return entries

    def _bookmarks(self, slips: list[list[Ref]], materials: list[list[Ref]]) -> list[Bookmark]:
        groups = (
            ("办理文书", [(slip.name, refs) for slip, refs in zip(self.plan.slips, slips, strict=True)]),
            (
                "申请材料",
                [(item.name, refs) for item, refs in zip(self.plan.materials, materials, strict=True)],
            ),
        )
        return [
            Bookmark(title, kids[0][1][0], tuple(Bookmark(name, refs[0]) for name, refs in kids))
            for title, group in groups
            if (kids := [(name, refs) for name, refs in group if refs])
        ]

    def _sheets(
        self, title: str, kind: str, sheets: list[Sheet], refs: list[Ref], places: list[SealPlace]
    ) -> None:
        part = self._structure.part(title)
        for sheet, ref in zip(sheets, refs, strict=True):
            parents, annotations = self._tag_sheet(part, sheet, ref)
            if sheet is sheets[-1]:
                annotations += [self._field(part, ref, place_) for place_ in places]
            key = self._structure.next_key()
            self._structure.page_with(key, parents)
            self._page(
                ref, sheet.content(), kind, key, {"Font": self._fonts.resources()}, annotations=annotations
            )

    def _tag_sheet(self, part: Part, sheet: Sheet, page: Ref) -> tuple[list[Value], list[Ref]]:
        parents: list[Value] = []
        annotations: list[Ref] = []
        for item in sheet.tags:
            if item.link:
                rectangle, target, title = item.link
                key = self._structure.next_key()
                annotation: dict[str, Value] = {
                    "Type": Name("Annot"),
                    "Subtype": Name("Link"),
                    "Rect": list(rectangle),
                    "Border": [0, 0, 0],
                    "F": PRINTED,
                    "Dest": [target, Name("Fit")],
                    "Contents": title,
                    "StructParent": key,
                }
                annotations.append(self._writer.put(annotation))
                parents.append(self._structure.link(part, page, item.mcid, annotations[-1], key))
            else:
                element: dict[str, Value] = {"S": Name(item.role), "P": part.ref, "Pg": page, "K": item.mcid}
                if item.role == "Figure":
                    element["Alt"] = "本卷宗的核对二维码"
                parents.append(self._writer.put(element))
                part.kids.append(parents[-1])
        return parents, annotations

    def _field(self, part: Part, page: Ref, place_: SealPlace) -> Ref:
        left, bottom, right, top = place_.rectangle
        empty = self._writer.put_stream(
            {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, right - left, top - bottom]},
            b"",
        )
        key = self._structure.next_key()
        widget = self._writer.put(
            {
                "Type": Name("Annot"),
                "Subtype": Name("Widget"),
                "FT": Name("Sig"),
                "T": place_.field,
                "TU": place_.alternative,
                "Rect": list(place_.rectangle),
                "F": PRINTED | 128,
                "P": page,
                "AP": {"N": empty},
                "StructParent": key,
            }
        )
        self._structure.form(part, page, widget, key, place_.alternative)
        self._fields.append(widget)
        return widget

    def _slip(self, index: int, refs: list[Ref]) -> None:
        slip = self.plan.slips[index]
        part = self._structure.part(slip.name)
        digest = _file_digest(slip.path)
        for position, ref in enumerate(refs):
            form, paint = self._slips[index].write_page(self._writer, position)
            content = f"/P <</MCID 0>> BDC {paint} EMC".encode()
            alternative = f"{slip.name} 第 {position + 1} 页，共 {len(refs)} 页"
            key = self._structure.page(part, ref, [(Tagged("P", 0), alternative)])
            extra: dict[str, object] = {"slip": {"name": slip.name, "number": slip.number, "sha256": digest}}
            self._page(ref, content, "slip", key, {"XObject": {"Slip": form}}, extra=extra)

    def _material(
        self, material: MaterialPlan, refs: list[Ref], done: int, progress: Callable[[int], None]
    ) -> int:
        part = self._structure.part(material.name)
        for position, (page, ref) in enumerate(zip(material.pages, refs, strict=True), 1):
            alternative = f"{material.name} 第 {position} 页，共 {len(refs)} 页"
            if page.unreadable:
                alternative += "（文字未能识读）"
            self._scan(part, material, page, ref, alternative)
            done += 1
            progress(done)
        return done

    def _scan(self, part: Part, material: MaterialPlan, page: PagePlan, ref: Ref, alternative: str) -> None:
        placement = place(page)
        lines = page.lines
        if page.vector is None:
            image = embed(self._writer, page)
            drawn, encoding, digest, role = image.ref, image.encoding, image.sha256, "Figure"
            paint = placement.paint("Scan")
            if image.original_needed:
                self._originals.append(_original_of(page))
        else:
            form = self._vectors_of(page.vector.path).write_form(self._writer, page.vector.index)
            drawn, encoding, digest, role = form.ref, VECTOR, form.sha256, "P"
            paint = placement.paint_form("Scan", form.box)
            # The page says its own lines itself; only what was read in its pictures is laid over it.
            lines = page.lines[page.own_lines :]
        content = f"/{role} <</MCID 0>> BDC {paint} EMC\n".encode()
        items = [(Tagged(role, 0), alternative)]
        resources: dict[str, Value] = {"XObject": {"Scan": drawn}}
        text = text_operators(lines, self._text, scale=placement.scale(page))
        if text:
            content += b"/P <</MCID 1>> BDC\n" + text + b"\nEMC"
            items.append((Tagged("P", 1), ""))
            resources["Font"] = {"T": self._text.ref}
        key = self._structure.page(part, ref, items)
        extra: dict[str, object] = {
            "material": material.name,
            "image": page_entry(page) | {"encoding": encoding, "stream_sha256": digest},
        }
        size = (placement.page_width, placement.page_height)
        self._page(ref, content, "material", key, resources, size=size, rotate=placement.rotate, extra=extra)
        self.leaves.append(Leaf(material.name, len(self._kids), page.sha256))

    def _vectors_of(self, path: Path) -> SlipFile:
        """Each PDF of such pages is opened once, so that its pages share their fonts in the dossier, too."""
        if path not in self._vectors:
            self._vectors[path] = SlipFile(path)
        return self._vectors[path]

    def close(self) -> None:
        for vectors in self._vectors.values():
            vectors.close()

    def _page(
        self,
        ref: Ref,
        content: bytes,
        kind: str,
        key: int,
        resources: dict[str, Value],
        *,
        size: tuple[float, float] = A4,
        rotate: int = 0,
        annotations: Sequence[Ref] = (),
        extra: dict[str, object] | None = None,
    ) -> None:
        page: dict[str, Value] = {
            "Type": Name("Page"),
            "Parent": self._tree,
            "MediaBox": [0, 0, float(number(size[0])), float(number(size[1]))],
            "Resources": resources,
            "Contents": self._writer.put_stream({}, content),
            "StructParents": key,
            "Tabs": Name("S"),
        }
        if rotate:
            page["Rotate"] = rotate
        if annotations:
            page["Annots"] = list(annotations)
        self._writer.put(page, ref)
        self._kids.append(ref)
        digest = hashlib.sha256(content).hexdigest()
        self._pages.append({"page": len(self._kids), "kind": kind, "content_sha256": digest} | (extra or {}))

    def _bind(self, bookmarks: list[Bookmark], contents_pages: int) -> Ref:
        writer, plan = self._writer, self.plan
        self._fonts.write(writer)
        self._text.write(writer)
        self._structure.write()
        writer.put({"Type": Name("Pages"), "Kids": list(self._kids), "Count": len(self._kids)}, self._tree)
        files = [("manifest", MANIFEST_NAME, self._manifest())]
        files += [
            ("", original.name, embed_original(writer, original, plan.made_at))
            for original in self._originals
        ]
        names: list[Value] = []
        for _, name, ref in sorted(files, key=lambda item: item[1].encode("utf-16-be")):
            names += [name, ref]
        metadata = writer.put_stream(
            {"Type": Name("Metadata"), "Subtype": Name("XML")}, xmp(plan), compress=False
        )
        return writer.put(
            {
                "Type": Name("Catalog"),
                "Version": Name("1.7"),
                "Pages": self._tree,
                "Lang": "zh-CN",
                "MarkInfo": {"Marked": True},
                "StructTreeRoot": self._structure.root,
                "Outlines": write_outline(writer, bookmarks),
                "PageMode": Name("UseOutlines"),
                "PageLabels": page_labels(contents_pages),
                "ViewerPreferences": {"DisplayDocTitle": True},
                "Metadata": metadata,
                "OutputIntents": [output_intent(writer)],
                "AF": [ref for _, _, ref in files],
                "Names": {"EmbeddedFiles": {"Names": names}},
                "AcroForm": writer.put({"Fields": list(self._fields), "SigFlags": 3}),
            }
        )

    def _manifest(self) -> Ref:
        plan = self.plan
        content = manifest_json(
            {
                "schema": MANIFEST_SCHEMA,
                "case_number": plan.case_number,
                "version": plan.version,
                "made_at": plan.made_at.isoformat(),
                "office": plan.office,
                "window": plan.window,
                "level": plan.level,
                "page_count": len(self._pages),
                "pages": self._pages,
                "originals": [
                    {"name": item.name, "media_type": item.media_type, "sha256": item.sha256}
                    for item in self._originals
                ],
            }
        )
        return embedded_file(
            self._writer,
            name=MANIFEST_NAME,
            media_type="application/json",
            relationship="Data",
            description="卷宗清单：每一页的校验值与来源",
            made_at=plan.made_at,
            content=content,
        )


def _original_of(page: PagePlan) -> OriginalPlan:
    ending = page.media_type.rpartition("/")[2]
    return OriginalPlan(f"{page.sha256[:16]}.{ending}", page.path, page.media_type, page.sha256)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
