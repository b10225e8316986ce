"""One sealed dossier, made once; tests that change it work on copies."""

from pathlib import Path

import pytest

from dossier.assemble import assemble
from dossier.contents import OFFICE_RECEIPT, WINDOW_SEAL
from tests.dossier.paper import SealOffice, draw_page, plan_of


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
