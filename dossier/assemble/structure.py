"""The structure tree: what a screen reader announces, part by part and page by page."""

from dataclasses import dataclass, field

from dossier.assemble.draw import Tagged
from dossier.assemble.writer import Name, Ref, StreamingWriter, Value


@dataclass(slots=True)
class Part:
    """A named section of the document and its children so far."""

    ref: Ref
    title: str
    kids: list[Value] = field(default_factory=list)


class StructureTree:
    """Collects elements while pages are written; only references are kept in memory."""

    def __init__(self, writer: StreamingWriter) -> None:
        self._writer = writer
        self.root = writer.reserve()
        self._document = writer.reserve()
        self._parts: list[Part] = []
        self._parents: list[Value] = []
        self._next = 0

    def part(self, title: str) -> Part:
        part = Part(self._writer.reserve(), title)
        self._parts.append(part)
        return part

    def next_key(self) -> int:
        """The page's (or annotation's) entry in the parent tree."""
        self._next += 1
        return self._next - 1

    def page(self, part: Part, page: Ref, items: list[tuple[Tagged, str]]) -> int:
        """Add a page's marked content, with alternative texts. Returns the page's /StructParents."""
        key = self.next_key()
        parents: list[Value] = []
        for item, alternative in items:
            element: dict[str, Value] = {"S": Name(item.role), "P": part.ref, "Pg": page, "K": item.mcid}
            if alternative:
                element["Alt"] = alternative
            ref = self._writer.put(element)
            part.kids.append(ref)
            parents.append(ref)
        self._parents += [key, parents]
        return key

    def link(self, part: Part, page: Ref, mcid: int, annotation: Ref, key: int) -> Ref:
        """A Link element that owns its marked content and its annotation. Returns its reference."""
        ref = self._writer.put(
            {
                "S": Name("Link"),
                "P": part.ref,
                "Pg": page,
                "K": [mcid, {"Type": Name("OBJR"), "Obj": annotation, "Pg": page}],
            }
        )
        part.kids.append(ref)
        self._parents += [key, ref]
        return ref

    def form(self, part: Part, page: Ref, widget: Ref, key: int, alternative: str) -> None:
        kid: dict[str, Value] = {"Type": Name("OBJR"), "Obj": widget, "Pg": page}
        ref = self._writer.put({"S": Name("Form"), "P": part.ref, "Pg": page, "K": kid, "Alt": alternative})
        part.kids.append(ref)
        self._parents += [key, ref]

    def page_with(self, key: int, parents: list[Value]) -> None:
        self._parents += [key, parents]

    def write(self) -> None:
        for part in self._parts:
            self._writer.put(
                {"S": Name("Sect"), "P": self._document, "T": part.title, "K": part.kids, "Lang": "zh-CN"},
                part.ref,
            )
        self._writer.put(
            {"S": Name("Document"), "P": self.root, "K": [part.ref for part in self._parts]}, self._document
        )
        pairs = sorted(
            zip(self._parents[::2], self._parents[1::2], strict=True), key=lambda pair: int(str(pair[0]))
        )
        numbers: list[Value] = [value for pair in pairs for value in pair]
        self._writer.put(
            {
                "Type": Name("StructTreeRoot"),
                "K": self._document,
                "ParentTree": self._writer.put({"Nums": numbers}),
                "ParentTreeNextKey": self._next,
            },
            self.root,
        )
