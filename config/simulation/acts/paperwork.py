"""One case in so many has real pages: they are uploaded, read, bound and sealed, and the office signs for the dossier."""

import io

from PIL import Image, ImageDraw, ImageFont

from config.simulation.world import Deed, World
from dossier.models import Dossier, DossierState
from dossier.services import authorise_download, confirm_result, countersign
from ingest.models import Case, Material
from ingest.uploads import receive_file
from registry.actors import Actor
from storage.scratch import scratch

DPI = 106
PIXELS = (620, 877)
"""A5 at 106 dpi: as small as a page may be."""
ON_PAPER = frozenset(
    {
        "read_page",
        "issue_receipt",
        "build_dossier",
        "rebuild_dossier",
        "issue_acceptance",
        "issue_notice",
        "issue_refusal",
        "issue_counter_proof",
        "issue_fetched_proof",
        "print_slip",
        "keep_page_unread",
        "compare_arrival",
        "open_arrival_incident",
    }
)
"""Reactions that are played for these cases alone: each takes a second or more."""


def upload_page(world: World, case: Case, clerk: Actor) -> Deed | None:
    """The next page that the checklist wants of a case with real pages; None when all are there."""
    for material in case.materials.select_related("requirement").filter(requirement__required=True):
        here = material.pages.count()
        if here < material.requirement.minimum_pages:
            return _upload(world, case, material, here + 1, clerk)
    return None


def sign_dossier(world: World) -> Deed | None:
    """An officer takes a dossier of theirs, signs for it, confirms the result in it, or takes a copy."""
    if not world.on_paper:
        return None
    officer = world.dice.choice(world.people.officers)
    ready = Dossier.objects.filter(handling__office=officer.office_id, state=DossierState.SIGNED)
    dossier = world.one_row(ready.select_related("handling__case"))
    if dossier is None:
        return None
    pk = dossier.pk
    about = f"{dossier.handling.case.number} v{dossier.version}"
    occasions = set(dossier.revisions.values_list("occasion", flat=True))

    def fresh() -> Dossier:
        return Dossier.objects.select_related("handling__case", "handling__office").get(pk=pk)

    if "received" not in occasions:
        return Deed(
            "countersign dossier",
            officer.label,
            about,
            lambda: countersign(dossier=fresh(), actor=officer, now=world.clock.now()),
        )
    if "decided" not in occasions and dossier.handling.decided_at is not None:
        return Deed(
            "confirm result",
            officer.label,
            about,
            lambda: confirm_result(dossier=fresh(), actor=officer, now=world.clock.now()),
        )
    if not world.chance(0.1):
        return None
    return Deed(
        "take a copy of the dossier",
        officer.label,
        about,
        lambda: authorise_download(dossier=fresh(), actor=officer, now=world.clock.now()),
    )


def _upload(world: World, case: Case, material: Material, number: int, clerk: Actor) -> Deed:
    picture = as_jpeg(draw_page(words_on(case, material, number)))
    return Deed(
        "upload page",
        clerk.label,
        f"{case.number} {material.name}",
        lambda: _receive(world, material.pk, picture, clerk),
    )


def words_on(case: Case, material: Material, number: int) -> str:
    """What stands on a page of a case: no two are alike."""
    return f"{case.number} {material.position} {number}"


def draw_page(words: str, *, changed: bool = False) -> Image.Image:
    """A small page on which these words stand, line by line; on a `changed` one, two lines say something else."""
    picture = Image.new("L", PIXELS, 255)
    pen = ImageDraw.Draw(picture)
    for line in range(6):
        said = "X9 0000 7777 Q" if changed and line in (2, 3) else words
        pen.text((40, 60 + 90 * line), f"{said} - {line}", font=ImageFont.load_default(28), fill=0)
    return picture


def as_jpeg(picture: Image.Image) -> bytes:
    """The bytes as a scanner gives them, the same each time."""
    written = io.BytesIO()
    picture.save(written, format="JPEG", quality=85, dpi=(DPI, DPI))
    return written.getvalue()


def _receive(world: World, material_id: int, picture: bytes, clerk: Actor) -> None:
    material = Material.objects.select_related("case").get(pk=material_id)
    with scratch("simulated") as folder:
        path = folder / "page.jpg"
        path.write_bytes(picture)
        receive_file(
            case=material.case,
            material=material,
            path=path,
            original_name="page.jpg",
            actor=clerk,
            now=world.clock.now(),
        )
