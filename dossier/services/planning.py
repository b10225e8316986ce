"""From the rows of a case to the plan of a dossier, with the files laid out in a folder."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from dossier.contents import (
    DossierPlan,
    LookedAt,
    MaterialPlan,
    OriginalPlan,
    PagePlan,
    RecordEntry,
    SlipPlan,
    TextLine,
    VectorPlan,
)
from dossier.models import Dossier
from dossier.own_text import keep_own, own_count
from ingest.models import Case, Handling, Page, SourceFile
from ingest.uploads import OwnPage, own_pages
from ocr.models import Correction, Reading
from registry.models import Event, Slip, User
from registry.paper.kinds import SlipKind
from registry.terms import Mode
from registry.time import local
from registry.tokens import Purpose, write
from storage.encryption import blind_index
from storage.models import StoredObject
from storage.services import fetch_to

SLIPS = (SlipKind.RECEIPT, SlipKind.ACCEPTANCE, SlipKind.NOTICE, SlipKind.REFUSAL)
UNSORTED = "其他材料"
HAPPENED = {
    "case.created": "窗口收件建档",
    "case.submitted": "窗口核验材料后提交",
    "handling.pre_reviewed": "审批部门预审通过",
    "handling.accepted": "受理",
    "handling.supplement_asked": "一次性告知，要求补正",
    "handling.resubmitted": "补正材料后重新提交",
    "handling.refused": "不予受理",
    "handling.decided": "作出审批决定",
    "original.taken_in": "收取材料原件",
    "material.deferred": "容缺受理，承诺限期补交",
    "handling.promise_kept": "容缺材料补齐",
    "slip.issued": "出具文书",
}


def plan_of(dossier: Dossier, folder: Path) -> DossierPlan:
    """The plan as of `dossier.made_at`, so that making it again gives the same. Fetches every file into `folder`."""
    handling = dossier.handling
    case = handling.case
    pages = list(
        Page.objects.filter(case=case, set_aside=False, captured_at__lte=dossier.made_at)
        .select_related("stored", "file__stored", "file__uploaded_by", "material")
        .order_by("material__position", "position", "pk")
    )
    readings = Reading.objects.current_of(pages)
    said = Correction.objects.filter(corrected_at__lte=dossier.made_at).of_pages(pages)
    own = _own(pages, folder)
    plans = {
        page.pk: _page_plan(page, readings.get(page.pk), said.get(page.pk, []), own.get(page.pk), folder)
        for page in pages
    }
    return DossierPlan(
        case_number=case.number,
        version=dossier.version,
        item=case.item.name,
        applicant=case.applicant_name,
        office=handling.office.name,
        window=case.window.name,
        centre=case.window.centre.name,
        qr_text=write(Purpose.DOSSIER, dossier.token).text,
        made_at=dossier.made_at,
        facts=_facts(case, handling),
        slips=_slips(dossier, folder),
        materials=_materials(case, pages, plans),
        record=_record(dossier),
        originals=_originals(pages, folder),
        level=settings.SIGNATURE_LEVEL,
    )


def _materials(case: Case, pages: list[Page], plans: dict[int, PagePlan]) -> tuple[MaterialPlan, ...]:
    materials = [
        MaterialPlan(
            material.name, tuple(plans[page.pk] for page in pages if page.material_id == material.pk)
        )
        for material in case.materials.order_by("position")
    ]
    loose = tuple(plans[page.pk] for page in pages if page.material_id is None)
    if loose:
        materials.append(MaterialPlan(UNSORTED, loose))
    return tuple(materials)


def _own(pages: list[Page], folder: Path) -> dict[int, OwnPage]:
    """What the pages of uploaded PDFs bring along, by the page's key; each PDF is looked into once."""
    files = {page.file_id: page.file for page in pages if page.own_text}
    found = {key: own_pages(file, folder) for key, file in files.items()}
    return {
        page.pk: own
        for page in pages
        if page.own_text and (own := found[page.file_id].get(page.number)) is not None
    }


