"""Bookmarks and page labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from dossier.assemble.writer import Name, Ref, StreamingWriter, Value


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A title, where it leads, and what lies under it."""

    title: str
    target: Ref
    kids: tuple["Bookmark", ...] = ()


def write_outline(writer: StreamingWriter, bookmarks: Sequence[Bookmark]) -> Ref:
    root = writer.reserve()
    first, last, shown = _write_level(writer, bookmarks, root)
    writer.put({"Type": Name("Outlines"), "First": first, "Last": last, "Count": shown}, root)
    return root


def _write_level(writer: StreamingWriter, bookmarks: Sequence[Bookmark], parent: Ref) -> tuple[Ref, Ref, int]:
    refs = [writer.reserve() for _ in bookmarks]
    shown = len(bookmarks)
    for index, (bookmark, ref) in enumerate(zip(bookmarks, refs, strict=True)):
        item: dict[str, Value] = {
            "Title": bookmark.title,
            "Parent": parent,
            "Dest": [bookmark.target, Name("Fit")],
        }
        if index:
            item["Prev"] = refs[index - 1]
        if index + 1 < len(refs):
            item["Next"] = refs[index + 1]
        if bookmark.kids:
            first, last, count = _write_level(writer, bookmark.kids, ref)
            item |= {"First": first, "Last": last, "Count": count}
            shown += count
        writer.put(item, ref)
    return refs[0], refs[-1], shown


def page_labels(contents_pages: int) -> Value:
    """封面, then 目录1…, then the numbers that the contents list gives."""
    return {
        "Nums": [
            0,
            {"P": "封面"},
            1,
            {"S": Name("D"), "P": "目录"},
            1 + contents_pages,
            {"S": Name("D")},
        ]
    }
