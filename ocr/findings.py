"""What was found on the pages of a case, as it stands now, ready to be compared. Reads only."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from ingest.models import Case, Material, Page
from ocr.comparing import Finding, Paper, Place, Registered, compare
from ocr.continuing import Leaf, carried_on
from ocr.fields import Field
from ocr.models import Correction, Reading, Review
from ocr.standing import Standing

UNSORTED = "未归类"


@dataclass(frozen=True)
class PageText:
    """A page with what stands on it; None where nobody has read it yet."""

    page: Page
    standing: Standing | None


@dataclass(frozen=True)
class Suggestion:
    """A page that seems to belong elsewhere: by its own text, or because it carries on the page before it."""

    page: Page
    suggested: Material
    lies: Material | None
    carries_on: bool


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


def findings_of(case: Case, today: date) -> list[Finding]:
    """Everything on the case's pages that does not agree or does not hold. Pages set aside do not count.

    Opens the fields of every page, the whole text only of pages that somebody corrected.
    """
    materials = list(case.materials.select_related("requirement").order_by("position"))
    pages = list(case.pages.filter(set_aside=False).order_by("position", "pk"))
    found = _fields_of(pages)
    papers = [
        _paper(material, [page for page in pages if page.material_id == material.pk], found)
        for material in materials
    ]
    if loose := [page for page in pages if page.material_id is None]:
        papers.append(Paper(UNSORTED, (), tuple(_places(UNSORTED, loose, found))))
    registered = Registered(case.applicant_name, case.applicant_id_number.upper(), case.applicant_phone)
    return compare(papers, registered, today)


def misplaced_in(case: Case) -> list[Suggestion]:
    """Pages whose text points to another row of the checklist than the one they lie in, or that carry on such a page.

    Two thousand at most; in the order in which they came. Two queries.
    """
    reviews = Review.objects.filter(page__case=case, page__set_aside=False).select_related("page")
    came = list(
        reviews.only(
            "printed_number", "printed_total", "begins_within", "breaks_off", "suggested", "page__material",
            "page__position", "page__file", "page__number",
        ).order_by("page__file", "page__number")
    )  # fmt: skip
    carried = carried_on(
        [
            Leaf(
                review.page_id,
                review.page.file_id,
                review.page.material_id,
                review.suggested_id,
                review.edges,
            )
            for review in came
        ]
    )
    materials = case.materials.in_bulk()
    found = [
        (review.page, review.suggested_id or carried.get(review.page_id), review.suggested_id is None)
        for review in came
    ]
    return [
        Suggestion(page, materials[key], materials.get(page.material_id or 0), carries_on=carries_on)
        for page, key, carries_on in found
        if key in materials and key != page.material_id
    ]


def waiting_in(case: Case) -> int:
    """How many places on the case's pages wait for a person."""
    counted = Review.objects.filter(page__case=case, page__set_aside=False).aggregate(waiting=Sum("open"))
    return counted["waiting"] or 0


def unread_in(case: Case) -> int:
    """How many of the case's pages nobody and nothing has read yet; one that was given up has been read."""
    return case.pages.filter(set_aside=False, review__isnull=True).count()


Found = dict[int, tuple[Sequence[Field], Collection[int]]]
"""The fields of each page that was read, and the lines a person looked at, by the page's key."""


def _fields_of(pages: list[Page]) -> Found:
    said = Correction.objects.of_pages(pages)
    touched = [page for page in pages if page.pk in said]
    found: Found = {
        text.page.pk: (text.standing.fields, text.standing.marks)
        for text in texts_of(touched)
        if text.standing
    }
    others = [page for page in pages if page.pk not in said]
    readings = Reading.objects.defer("lines").current_of(others)
    return found | {key: (reading.found_fields(), ()) for key, reading in readings.items()}


def _paper(material: Material, pages: list[Page], found: Found) -> Paper:
    return Paper(
        material.name,
        tuple(material.requirement.expected_fields),
        tuple(_places(material.name, pages, found)),
        read=bool(pages) and all(page.pk in found for page in pages),
    )


def _places(name: str, pages: list[Page], found: Found) -> list[Place]:
    return [
        Place(field, page.pk, number, name, field.line in looked_at)
        for number, page in enumerate(pages, 1)
        for fields, looked_at in [found.get(page.pk, ((), ()))]
        for field in fields
    ]
