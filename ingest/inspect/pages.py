"""Writing pages: every page leaves the child as a numbered JPEG or PNG file in its work folder."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from ingest.inspect import quality, sheets
from ingest.inspect.findings import PageSource, TextLine
from ingest.inspect.limits import JPEG_QUALITY, LONGEST_CODE, LOSSLESS_PIXELS, MAX_PAGES, MOST_CODES
from ingest.inspect.unacceptable import Unacceptable

_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png"}
_FAST_DEFLATE = 3
_BIG = 20_000_000


def _told(texts: list[str]) -> list[str]:
    return [text for text in texts if len(text) <= LONGEST_CODE][:MOST_CODES]


@dataclass
class PageWriter:
    """Hands finished pages to `announce` one by one, and gathers what else was found on the way."""

    folder: Path
    announce: Callable[[dict[str, Any]], None]
    removed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    repaired: bool = False
    count: int = 0
    most: int = MAX_PAGES
    read_codes: Callable[[Path], list[dict[str, Any]]] | None = None
    separators: bool = False
    judged: bool = True

    def remove(self, *what: str) -> None:
        self.removed.extend(name for name in what if name not in self.removed)

    def note(self, *what: str) -> None:
        self.notes.extend(name for name in what if name not in self.notes)

    def keep(
        self,
        data: bytes,
        media_type: str,
        *,
        size: tuple[int, int],
        dpi: int | None,
        rotation: int,
        source: PageSource,
        text: tuple[TextLine, ...] = (),
    ) -> None:
        """A page whose bytes stand already."""
        path = self._next(media_type)
        path.write_bytes(data)
        self._tell(path, media_type, size, dpi, rotation, source, text)

    def encode(
        self,
        picture: Image.Image,
        *,
        dpi: int | None,
        source: PageSource,
        text: tuple[TextLine, ...] = (),
        was_lossy: bool = False,
        vector: int | None = None,
    ) -> None:
        """A page to be packed: PNG, or JPEG for a large photo that was lossy before.

        `vector` is its index in the file of pages that may stay what they are.
        """
        lossy = (
            was_lossy and picture.mode in ("L", "RGB") and picture.width * picture.height > LOSSLESS_PIXELS
        )
        media_type = "image/jpeg" if lossy else "image/png"
        path = self._next(media_type)
        picture.info.clear()
        density = (dpi, dpi) if dpi else None
        if lossy:
            extra = {"dpi": density} if density else {}
            picture.save(path, "JPEG", quality=JPEG_QUALITY, subsampling=0, **extra)
            self.note(f"照片已转为高质量 JPEG（质量 {JPEG_QUALITY}），原文件另存")
        else:
            level = 1 if picture.width * picture.height > _BIG else _FAST_DEFLATE
            extra = {"dpi": density} if density else {}
            picture.save(path, "PNG", compress_level=level, **extra)
        self._tell(path, media_type, picture.size, dpi, 0, source, text, vector)

    @staticmethod
    def _sheet(seen: quality.Look) -> dict[str, Any]:
        return {"barred": sheets.is_barred(seen.gray), "texts": _told(sheets.codes_on(seen.gray))}

    def _next(self, media_type: str) -> Path:
        if self.count == self.most:
            raise Unacceptable("too_many_pages", pages=self.count + 1, limit=self.most)
        self.count += 1
        return self.folder / f"{self.count:04d}{_SUFFIX[media_type]}"

    def _tell(
        self,
        path: Path,
        media_type: str,
        size: tuple[int, int],
        dpi: int | None,
        rotation: int,
        source: PageSource,
        text: tuple[TextLine, ...],
        vector: int | None = None,
    ) -> None:
        seen = quality.look(path, dpi=dpi) if self.judged or self.separators else None
        self.announce(
            {
                "name": path.name,
                "media_type": media_type,
                "width": size[0],
                "height": size[1],
                "dpi": dpi,
                "rotation": rotation,
                "source": source,
                "text": [asdict(line) for line in text],
                "vector": vector,
                "faults": seen.faults() if seen and self.judged else (),
                "blank": seen is not None and self.judged and sheets.is_blank(seen.gray),
                "codes": self.read_codes(path) if self.read_codes else [],
                "sheet": self._sheet(seen) if self.separators and seen else None,
            }
        )
