"""Pages for tests that are not about files: real stored images, made in a moment."""

import hashlib
import io

from PIL import Image, ImageDraw

from config.simulation.papers import put_page
from ingest.models import Case, IdentityCheck, Material, Page
from ingest.rules import IdentityMethod, IdentityPerson
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW


def picture(text: str, *, size: tuple[int, int] = (310, 438)) -> bytes:
    """A small JPEG whose bytes differ with the text."""
    image = Image.new("L", size, 245)
    ImageDraw.Draw(image).text((20, 20), text, fill=10)
    target = io.BytesIO()
    image.save(target, "JPEG", dpi=(37, 37))
    return target.getvalue()


def long_picture(text: str, size: int) -> bytes:
    """The same with at least `size` bytes of comments in it."""
    content = picture(text)
    comment = b"\xff\xfe\xff\xff" + bytes(65_533)
    return content[:2] + comment * (-(-size // len(comment))) + content[2:]


def hand_in(material: Material, *, pages: int = 1) -> list[Page]:
    """Give a material pages as an upload would, without inspection."""
    made = []
    start = material.pages.count()
    for number in range(start, start + pages):
        content = picture(f"{material.case.number} {material.position}/{number}")
        stored = store_bytes(content=content, kind=Kind.PAGE, media_type="image/jpeg", now=NOW)
        made.append(
            put_page(
                material,
                position=number,
                stored=stored,
                sha256=hashlib.sha256(content).hexdigest(),
                now=NOW,
                pixels=(310, 438),
                dpi=37,
            )
        )
    return made


def look_at_handler(case: Case) -> None:
    """Somebody with the applicant's consent showed a document at the counter, as the service would keep it."""
    IdentityCheck.objects.create(
        case=case,
        person=IdentityPerson.AGENT.value,
        method=IdentityMethod.READER.value,
        document="居民身份证",
        checked_by="clerk",
        checked_at=NOW,
    )


def hand_in_everything(case: Case) -> None:
    """Fill the checklist so that nothing required is missing, and look at who brought it."""
    look_at_handler(case)
    for material in case.materials.select_related("requirement"):
        if material.requirement.required:
            hand_in(material, pages=material.requirement.minimum_pages)
