"""`first_text TIMES`: pages handed in to the served installation one by one, and how long each waits for its text."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone

from bench.material import own_samples
from config.demo.intake import open_case
from config.demo.people import assemble
from config.demo.stage import installation, wait_for
from ingest.models import Case
from ingest.uploads import receive_file
from ocr.models import Reading
from registry.actors import Actor


def main(words: Sequence[str]) -> dict[str, object]:
    files = [path for path in own_samples(None).files if path.suffix == ".jpg"][: int(words[0])]
    with installation(), tempfile.TemporaryDirectory(prefix="bench-first-") as folder:
        people, _logins = assemble(Path(folder))
        case = open_case(people)
        return {"seconds": [_waited(case, path, people.clerk) for path in files]}


def _waited(case: Case, path: Path, clerk: Actor) -> float:
    """From handing in the file to the text of its first page, inspection included."""
    begun = time.monotonic()
    file = receive_file(
        case=case,
        material=None,
        path=path,
        original_name=path.name,
        actor=clerk,
        now=timezone.now(),
    )
    page = file.pages.order_by("number")[0]
    wait_for("the text of a page", lambda: Reading.objects.filter(page=page, line_count__gt=0).first())
    return time.monotonic() - begun