def _page_plan(
    page: Page,
    reading: Reading | None,
    corrections: list[Correction],
    own: OwnPage | None,
    folder: Path,
) -> PagePlan:
    stands = reading.standing(corrections) if reading else None
    read = [TextLine(line.text, line.box, line.confidence) for line in stands.printed] if stands else []
    said = own.text if own else ()
    lines = keep_own(said, read)
    return PagePlan(
        path=_fetched(page.stored, folder),
        media_type=page.media_type,
        sha256=page.sha256,
        width=page.width,
        height=page.height,
        dpi=page.dpi,
        rotation=page.rotation,
        source_name_hash=blind_index(page.file.original_name) if page.file.original_name else "",
        captured_by=_label(page.file.uploaded_by, page.file),
        captured_at=page.captured_at,
        lines=lines,
        angle=reading.slope if reading else 0.0,
        reader=reading.engine if reading else "",
        reader_version=reading.engine_version if reading else "",
        unreadable=not said and (reading is None or reading.unreadable),
        own_lines=own_count(said),
        vector=VectorPlan(own.vectors, own.index) if own and own.vectors else None,
        corrections=(Page.Source(page.source).label,) if page.source != Page.Source.AS_CAPTURED else (),
        looked_at=tuple(
            LookedAt(correction.line, correction.confirms, correction.corrected_by, correction.corrected_at)
            for correction in corrections
        ),
    )


def _label(user: User | None, file: SourceFile) -> str:
    return user.username if user else "平台接口"


def _facts(case: Case, handling: Handling) -> tuple[tuple[str, str], ...]:
    facts = [("办理模式", Mode(case.mode).label)]
    moments = (
        ("收件日期", case.created_at),
        ("提交日期", case.submitted_at),
        ("受理日期", handling.accepted_at),
    )
    facts += [(label, f"{local(at):%Y}年{local(at).month}月{local(at).day}日") for label, at in moments if at]
    if handling.deadline:
        day = handling.deadline
        facts.append(("承诺办结", f"{day.year}年{day.month}月{day.day}日"))
    return tuple(facts)


def _slips(dossier: Dossier, folder: Path) -> tuple[SlipPlan, ...]:
    handling = dossier.handling
    slips = Slip.objects.filter(
        Q(office=handling.office) | Q(office__isnull=True) | Q(subject_type=Case._meta.label_lower),
        case_number=handling.case.number,
        kind__in=[kind.value for kind in SLIPS],
        stored__isnull=False,
        issued_at__lte=dossier.made_at,
    ).select_related("stored")
    return tuple(
        SlipPlan(SlipKind(slip.kind).label, _fetched(slip.stored, folder), slip.number)
        for slip in slips.order_by("issued_at", "pk")
        if slip.stored is not None
    )


def _record(dossier: Dossier) -> tuple[RecordEntry, ...]:
    handling = dossier.handling
    own = [handling._meta.label_lower, str(handling.pk)]
    events = Event.objects.filter(
        case_number=handling.case.number, kind__in=HAPPENED, at__lte=dossier.made_at
    ).order_by("sequence")
    return tuple(
        RecordEntry(event.at, event.actor_label, HAPPENED[event.kind])
        for event in events
        if not event.kind.startswith("handling.") or [event.subject_type, event.subject_id] == own
    )


def _originals(pages: list[Page], folder: Path) -> tuple[OriginalPlan, ...]:
    """Uploaded pictures whose pages are not their own bytes (HEIC, WebP, TIFF) travel along."""
    files = {
        page.file_id: page.file
        for page in pages
        if page.source == Page.Source.REENCODED and page.file.media_type.startswith("image/")
    }
    return tuple(
        OriginalPlan(
            f"{file.sha256[:16]}.{file.media_type.rpartition('/')[2]}",
            _fetched(file.stored, folder),
            file.media_type,
            file.sha256,
        )
        for file in files.values()
        if file.stored is not None
    )


def _fetched(stored: StoredObject | None, folder: Path) -> Path:
    if stored is None:
        raise ValueError("there is no stored object to fetch")
    path = folder / hashlib.sha256(stored.key.encode()).hexdigest()[:32]
    if not path.exists():
        fetch_to(stored, path)
    return path
