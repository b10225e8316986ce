"""A PDF written front to back: objects go out as they come, so memory does not grow with the document.

Small objects travel in compressed object streams, image files are copied from disk in chunks, and the
cross-reference stream closes the file (ISO 32000-1 §7.5.7, §7.5.8).
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

OBJECTS_PER_STREAM = 100
CHUNK = 1 << 18


class Name(str):
    """A PDF name, without its slash."""


class Ref(int):
    """A reference to an indirect object by its number."""


class Raw(bytes):
    """Bytes that are already PDF syntax."""


Value = None | bool | int | float | str | bytes | Mapping[str, "Value"] | Sequence["Value"]


def number(value: float) -> str:
    """A real with at most three decimals and no needless zeros."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def serialise(value: Value) -> bytes:  # noqa: C901  # one line for each kind of object, and no fewer kinds
    """PDF syntax of a Python value: str is a text string, bytes a hexadecimal string."""
    match value:
        case Raw():
            return value
        case Name():
            return b"/" + _escape_name(value)
        case Ref():
            return b"%d 0 R" % value
        case None:
            return b"null"
        case bool():
            return b"true" if value else b"false"
        case int():
            return b"%d" % value
        case float():
            return number(value).encode()
        case str():
            return _text_string(value)
        case bytes():
            return b"<" + value.hex().encode() + b">"
        case Mapping():
            items = (b"/" + _escape_name(key) + _spaced(serialise(item)) for key, item in value.items())
            return b"<<" + b"".join(items) + b">>"
        case _:
            return b"[" + b" ".join(serialise(item) for item in value) + b"]"


def _spaced(syntax: bytes) -> bytes:
    return syntax if syntax[:1] in b"/<[(" else b" " + syntax


def _escape_name(name: str) -> bytes:
    plain = b"!\"$&'*+,-.:;=?@\\^_`|~"
    return b"".join(
        bytes([code]) if (chr(code).isalnum() and code < 128) or code in plain else b"#%02X" % code
        for code in name.encode()
    )


def _text_string(text: str) -> bytes:
    if text.isascii() and text.isprintable():
        return b"(" + text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode() + b")"
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"


class StreamingWriter:
    """Writes one PDF to `file`. Numbers are reserved first, so that objects may point forward."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._position = 0
        self._places: list[tuple[int, int, int]] = [(0, 0, 65535)]
        self._waiting: list[tuple[int, bytes]] = []
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.clear()

    def reserve(self) -> Ref:
        self._places.append((0, 0, 0))
        return Ref(len(self._places) - 1)

    def put(self, value: Value, ref: Ref | None = None) -> Ref:
        """A small object; it is written with its neighbours in one compressed stream."""
        ref = ref or self.reserve()
        self._waiting.append((ref, serialise(value)))
        if len(self._waiting) >= OBJECTS_PER_STREAM:
            self._flush()
        return ref

    def put_stream(
        self, head: Mapping[str, Value], data: bytes, *, compress: bool = True, ref: Ref | None = None
    ) -> Ref:
        if compress:
            data = zlib.compress(data, 9)
            head = {**head, "Filter": Name("FlateDecode")}
        ref = self._begin_stream({**head, "Length": len(data)}, ref)
        self._write(data)
        self._write(b"\nendstream\nendobj\n")
        return ref

    def put_file(self, head: Mapping[str, Value], path: Path, *, ref: Ref | None = None) -> tuple[Ref, str]:
        """Copy a file as a stream's bytes, untouched. Returns the reference and the SHA-256 of what was copied."""
        ref = self._begin_stream({**head, "Length": path.stat().st_size}, ref)
        digest = hashlib.sha256()
        with path.open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                self._write(chunk)
        self._write(b"\nendstream\nendobj\n")
        return ref, digest.hexdigest()

    def finish(self, root: Ref, *, identity: bytes) -> str:
        """Write the cross-reference stream and the end. Returns the SHA-256 of the whole file.

        `identity` becomes both halves of /ID, so that equal input gives an equal file.
        """
        self._flush()
        start = self._position
        own = self.reserve()
        self._places[own] = (1, start, 0)
        rows = b"".join(
            kind.to_bytes(1, "big") + place.to_bytes(5, "big") + extra.to_bytes(2, "big")
            for kind, place, extra in self._places
        )
        head: dict[str, Value] = {
            "Type": Name("XRef"),
            "Size": len(self._places),
            "W": [1, 5, 2],
            "Root": root,
            "ID": [identity, identity],
            "Filter": Name("FlateDecode"),
            "DecodeParms": {"Predictor": 12, "Columns": 8},
        }
        data = zlib.compress(_predict_up(rows, 8), 9)
        head["Length"] = len(data)
        self._write(b"%d 0 obj\n" % own + serialise(head) + b"\nstream\n" + data)
        self._write(b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start)
        return self._hash.hexdigest()

    @property
    def size(self) -> int:
        return self._position

    def _begin_stream(self, head: Mapping[str, Value], ref: Ref | None) -> Ref:
        ref = ref or self.reserve()
        self._places[ref] = (1, self._position, 0)
        self._write(b"%d 0 obj\n" % ref + serialise(head) + b"\nstream\n")
        return ref

    def _flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        holder = self.reserve()
        offsets, bodies, offset = [], [], 0
        for index, (ref, body) in enumerate(waiting):
            offsets.append(b"%d %d" % (ref, offset))
            bodies.append(body)
            offset += len(body) + 1
            self._places[ref] = (2, holder, index)
        index_part = b" ".join(offsets) + b"\n"
        self.put_stream(
            {"Type": Name("ObjStm"), "N": len(waiting), "First": len(index_part)},
            index_part + b"\n".join(bodies),
            ref=holder,
        )

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._position += len(data)


def _predict_up(rows: bytes, width: int) -> bytes:
    """PNG "Up" prediction: each row as its difference from the one above."""
    result, above = bytearray(), bytes(width)
    for start in range(0, len(rows), width):
        row = rows[start : start + width]
        result.append(2)
        result += bytes((byte - over) & 0xFF for byte, over in zip(row, above, strict=True))
        above = row
    return bytes(result)
