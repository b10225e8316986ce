"""全程网办: the paper that an applicant still has to send to the office, from the application until it lies there."""

from collections.abc import Collection
from datetime import date, datetime

from ingest.models import Case, Material, Original, OriginalStop
from ingest.rules import NEEDS_NO_PAPER, HandlingState, NotNow
from registry.actors import Actor
from registry.events import record
from registry.terms import Mode
from storage.errors import Refused

STILL_NEEDED = frozenset(HandlingState.values()) - NEEDS_NO_PAPER - {HandlingState.WAITING}
"""States of a handling in which its office waits for paper: handed in, and not over."""
NOT_HERE = (Original.Place.APPLICANT, Original.Place.PARCEL, Original.Place.LOST)


def await_papers(*, case: Case, on_paper: Collection[int], actor: Actor, now: datetime) -> list[Original]:
    """Write down which papers the applicant has to send, in the transaction of the submission; they lie with the applicant.

    Those that the item wants on paper, unless data are shared or an optional one was not handed in at all, and those at
    the positions `on_paper`. What a window took in is there already and travels from it.
    """
    if case.mode != Mode.ONLINE:
        if on_paper:
            raise Refused("paper_mode", "只有全程网办的办件由申请人自行寄送纸质材料。")
        return []
    rows = case.materials.select_related("requirement").prefetch_related("originals", "pages")
    materials = {material.position: material for material in rows}
    if not materials.keys() >= set(on_paper):
        raise Refused("unknown_material", "材料清单中没有这个序号。")
    wanted = [
        material
        for position, material in sorted(materials.items())
        if not material.originals.all() and (position in on_paper or _wants_paper(material))
    ]
    handling = case.handlings.get(is_lead=True)
    made = []
    for material in wanted:
        original = Original.objects.create(
            case=case,
            handling=handling,
            material=material,
            kind=Original.Kind.MATERIAL,
            name=material.name,
            from_applicant=True,
            place=Original.Place.APPLICANT,
            place_id=case.pk,
            moved_at=now,
        )
        OriginalStop.objects.create(original=original, handling=handling, position=1)
        record(
            kind="original.awaited",
            actor=actor,
            subject=original,
            now=now,
            case_number=case.number,
            data={"material": material.position},
        )
        made.append(original)
    return made


def awaited(case: Case) -> list[Original]:
    """What lies with the applicant and is still wanted, in checklist order; one query."""
    waiting = Original.objects.filter(
        case=case,
        from_applicant=True,
        place=Original.Place.APPLICANT,
        stops__reached_at__isnull=True,
        stops__handling__state__in=sorted(STILL_NEEDED),
    )
    return list(waiting.select_related("material__requirement").order_by("material__position", "pk"))


def coming(case: Case) -> list[Original]:
    """What an envelope may still bring to the office: all that lies with the applicant and never came, also after the case
    ended meanwhile; one query.
    """
    lying = Original.objects.filter(
        case=case, from_applicant=True, place=Original.Place.APPLICANT, stops__reached_at__isnull=True
    )
    return list(lying.select_related("material__requirement").order_by("material__position", "pk"))


def lacking_papers(case: Case, *, today: date) -> list[Original]:
    """Required papers from the applicant that never came to the office; one promised for a later day (容缺) is not missing.

    One that was confirmed lost on its way is not waited for any more.
    """
    waiting = Original.objects.filter(
        case=case,
        from_applicant=True,
        place__in=NOT_HERE,
        stops__reached_at__isnull=True,
        material__requirement__required=True,
    ).select_related("material")
    return [original for original in waiting.order_by("pk") if not _is_promised(original, today)]


def check_wanted(case: Case, chosen: Collection[int], *, arrived: bool = False) -> list[Original]:
    """The awaited originals with these ids, every one of them being awaited. Raises NotNow, Refused.

    What has `arrived` lies at the office, whether anybody still waits for it or not.
    """
    lying = {original.pk: original for original in (coming(case) if arrived else awaited(case))}
    if not lying:
        raise NotNow("papers_none", "没有等待申请人寄送的纸质材料，或都已登记寄出。")
    if not chosen:
        raise Refused("papers_choice", "请勾选信封里有哪些材料。")
    if not lying.keys() >= set(chosen):
        raise Refused("papers_choice", "所选材料不在待寄送的清单内，请刷新页面后重新勾选。")
    return [lying[pk] for pk in lying if pk in set(chosen)]


def _wants_paper(material: Material) -> bool:
    requirement = material.requirement
    if not requirement.mailed or requirement.shared_data:
        return False
    return requirement.required or any(not page.set_aside for page in material.pages.all())


def _is_promised(original: Original, today: date) -> bool:
    material = original.material
    until = material.deferred_until if material else None
    return until is not None and until >= today
