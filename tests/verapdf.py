"""veraPDF for tests: `python -m tests.verapdf FILE…` prints PASS or FAIL with the failing rules."""

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from dossier.independent import CheckerMissing, PdfaResult, check_pdfa, main


def assert_pdfa(*paths: Path) -> None:
    """Every file is PDF/A-3b, or the test fails with the rules that it breaks. Skips without veraPDF."""
    broken = [
        f"{Path(item.path).name}: {rule}"
        for item in _checked(paths)
        for rule in item.failures or ("",)
        if not item.conforms
    ]
    assert not broken, "\n".join(broken)


def _checked(paths: Iterable[Path]) -> list[PdfaResult]:
    try:
        return check_pdfa(paths)
    except CheckerMissing as missing:
        pytest.skip(f"veraPDF is not installed: {missing}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
