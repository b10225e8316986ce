"""Filling a parcel with the scanner: by the slip of a case, by the separator sheet of a material."""

from datetime import timedelta

import pytest

from ingest.models import Case, Material
from ingest.slips import receipt_of
from logistics.models import Parcel
from logistics.rules.parcels import NotNow
from logistics.services.filling import fill_by_scan
from logistics.services.parcels import remove_original
from registry.actors import SYSTEM
from registry.models import Slip
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.permissions import NotYours
from registry.tokens import ForeignCode, Purpose, WrongPurpose, mint, write
from storage.errors import Refused
from tests.cast import NOW
from tests.logistics.road import Road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def bag(road: Road) -> Parcel:
    """Begun with the first original alone."""
    return road.packed([road.originals[0]])


def slip_of(case: Case) -> str:
    """The code on the receipt that the applicant was given."""
    slip: Slip = issue(
        kind=SlipKind.RECEIPT, subject=case, data=receipt_of(case, received_at=NOW), actor=SYSTEM, now=NOW
    )
    return write(Purpose.SLIP, slip.code).text


def separator_of(material: Material) -> str:
    """The code on the sheet that lies before this material."""
    token = mint(Purpose.MATERIAL)
    Material.objects.filter(pk=material.pk).update(token=token.identifier)
    return token.text


def test_the_slip_brings_all_that_lies_here_of_its_case(road: Road, bag: Parcel) -> None:
    code = slip_of(road.case)
    added = fill_by_scan(parcel=bag, token=code, actor=road.cast.clerk, now=NOW)
    assert added == [road.originals[1]]
    assert fill_by_scan(parcel=bag, token=code, actor=road.cast.clerk, now=NOW) == []
    assert bag.items.count() == len(road.originals)
    second = road.another_case()
    added = fill_by_scan(parcel=bag, token=slip_of(second[0].case), actor=road.cast.clerk, now=NOW)
    assert added == second


def test_the_separator_brings_its_material_alone(road: Road, bag: Parcel) -> None:
    remove_original(parcel=bag, original=road.originals[0], actor=road.cast.clerk, now=NOW)
    wanted = road.originals[1]
    assert wanted.material is not None
    code = separator_of(wanted.material)
    assert fill_by_scan(parcel=bag, token=f" {code} ", actor=road.cast.clerk, now=NOW) == [wanted]


def test_what_lies_in_another_bag_or_goes_too_early_says_why(road: Road, bag: Parcel) -> None:
    clerk = road.cast.clerk
    fill_by_scan(parcel=bag, token=slip_of(road.case), actor=clerk, now=NOW)
    other = road.packed(road.another_case())
    with pytest.raises(NotNow, match="已装入其他寄件"):
        fill_by_scan(parcel=other, token=slip_of(road.case), actor=clerk, now=NOW)
    early = road.another_case()[0].case
    early.handlings.update(state="pending")
    with pytest.raises(NotNow, match="预审通过后"):
        fill_by_scan(parcel=other, token=slip_of(early), actor=clerk, now=NOW)


def test_other_codes_and_other_people_fill_nothing(road: Road, bag: Parcel) -> None:
    clerk = road.cast.clerk
    for text, fault in [
        ("SF7444407228423", ForeignCode),
        (bag.token_text, WrongPurpose),
        (mint(Purpose.SLIP).text, NotYours),
        (mint(Purpose.MATERIAL).text, NotYours),
    ]:
        with pytest.raises(fault):
            fill_by_scan(parcel=bag, token=text, actor=clerk, now=NOW)
    with pytest.raises(Refused):
        fill_by_scan(
            parcel=bag, token=slip_of(road.case), actor=road.cast.officer, now=NOW + timedelta(hours=1)
        )
    assert bag.items.count() == 1
