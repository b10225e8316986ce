"""What the integrator's guide shows works as it stands there."""

import re
import time
from collections.abc import Callable
from typing import cast

import pytest

from registry.webhook_signing import headers_for
from tests.ingest.platforms import OTHER_SECRET, SECRET
from tests.shared import ROOT

Verify = Callable[[dict[str, str], bytes, str], bool]
BODY = b'{"type":"case.accepted"}'


@pytest.fixture
def is_genuine() -> Verify:
    """The function of the guide, taken out of it."""
    guide = (ROOT / "docs" / "integrator.md").read_text(encoding="utf-8")
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "is_genuine" in code]
    names: dict[str, object] = {}
    exec(code, names)
    return cast(Verify, names["is_genuine"])


def signed(*secrets: str, at: float = 0) -> dict[str, str]:
    return headers_for(secrets=secrets, message_id="evt_7", timestamp=int(time.time() + at), body=BODY)


def test_the_guides_ten_lines_take_what_we_sign(is_genuine: Verify) -> None:
    assert is_genuine(signed(SECRET), BODY, SECRET)
    assert is_genuine(signed(OTHER_SECRET, SECRET), BODY, SECRET)


def test_and_refuse_what_we_did_not(is_genuine: Verify) -> None:
    assert not is_genuine(signed(OTHER_SECRET), BODY, SECRET)
    assert not is_genuine(signed(SECRET), BODY + b" ", SECRET)
    assert not is_genuine(signed(SECRET, at=-3600), BODY, SECRET)
