"""A submitted case and its sealed dossier, for tests of services and pages."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from dossier.contents import PagePlan
from dossier.models import Dossier
from ingest.models import Handling, Page
from ingest.services.intake import submit
from ingest.uploads import receive_file
from ocr.models import Reading
from storage.services import fetch_to
from tests.cast import NOW, Cast, open_case
from tests.dossier.paper import LINES, draw_page
from tests.ingest.paper import look_at_handler

LATER = NOW + timedelta(minutes=10)


def read_as_drawn(page: Page, plan: PagePlan) -> None:
    """What a perfect reader would have kept."""
    lines = [
        {
            "text": line.text,
            "box": line.box,
            "confidence": 0.99,
            "row": row,
            "seal": False,
            "vertical": False,
            "chars": [],
        }
        for row, line in enumerate(plan.lines)
    ]
    Reading.objects.create(
        page=page,
        engine="test",
        engine_version="1",
        settings_digest="x",
        precision="exact",
        lines=lines,
        line_count=len(lines),
        seconds=0,
        read_at=NOW,
    )


def submitted(cast: Cast, folder: Path) -> Handling:
    """A submitted case: every material has its pages, and every page was read."""
    case = open_case(cast)
    for material in case.materials.select_related("requirement"):
        for number in range(material.requirement.minimum_pages):
            plan = draw_page(
                folder / f"{material.pk}-{number}.jpg", lines=(material.name, f"第{number}页", *LINES)
            )
            receive_file(
                case=case,
                material=material,
                path=plan.path,
                original_name="张三.jpg",
                actor=cast.clerk,
                now=NOW,
            )
            read_as_drawn(material.pages.order_by("-pk")[0], plan)
    look_at_handler(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    return the_submitted()


def the_submitted() -> Handling:
    return Handling.objects.select_related("case__window", "case__item", "office").latest("pk")


def file_of(dossier: Dossier, folder: Path) -> Path:
    path = folder / f"{dossier.sha256[:8]}.pdf"
    assert dossier.stored is not None
    fetch_to(dossier.stored, path)
    return path


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content
