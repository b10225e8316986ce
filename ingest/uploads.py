"""An uploaded file becomes pages of a case: inspected, kept as it came, its pages kept beside it."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import Max

from ingest.examining import INFECTED, examine
from ingest.inspect import Inspection, PageImage, TextLine, inspect_file
from ingest.inspect.sentences import FAULTS_VERSION, rescan
from ingest.models import Case, Material, Page, SourceFile
from ingest.rules import CaseState, HandlingState, NotNow
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may, visible
from registry.time import to_the_minute
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.scratch import scratch
from storage.services import fetch_to, store_file

WORTH_ANOTHER_TRY = frozenset({"too_slow", "crashed", "too_heavy", "locked", "wrong_password", INFECTED})
"""Refusals that may end otherwise when the same bytes come again: a busy machine, a password now known, a signature
that its makers took back."""

_A4_INCHES = (11.69, 8.27)


@dataclass(frozen=True)
class Keeping:
    """What lies in the store for one file before anything of it is in the database."""

    found: Inspection
    original: StoredObject | None
    pages: tuple[StoredObject, ...]


def receive_file(
    *,
    case: Case,
    material: Material | None,
    path: Path,
    original_name: str,
    actor: Actor,
    now: datetime,
    password: str | None = None,
) -> SourceFile:
    """Take a file into a case; without a material its pages await sorting.

    A file that inspection refuses leaves a row with the verdict and its sentence, and nothing else.
    The same bytes again in the same case have no second effect: the row of the first time comes back
    (`where_it_is` tells where its pages lie by now). Raises NotNow when the case takes no files.
    """
    check_may(actor, "case.upload", case)
    check_open(case, material)
    if material is not None and material.case_id != case.pk:
        raise Refused("other_case", "这份材料不属于这个办件。")
    known = SourceFile.objects.filter(case=case, sha256=digest_of(path)).first()
    if known is not None and not deserves_another_try(known.verdict, known.code):
        return known
    with scratch("intake") as folder:
        keeping = keep_found(examine(path, folder, password=password), path, now)
    try:
        with transaction.atomic():
            file = _write(keeping, case, material, original_name, actor, now)
    except IntegrityError:
        first = SourceFile.objects.filter(case=case, sha256=keeping.found.sha256).first()
        if first is None:
            raise
        return first  # the same file came twice at once; the other one was faster
    return file


def to_scan_again(file: SourceFile) -> list[str]:
    """A sentence for each page of the file that is hard to read, in their order."""
    pages = file.pages.exclude(faults=[]).order_by("number").values_list("number", "faults")
    return [rescan(number, faults) for number, faults in pages]


def where_it_is(file: SourceFile) -> str:
    """One sentence on when this file came and where its pages are now."""
    came = f"这个文件已于 {to_the_minute(file.uploaded_at)} 上传过"
    if file.verdict == SourceFile.Verdict.REFUSED:
        return f"{came}，当时没有收下：{file.reason}"
    places: dict[str, list[int]] = {}
    for page in file.pages.select_related("material").order_by("material__position", "position"):
        name = f"“{page.material.name}”" if page.material else "“未归类”"
        places.setdefault(name, []).append(page.position + 1)
    said = "；".join(f"{name}第 {_ranges(numbers)} 页" for name, numbers in places.items())
    return f"{came}，在{said}，没有重复收入。"


def also_in(file: SourceFile, actor: Actor) -> str:
    """One sentence on the newest other case that has the same bytes, if the actor may see it; else nothing."""
    twins = visible(actor, "case.see", SourceFile.objects.filter(sha256=file.sha256))
    twin = (
        twins.exclude(case=file.case_id)
        .exclude(verdict=SourceFile.Verdict.REFUSED)
        .select_related("case", "material")
        .order_by("-uploaded_at", "-pk")
        .first()
    )
    if twin is None:
        return ""
    place = f"“{twin.material.name}”" if twin.material else "材料"
    return f"同一个文件已于 {to_the_minute(twin.uploaded_at)} 在办件 {twin.case.number} 的{place}中收过，请确认没有放错办件。"


@dataclass(frozen=True)
class OwnPage:
    """What a page of a PDF brings along: its visible text (boxes in page pixels), and where it stands, as it is,
    in a PDF of pages that may stay so in an archival file (index from 0), or None."""

    text: tuple[TextLine, ...]
    vectors: Path | None
    index: int


def own_pages(file: SourceFile, folder: Path) -> dict[int, OwnPage]:
    """By page number (from 1), those that bring anything along; the PDF of pages is written into `folder`.

    Inspects the kept original again, which draws the same pages; empty for other files and for a
    PDF that was opened with a password.
    """
    if file.stored is None or file.media_type != "application/pdf":
        return {}
    with tempfile.TemporaryDirectory(prefix="own-", dir=folder) as name:
        original = Path(name) / "original"
        fetch_to(file.stored, original)
        found = inspect_file(original, Path(name) / "pages")
        vectors = folder / f"{file.sha256}.vectors.pdf"
        if found.vectors is not None:
            found.vectors.replace(vectors)
    return {
        number: OwnPage(page.text, vectors if page.vector is not None else None, page.vector or 0)
        for number, page in enumerate(found.pages, start=1)
        if page.text or page.vector is not None
    }


def check_open(case: Case, material: Material | None) -> None:
    """Files are taken in while the clerk gathers them, again when something was asked for, and for a promise."""
    if case.state in (CaseState.DRAFT, CaseState.SUPPLEMENT):
        return
    promised = material is not None and material.deferred_until and material.promise_kept_at is None
    if promised and case.state in (CaseState.SUBMITTED, CaseState.PRE_REVIEW, CaseState.ACCEPTED):
        return
    if not any(handling.state == HandlingState.SUPPLEMENT for handling in case.handlings.all()):
        raise NotNow("case_not_open", "办件已提交，不能再上传材料；需要补充时请等审批部门发出补正通知。")


def is_open(case: Case, material: Material | None) -> bool:
    """Whether the case still takes pages there."""
    try:
        check_open(case, material)
    except NotNow:
        return False
    return True


def deserves_another_try(verdict: str, code: str) -> bool:
    """Whether the same bytes may be inspected again: they were refused for something that passes."""
    return verdict == SourceFile.Verdict.REFUSED and code in WORTH_ANOTHER_TRY


def next_position(case_id: int, material_id: int | None) -> int:
    """Behind the pages that a material has, or those of the case that await sorting."""
    last = Page.objects.filter(case=case_id, material=material_id).aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def digest_of(path: Path) -> str:
    """SHA-256 of an uploaded file, in hexadecimal. Raises Refused when it did not arrive."""
    if not path.is_file():
        raise Refused("missing", "没有收到文件，请重新上传。", can_retry=True)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_found(found: Inspection, path: Path, now: datetime) -> Keeping:
    """Bring what was found in the file at `path` into the object store, before the transaction."""
    if found.refused:
        return Keeping(found, None, ())
    original = store_file(path=path, kind=Kind.SOURCE, media_type=found.media_type, now=now)
    if original.sha256 != found.sha256:
        raise Refused("changed_meanwhile", "文件在上传过程中发生了变化，请重新上传。", can_retry=True)
    pages = tuple(
        store_file(path=page.path, kind=Kind.PAGE, media_type=page.media_type, now=now)
        for page in found.pages
    )
    return Keeping(found, original, pages)


def _write(
    keeping: Keeping,
    case: Case,
    material: Material | None,
    original_name: str,
    actor: Actor,
    now: datetime,
) -> SourceFile:
    """The row of the file, its pages and the event, in the transaction of the caller."""
    held = Case.objects.select_for_update().get(pk=case.pk)
    check_open(held, material)
    found = keeping.found
    file = SourceFile.objects.filter(case=held, sha256=found.sha256).first()
    if file is None:
        file = SourceFile(case=held, sha256=found.sha256)
    elif not deserves_another_try(file.verdict, file.code):
        return file
    file.material = material
    file.stored = keeping.original
    file.original_name = Path(original_name).name
    file.size = found.size
    file.media_type = found.media_type
    file.verdict = found.verdict
    file.code = found.code
    file.reason = found.reason[:300]
    file.removed = list(found.removed)
    file.uploaded_by_id = int(actor.id) if actor.kind == "user" else None
    file.uploaded_at = now
    file.save()
    Page.objects.bulk_create(_pages(file, keeping, now))
    record(
        kind="file.refused" if found.refused else "file.received",
        actor=actor,
        subject=file,
        now=now,
        case_number=held.number,
        data={
            "verdict": found.verdict,
            "code": found.code,
            "pages": len(found.pages),
            "material": material.pk if material else None,
            **({"said": found.reason} if found.code == INFECTED else {}),
        },
    )
    return file


def _pages(file: SourceFile, keeping: Keeping, now: datetime) -> list[Page]:
    """Rows for the pages, behind those that the material has already."""
    first = next_position(file.case_id, file.material_id)
    aside = _blank_backs(keeping.found.pages)
    return [
        Page(
            case=file.case,
            material=file.material,
            file=file,
            number=number,
            position=first + number - 1,
            stored=stored,
            sha256=image.sha256,
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            dpi=image.dpi or assumed_dpi(image),
            rotation=image.rotation,
            source=image.source,
            own_text=bool(image.text),
            faults=list(image.faults),
            faults_version=FAULTS_VERSION,
            blank=image.blank,
            set_aside=number in aside,
            captured_at=now,
        )
        for number, (image, stored) in enumerate(
            zip(keeping.found.pages, keeping.pages, strict=True), start=1
        )
    ]


def _blank_backs(images: Sequence[PageImage]) -> set[int]:
    """Numbers of the blank pages among written ones: the backs of a two-sided scan. They are kept and set aside."""
    blank = {number for number, image in enumerate(images, start=1) if image.blank}
    return blank if len(blank) < len(images) else set()


def assumed_dpi(image: PageImage) -> int:
    """For a picture of unknown resolution (phone photo): as if it showed a sheet that fits on A4."""
    long, short = max(image.width, image.height), min(image.width, image.height)
    return max(1, round(max(long / _A4_INCHES[0], short / _A4_INCHES[1])))


def _ranges(numbers: list[int]) -> str:
    """Page numbers for reading: 1–3、5."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return "、".join(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)
