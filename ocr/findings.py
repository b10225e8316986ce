"""What was found on the pages of a case, as it stands now, ready to be compared. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum

from ingest.models import Case, Material, Page
from ocr.comparing import Finding, Paper, Place, Registered, compare
from ocr.models import Correction, Reading, Review
from ocr.standing import Standing

UNSORTED = "未归类"


@dataclass(frozen=True)
class PageText:
    """A page with what stands on it; None where nobody has read it yet."""

    page: Page
    standing: Standing | None


def texts_of(pages: Iterable[Page]) -> list[PageText]:
    """The pages with what stands on them by now, in two queries."""
    pages = list(pages)
    readings, said = Reading.objects.current_of(pages), Correction.objects.of_pages(pages)
    return [
        PageText(
            page, reading.standing(said.get(page.pk, [])) if (reading := readings.get(page.pk)) else None
        )
        for page in pages
    ]


def findings_of(case: Case) -> list[Finding]:
    """Everything on the case's pages that does not agree. Pages set aside do not count."""
    materials = list(case.materials.select_related("requirement").order_by("position"))
    pages = case.pages.filter(set_aside=False).select_related("material").order_by("position", "pk")
    texts = texts_of(pages)
    papers = [
        _paper(material, [text for text in texts if text.page.material_id == material.pk])
        for material in materials
    ]
    loose = [text for text in texts if text.page.material_id is None]
    if loose:
        papers.append(Paper(UNSORTED, (), tuple(_places(UNSORTED, loose))))
    return compare(
        papers, Registered(case.applicant_name, case.applicant_id_number.upper(), case.applicant_phone)
    )


def waiting_in(case: Case) -> int:
    """How many places on the case's pages wait for a person."""
    counted = Review.objects.filter(page__case=case, page__set_aside=False).aggregate(waiting=Sum("open"))
    return counted["waiting"] or 0


def _paper(material: Material, texts: list[PageText]) -> Paper:
    return Paper(
        material.name,
        tuple(material.requirement.expected_fields),
        tuple(_places(material.name, texts)),
        read=bool(texts) and all(text.standing is not None for text in texts),
    )


def _places(name: str, texts: list[PageText]) -> list[Place]:
    return [
        Place(field, text.page.pk, number, name, field.line in text.standing.marks)
        for number, text in enumerate(texts, 1)
        if text.standing is not None
        for field in text.standing.fields
    ]
