"""The small parts of an XLSX archive: which sheets there are, which styles are dates, the shared strings."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join, normpath
from typing import IO
from xml.etree.ElementTree import Element, ParseError, fromstring

from lxml import etree

from registry.sheets.limits import Limits, UnreadableSheet

_PART_BYTES = 32 << 20
_BLOCK = 1 << 18
_DATE_FORMATS = frozenset(map(str, [*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)]))
_NOT_CODES = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_DOCUMENT = "/officeDocument"
_RELATION = re.compile(r"\{[^}]*\}id$")


@dataclass(frozen=True)
class SheetPart:
    name: str
    part: str


@dataclass(frozen=True)
class Workbook:
    """`date_styles`: the cell formats whose numbers are days; `shared`: the part with the strings, or ""."""

    sheets: tuple[SheetPart, ...]
    date_styles: frozenset[str]
    starts_1904: bool
    shared: str


class Book:
    """An open archive with the strings that its cells share."""

    def __init__(self, archive: zipfile.ZipFile, workbook: Workbook, limits: Limits) -> None:
        self.workbook = workbook
        self.limits = limits
        self.strings = _shared_strings(archive, workbook.shared, limits) if workbook.shared else []


def read_workbook(archive: zipfile.ZipFile, limits: Limits) -> Workbook:
    """Raises UnreadableSheet when the archive is no workbook."""
    main = next((target for kind, target in _relations(archive, "").values() if kind.endswith(_DOCUMENT)), "")
    if main.endswith(".bin"):
        raise UnreadableSheet("binary_workbook", "不支持 XLSB 格式，请另存为 XLSX 后再导入。")
    if main not in archive.namelist():
        raise UnreadableSheet("not_a_table", "压缩包不是表格，请上传 XLSX、XLS 或 CSV 格式的文件。")
    relations = _relations(archive, main)
    root = _parsed(archive, main)
    sheets = tuple(
        SheetPart(sheet.get("name", ""), relations[_relation_id(sheet)][1])
        for sheet in root.iter()
        if sheet.tag.endswith("}sheet")
        and sheet.get("state", "visible") == "visible"
        and _relation_id(sheet) in relations
        and relations[_relation_id(sheet)][0].endswith("/worksheet")
    )
    by_kind = {kind.rsplit("/", 1)[-1]: target for kind, target in relations.values()}
    properties = next((element for element in root if element.tag.endswith("}workbookPr")), None)
    return Workbook(
        sheets=tuple(sheet for sheet in sheets if sheet.part in archive.namelist())[: limits.columns],
        date_styles=_date_styles(archive, by_kind.get("styles", "")),
        starts_1904=properties is not None and properties.get("date1904") in {"1", "true"},
        shared=by_kind.get("sharedStrings", ""),
    )


def refuse_declarations(text: bytes) -> None:
    """A workbook part never declares a document type or entities, and is written in UTF-8."""
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise UnreadableSheet("active_content", "文件含有外部实体声明，已拒绝；请重新导出后再导入。")
    if text.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        raise UnreadableSheet("damaged", "XLSX 文件的编码异常，请重新导出后再导入。")


def damaged() -> UnreadableSheet:
    return UnreadableSheet("damaged", "XLSX 文件已损坏，请重新下载或另存后再导入。")


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    folder, _, name = part.rpartition("/")
    path = join(folder, "_rels", f"{name}.rels")
    if path not in archive.namelist():
        return {}
    found = {}
    for relation in _parsed(archive, path):
        target = relation.get("Target", "")
        if relation.get("TargetMode") == "External":
            continue
        absolute = target.lstrip("/") if target.startswith("/") else normpath(join(folder, target))
        found[relation.get("Id", "")] = (relation.get("Type", ""), absolute)
    return found


def _relation_id(sheet: Element) -> str:
    return next((value for name, value in sheet.attrib.items() if _RELATION.search(name)), "")


def _parsed(archive: zipfile.ZipFile, part: str) -> Element:
    if archive.getinfo(part).file_size > _PART_BYTES:
        raise UnreadableSheet("hostile_archive", "文件的压缩结构异常，请重新导出后再导入。")
    try:
        text = archive.read(part)
        refuse_declarations(text)
        return fromstring(text)  # noqa: S314 - no declarations, hence no entities
    except (ParseError, zipfile.BadZipFile, EOFError, OSError, zlib.error) as fault:
        raise damaged() from fault


def _date_styles(archive: zipfile.ZipFile, part: str) -> frozenset[str]:
    if part not in archive.namelist():
        return frozenset()
    root = _parsed(archive, part)
    custom = {
        element.get("numFmtId"): element.get("formatCode", "")
        for element in root.iter()
        if element.tag.endswith("}numFmt")
    }
    cell_formats = next((element for element in root if element.tag.endswith("}cellXfs")), ())
    found = set()
    for index, cell_format in enumerate(cell_formats):
        number = cell_format.get("numFmtId", "0")
        if number in custom:
            is_date = bool(re.search("[ymdhs]", _NOT_CODES.sub("", custom[number]), re.IGNORECASE))
        else:
            is_date = number in _DATE_FORMATS
        if is_date:
            found.add(str(index))
    return frozenset(found)


def _shared_strings(archive: zipfile.ZipFile, part: str, limits: Limits) -> list[str]:
    if part not in archive.namelist():
        return []
    strings: list[str] = []
    characters = 0
    for element in pull(archive, part, "si"):
        strings.append(text_of(element))
        characters += len(strings[-1])
        if characters > limits.shared_text_characters:
            raise UnreadableSheet("hostile_archive", "文件的文字过多，请拆分后分次导入。")
    return strings


def pull(archive: zipfile.ZipFile, part: str, name: str) -> Iterator[Element]:
    """The elements of this name once each is complete; what has been handed out is forgotten at once.

    lxml filters by name without waking Python for every cell: nine times the speed of the standard library here.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=f"{{*}}{name}",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        with archive.open(part) as file:
            for block in _undeclared(file):
                parser.feed(block)
                for _, element in parser.read_events():
                    yield element
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        parser.close()
    except (etree.XMLSyntaxError, zipfile.BadZipFile, EOFError, KeyError, OSError, zlib.error) as fault:
        raise damaged() from fault


def _undeclared(file: IO[bytes]) -> Iterator[bytes]:
    tail = b""
    while block := file.read(_BLOCK):
        refuse_declarations(tail + block)
        tail = block[-16:]
        yield block


def text_of(element: Element) -> str:
    """The text of a rich string without its phonetic readings."""
    parts = []
    for child in element:
        if child.tag.endswith("}t"):
            parts.append(child.text or "")
        elif child.tag.endswith("}r"):
            parts += [run.text or "" for run in child if run.tag.endswith("}t")]
    return "".join(parts).strip()
