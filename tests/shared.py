"""Where the shared reference material lies, and how a test says that it needs it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared reference material is not beside this repository"
)


def shared(*parts: str) -> Path:
    """A file or folder of the shared material; skips the running test when it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"shared material is absent: {'/'.join(parts)}")
    return path
