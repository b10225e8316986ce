"""A digest of everything that a form of a PDF draws with, whatever numbers its objects have in the file."""

import hashlib
from collections.abc import Callable
from decimal import Decimal

import pikepdf

_ONLY_PACKING = frozenset({"/Length", "/Filter", "/DecodeParms"})


def fingerprint(content: bytes, resources: pikepdf.Object) -> str:
    """SHA-256 (hex) over the drawing instructions and, in the order in which they are met, all that they can use.

    Streams count by the bytes that they unpack to, where qpdf unpacks them, else by their raw bytes.
    """
    digest = hashlib.sha256(content)
    _add(resources, digest.update, {})
    return digest.hexdigest()


def _add(value: object, update: Callable[[bytes], None], met: dict[tuple[int, int], int]) -> None:
    if isinstance(value, pikepdf.Object) and value.is_indirect:
        if value.objgen in met:
            update(b"@%d " % met[value.objgen])
            return
        met[value.objgen] = len(met)
    if isinstance(value, pikepdf.Stream | pikepdf.Dictionary):
        names = sorted(name for name in value.keys() if name not in _ONLY_PACKING)  # noqa: SIM118 - streams have no iterator
        update(b"<%d " % len(names))
        for name in names:
            update(name.encode())
            _add(value.get(name), update, met)
        if isinstance(value, pikepdf.Stream):
            content = _content(value)
            update(b"stream %d " % len(content))
            update(content)
    elif isinstance(value, pikepdf.Array):
        update(b"[%d " % len(value))
        for item in value:
            _add(item, update, met)
    else:
        update(_plain(value) + b" ")


def _content(stream: pikepdf.Stream) -> bytes:
    try:
        return bytes(stream.read_bytes())
    except pikepdf.PdfError:
        return bytes(stream.read_raw_bytes())


def _plain(value: object) -> bytes:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize():f}".encode()
    return value.unparse() if isinstance(value, pikepdf.Object) else repr(value).encode()
