"""Agreements: three days to tell, four colours by policy, and who is connected with whom."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from registry.agreeing import (
    Connection,
    agreement_rows,
    colours,
    end_agreement,
    export_cooperation,
    set_index,
    set_thresholds,
    sign_agreement,
    tell_overdue_directories,
    update_directory,
)
from registry.models import Agreement, Event, Region
from registry.permissions import NotYours
from registry.rules import AgreementFacts
from registry.rules.cooperation import (
    Colour,
    Link,
    Thresholds,
    colour_of,
    link,
    matrix,
    update_due,
    update_overdue,
)
from registry.time import local_day
from storage.errors import Refused
from tests.cast import NOW, Cast, assemble

TODAY = local_day(NOW)
CONNECTION = Connection("台州—南充通办联络群", "张三", "0576-1", "李四", "0817-1")
SHARED = AgreementFacts("331002", "511300", shared_citywide=True)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.mark.parametrize(
    ("population", "cooperation", "colour"),
    [
        (60, 50, Colour.RED),
        (60, 49, Colour.GREEN),
        (59, 50, Colour.BLUE),
        (59, 49, Colour.YELLOW),
        (100, 100, Colour.RED),
        (0, 0, Colour.YELLOW),
    ],
)
def test_two_indices_make_four_colours(population: int, cooperation: int, colour: Colour) -> None:
    assert colour_of(population=population, cooperation=cooperation, thresholds=Thresholds(60, 50)) == colour


def test_the_directory_is_due_three_days_after_signing() -> None:
    signed = date(2026, 3, 10)
    assert update_due(signed) == date(2026, 3, 13)
    assert update_overdue(signed_on=signed, updated_on=None, today=date(2026, 3, 13)) == 0
    assert update_overdue(signed_on=signed, updated_on=None, today=date(2026, 3, 14)) == 1
    assert update_overdue(signed_on=signed, updated_on=date(2026, 3, 12), today=date(2026, 4, 1)) == 0
    assert update_overdue(signed_on=signed, updated_on=date(2026, 3, 20), today=date(2026, 4, 1)) == 7


def test_an_overdue_address_book_is_told_once(cast: Cast) -> None:
    Agreement.objects.update(directory_updated_on=TODAY)
    late = Agreement.objects.create(
        region_a_id="330681", region_b_id="511300", signed_on=TODAY, effective_from=TODAY
    )
    assert tell_overdue_directories(now=NOW + timedelta(days=3)) == 0
    assert [tell_overdue_directories(now=NOW + timedelta(days=4)) for _ in range(2)] == [1, 0]
    told = Event.objects.get(kind="agreement.directory_overdue")
    assert (told.subject_id, told.data["due"]) == (str(late.pk), str(TODAY + timedelta(days=3)))


def test_a_shared_agreement_connects_both_cities_in_both_directions() -> None:
    assert link("331002", "511300", [SHARED]) == Link(own=True, covered=False)
    assert link("331081", "511300", [SHARED]) == Link(own=False, covered=True)
    assert link("511300", "331081", [SHARED]) == Link(own=False, covered=True)
    assert link("331081", "511302", [SHARED]) == Link(own=False, covered=True)
    assert link("330681", "511300", [SHARED]) == Link(own=False, covered=False)


def test_an_agreement_that_is_not_shared_connects_its_two_sides_only() -> None:
    bare = AgreementFacts("330681", "370402", shared_citywide=False)
    assert matrix(["330681", "330602"], ["370402"], [bare]) == [
        [Link(own=True, covered=False)],
        [Link(own=False, covered=False)],
    ]


def sign(cast: Cast, **changes: object) -> Agreement:
    told: dict[str, object] = {
        "region_a": Region.objects.get(code="330681"),
        "region_b": Region.objects.get(code="511300"),
        "signed_on": TODAY,
        "effective_from": TODAY,
        "effective_to": None,
        "shared_citywide": True,
        "items": [],
        "connection": Connection(),
        "actor": cast.administrator,
        "now": NOW,
    }
    return sign_agreement(**{**told, **changes})  # type: ignore[arg-type]


def test_signing_is_audited_and_begins_the_three_days(cast: Cast) -> None:
    agreement = sign(cast, signed_on=TODAY - timedelta(days=5))
    row = next(
        row for row in agreement_rows(Agreement.objects.all(), day=TODAY) if row.agreement == agreement
    )
    assert row.late_days == 2
    assert Event.objects.get(kind="agreement.signed").data["shared_citywide"] is True
    update_directory(agreement=agreement, connection=CONNECTION, actor=cast.administrator, now=NOW)
    agreement.refresh_from_db()
    assert agreement.directory_updated_on == TODAY
    assert agreement.group_name == CONNECTION.group_name


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signed_on": TODAY + timedelta(days=1)}, "agreement_signed"),
        ({"effective_to": TODAY - timedelta(days=1)}, "agreement_dates"),
    ],
)
def test_an_agreement_that_cannot_be_is_refused(cast: Cast, changes: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        sign(cast, **changes)
    assert refused.value.code == code


def test_the_same_pair_in_either_order_is_one(cast: Cast) -> None:
    one = sign(cast)
    with pytest.raises(Refused) as refused:
        sign(cast, region_a=one.region_b, region_b=one.region_a)
    assert refused.value.code == "agreement_known"


def test_an_update_without_contacts_is_no_update(cast: Cast) -> None:
    agreement = sign(cast)
    with pytest.raises(Refused):
        update_directory(agreement=agreement, connection=Connection("群"), actor=cast.administrator, now=NOW)
    agreement.refresh_from_db()
    assert agreement.directory_updated_on is None


def test_a_cooperation_ends_on_a_day_and_not_before_today(cast: Cast) -> None:
    agreement = sign(cast, effective_from=TODAY - timedelta(days=9))
    with pytest.raises(Refused):
        end_agreement(agreement=agreement, on=TODAY - timedelta(days=1), actor=cast.administrator, now=NOW)
    end_agreement(agreement=agreement, on=TODAY, actor=cast.administrator, now=NOW)
    assert agreement in Agreement.objects.in_force(TODAY)
    assert agreement not in Agreement.objects.in_force(TODAY + timedelta(days=1))


def test_colours_follow_the_policy_of_the_day(cast: Cast) -> None:
    region = Region.objects.get(code="511300")
    told = {"source": "会商纪要", "actor": cast.administrator, "now": NOW}
    assert colours(TODAY) == {}
    set_index(region=region, population=70, cooperation=40, valid_from=TODAY - timedelta(days=9), **told)  # type: ignore[arg-type]
    set_thresholds(population=60, cooperation=60, valid_from=TODAY - timedelta(days=9), **told)  # type: ignore[arg-type]
    set_thresholds(population=60, cooperation=40, valid_from=TODAY, **told)  # type: ignore[arg-type]
    assert colours(TODAY - timedelta(days=1)) == {"511300": Colour.GREEN}
    assert colours(TODAY) == {"511300": Colour.RED}
    assert Event.objects.filter(kind__startswith="colour.").count() == 3


def test_table_and_address_book_come_as_a_workbook(cast: Cast) -> None:
    sign(cast, connection=CONNECTION)
    book = load_workbook(BytesIO(export_cooperation(actor=cast.clerk, now=NOW)))
    assert book.sheetnames == ["合作表", "通讯录", "事项联络员"]
    assert any(row[2] == CONNECTION.group_name for row in book["通讯录"].iter_rows(values_only=True))
    assert [cell.value for cell in book["合作表"][1]][-1] == "超期天数"
    assert book["合作表"].max_row == Agreement.objects.count() + 1


def test_finance_and_clerks_sign_nothing(cast: Cast) -> None:
    for actor in (cast.clerk, cast.finance, cast.officer):
        with pytest.raises(NotYours):
            sign(cast, actor=actor)
