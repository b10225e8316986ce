"""Slips to look at on the screen: for those who may print them, before and after they are printed."""

import pytest

from registry.models import Slip
from tests.cast import Cast, open_case
from tests.config.conftest import SignIn
from tests.config.world import populate
from tests.logistics.road import Road

pytestmark = pytest.mark.django_db


def test_an_issued_slip_is_shown_before_its_pdf_is_made(road: Road, sign_in: SignIn) -> None:
    world = populate(road)
    assert world.slip.stored_id is None
    clerk = sign_in(road.cast.clerk)
    page = clerk.get(f"/cases/{world.case.number}/").text
    assert f"/slips/{world.slip.pk}/" in page
    answer = clerk.get(f"/slips/{world.slip.pk}/")
    assert answer.status_code == 200
    assert Slip.objects.get(pk=world.slip.pk).data["number"] in answer.text
    assert "收件凭证" in answer.text
    assert "预览　未出具" not in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    for stranger in (road.cast.other_clerk, road.cast.other_officer, road.cast.finance, road.cast.auditor):
        assert sign_in(stranger).get(f"/slips/{world.slip.pk}/").status_code == 404


def test_the_receipt_of_a_draft_is_marked_as_not_issued(cast: Cast, sign_in: SignIn) -> None:
    case = open_case(cast)
    address = f"/cases/{case.number}/receipt/preview/"
    clerk = sign_in(cast.clerk)
    assert address in clerk.get(f"/cases/{case.number}/").text
    shown = clerk.get(address).text
    assert "预览　未出具" in shown
    assert case.item.name in shown
    assert not Slip.objects.exists()
    for stranger in (cast.other_clerk, cast.finance, cast.auditor, cast.administrator):
        assert sign_in(stranger).get(address).status_code == 404
