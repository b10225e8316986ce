"""A reader that forgets pixels: comparing revisions needs to know that an image is there, not what it shows.

What an image shows is covered by the signature's digest, which runs over the file's bytes in chunks.
"""

from typing import Any

from pyhanko.pdf_utils.generic import PdfObject, StreamObject
from pyhanko.pdf_utils.reader import PdfFileReader

KEPT = 1 << 15


class FrugalReader(PdfFileReader):
    """Memory stays flat however many scans the file holds: large image streams come without their data."""

    def get_object(self, ref: Any, *args: Any, **kwargs: Any) -> Any:
        return _without_pixels(super().get_object(ref, *args, **kwargs))  # type: ignore[no-untyped-call]

    def cache_indirect_object(self, generation: int, idnum: int, obj: Any) -> Any:
        thin = _without_pixels(obj)
        return super().cache_indirect_object(generation, idnum, thin)  # type: ignore[no-untyped-call]


def _without_pixels(obj: PdfObject) -> PdfObject:
    if not isinstance(obj, StreamObject) or obj.get("/Subtype") != "/Image" or len(obj.encoded_data) < KEPT:
        return obj
    head = {key: obj.raw_get(key) for key in obj}
    thin = StreamObject(head, encoded_data=b"")
    thin.container_ref = obj.container_ref
    return thin
