"""First act, at the window in Zhuji: a stack of paper becomes a submitted case with a signed dossier."""

from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone

from config.demo.people import People
from config.demo.samples import Sample, tell
from config.demo.stage import DemoFailed, wait_for
from dossier.models import Dossier
from ingest.models import Case, Material, SourceFile
from ingest.rules import IdentityPerson
from ingest.services.identifying import CardRead, identify_by_card
from ingest.services.intake import Applicant, create_case, submit, take_in_original
from ingest.uploads import receive_file
from registry.models import ServiceItem
from registry.terms import Delivery, Mode

OTHERS = "其他佐证材料"
"""The checklist row that takes any other paper: here the files that somebody passes of their own."""


def open_case(people: People) -> Case:
    """收受分离: the clerk acts for the applicant, the office in Taizhou decides."""
    words = tell(1).words
    return create_case(
        item=ServiceItem.objects.get(code="TZ-ZJ-001", version=1),
        window=people.window,
        offices=[people.office],
        mode=Mode.WINDOW_FORWARD,
        applicant=Applicant(
            name=words["company"], id_number=words["uscc"], phone=words["phone"], address=words["home"]
        ),
        delivery=Delivery.MAIL,
        agent_consent=True,
        actor=people.clerk,
        now=timezone.now(),
    )


def look_at_handler(case: Case, people: People) -> None:
    """A unit applies, so it is its handler who lays a card on the reader."""
    words = tell(1).words
    card = CardRead(words["agent"], words["agent_id"], valid_until=None)
    identify_by_card(
        case=case, person=IdentityPerson.AGENT, card=card, actor=people.clerk, now=timezone.now()
    )


def hand_in(case: Case, samples: Sequence[Sample], own: Sequence[Path], people: People) -> list[SourceFile]:
    """Upload everything, and the first file a second time, which must change nothing."""
    materials = {material.name: material for material in case.materials.all()}
    files = [_upload(case, materials[sample.material], sample.path, people) for sample in samples]
    for file, sample in zip(files, samples, strict=True):
        if file.verdict == SourceFile.Verdict.REFUSED:
            raise DemoFailed(f"{sample.path.name} was refused: {file.reason}")
    before = case.pages.count()
    again = _upload(case, materials[samples[0].material], samples[0].path, people)
    if again != files[0] or case.pages.count() != before:
        raise DemoFailed("a second upload of the same file had an effect")
    return files + [_upload(case, materials[OTHERS], path, people) for path in own]


def take_in_originals(case: Case, people: People) -> None:
    """Papers that the office must see on paper are written down, verified, at the window."""
    for material in case.materials.filter(requirement__mailed=True):
        take_in_original(material=material, name="", verified=True, actor=people.clerk, now=timezone.now())


def submit_and_sign(case: Case, people: People) -> Dossier:
    """Submit; the workers read what is left, bind, sign and store the dossier."""
    submit(case=case, actor=people.clerk, now=timezone.now())
    return wait_for("the signed dossier", lambda: _signed(case), within=300)


def _signed(case: Case) -> Dossier | None:
    return Dossier.objects.filter(handling__case=case, version=1, stored__isnull=False).first()


def _upload(case: Case, material: Material, path: Path, people: People) -> SourceFile:
    return receive_file(
        case=case,
        material=material,
        path=path,
        original_name=path.name,
        actor=people.clerk,
        now=timezone.now(),
    )
