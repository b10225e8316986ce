"""Engaging a carrier from the command line: once, with secrets that are never shown."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from logistics.models import CarrierAccount
from tests.cast import assemble

pytestmark = pytest.mark.django_db

WISH = {
    "carrier": "trial",
    "name": "试用速递",
    "adapter": "neutral",
    "centre": "centre-331000",
    "number": "9000000001",
    "credentials": {"api_key": "key-1", "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    "options": {"base_url": "http://127.0.0.1:1"},
}


def engage(path: Path, **changes: object) -> str:
    path.write_text(json.dumps(WISH | changes), encoding="utf-8")
    output = io.StringIO()
    call_command("carrier_account", str(path), stdout=output)
    return output.getvalue()


def test_an_engaged_carrier_has_an_account_and_a_push_address(tmp_path: Path) -> None:
    assemble()
    address = engage(tmp_path / "wish.json")
    account = CarrierAccount.objects.get(carrier__code="trial")
    assert account.centre.code == "centre-331000"
    assert account.path_token in address
    assert "whsec" not in address


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"centre": "nowhere"}, "unknown centre"),
        ({"adapter": "pigeon"}, ""),
        ({"credentials": {"api_key": "key-1"}}, ""),
        ({"credentials": "whsec_secret"}, "wrong or missing: credentials"),
        ({"surprise": 1}, "wrong or missing: surprise"),
    ],
)
def test_a_wrong_wish_is_told_and_leaves_nothing(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    assemble()
    with pytest.raises(CommandError) as refused:
        engage(tmp_path / "wish.json", **changes)
    assert said in str(refused.value)
    assert "whsec" not in str(refused.value)
    assert not CarrierAccount.objects.filter(carrier__code="trial").exists()
