"""One sealed dossier, made once, and the dossier of a submitted case; tests that change a file work on copies."""

from pathlib import Path

import pytest
from django.test import Client

from dossier.assemble import assemble
from dossier.contents import OFFICE_RECEIPT, WINDOW_SEAL
from dossier.models import Dossier
from dossier.services import build
from ingest.models import Handling
from registry.actors import SYSTEM
from registry.models import User
from tests.cast import PLACES_AND_PEOPLE, Cast
from tests.cast import assemble as gather_cast
from tests.dossier.cases import LATER, submitted, the_submitted
from tests.dossier.paper import SealOffice, draw_page, plan_of
from tests.kept import Kept


@pytest.fixture(scope="session")
def seals(tmp_path_factory: pytest.TempPathFactory) -> SealOffice:
    return SealOffice(tmp_path_factory.mktemp("authority") / "keys")


@pytest.fixture(scope="session")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dossier")
    pages = [draw_page(folder / f"{index}.jpg", lines=(f"第{index}页的内容",)) for index in (1, 2)]
    return assemble(plan_of(*pages), folder / "unsigned.pdf").path


@pytest.fixture(scope="session")
def sealed(unsigned: Path, seals: SealOffice) -> Path:
    """Certified by the window, B-LTA."""
    return seals.seal(unsigned, unsigned.with_name("sealed.pdf"), WINDOW_SEAL)


@pytest.fixture(scope="session")
def countersigned(sealed: Path, seals: SealOffice) -> Path:
    """The same with the office's receipt."""
    return seals.seal(sealed, sealed.with_name("countersigned.pdf"), OFFICE_RECEIPT, signer=seals.office)


@pytest.fixture
def cast(db: None) -> Cast:
    return gather_cast()


@pytest.fixture(scope="session")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The same case for every test, handed in once: each page is drawn, inspected and stored."""
    return Kept(lambda: submitted(gather_cast(), tmp_path_factory.mktemp("handed-in")), on=PLACES_AND_PEOPLE)


@pytest.fixture
def handling(cast: Cast, objects: None, submission: Kept) -> Handling:
    submission.lay_out()
    return the_submitted()


@pytest.fixture
def signed(handling: Handling) -> Dossier:
    return build(handling=handling, version=1, actor=SYSTEM, now=LATER)


@pytest.fixture
def officer(client: Client, cast: Cast) -> Client:
    client.force_login(User.objects.get(pk=cast.officer.id))
    return client
