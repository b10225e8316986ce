"""What does not agree is told once, beside where it stands; what agrees is not mentioned."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr.comparing import Finding, Paper, Place, Registered, Trouble, distance
from ocr.comparing import compare as compare_on
from ocr.fields import Check, Field, Kind, SecondReading
from ocr.lines import as_box
from tests.ocr.paper import CREDIT, IDENTITY

BOX = as_box([(0, 0), (10, 0), (10, 10), (0, 10)])
FIRM = "诸暨市暨通建筑有限公司"
NOBODY = Registered("", "", "")
WRONG = IDENTITY[:-1] + "8"
OTHER = "11010519491231002X"


TODAY = date(2026, 3, 10)


def compare(papers: list[Paper], registered: Registered) -> list[Finding]:
    return compare_on(papers, registered, TODAY)


def field(
    kind: Kind, value: str, *, check: Check = Check.NONE, label: str = "", line: int = 0, second: str = ""
) -> Field:
    other = SecondReading("tesseract", "5", second, 0.9, Check.NONE) if second else None
    return Field(kind, value, value, label, line, 0, len(value), BOX, 0.99, check, "", other)


def paper(name: str, *fields: Field, expected: tuple[str, ...] = (), page: int = 1) -> Paper:
    return Paper(name, expected, tuple(Place(f, page, 1, name, looked_at=False) for f in fields))


def told(findings: list[Finding]) -> list[tuple[Trouble, Kind]]:
    return [(finding.trouble, finding.kind) for finding in findings]


def test_what_agrees_is_not_mentioned() -> None:
    form = paper(
        "申请表",
        field(Kind.NAME, "陈志强"),
        field(Kind.IDENTITY_NUMBER, IDENTITY, check=Check.PASSED, line=1),
        expected=("name", "id_number"),
    )
    assert compare([form], Registered("陈志强", IDENTITY, "")) == []


def test_a_number_one_letter_off_the_registered_one_is_shown_beside_it() -> None:
    form = paper("申请表", field(Kind.CREDIT_CODE, CREDIT[:-1] + "6", check=Check.FAILED))
    (finding,) = compare([form], Registered(FIRM, CREDIT, ""))

    assert told([finding]) == [(Trouble.CASE_DIFFERS, Kind.CREDIT_CODE)]
    assert (finding.registered, finding.sentence) == (
        CREDIT,
        "“申请表”第 1 页的统一社会信用代码与办件登记的不同",
    )
    assert CREDIT[:8] not in finding.sentence


def test_another_persons_number_matters_where_the_applicants_is_expected() -> None:
    stranger = field(Kind.IDENTITY_NUMBER, OTHER, check=Check.PASSED)
    registered = Registered("陈志强", IDENTITY, "")

    assert compare([paper("委托书", stranger)], registered) == []
    assert told(compare([paper("身份证", stranger, expected=("id_number",))], registered)) == [
        (Trouble.CASE_DIFFERS, Kind.IDENTITY_NUMBER)
    ]


def test_a_person_on_a_firms_papers_is_no_other_name_for_the_firm() -> None:
    card = paper("居民身份证", field(Kind.NAME, "陈志强"), expected=("name",))
    assert compare([card], Registered(FIRM, CREDIT, "")) == []


@pytest.mark.parametrize(("read", "differs"), [("陈志弦", True), ("王建国", False), ("陈强", True)])
def test_a_name_nearly_the_registered_one(read: str, differs: bool) -> None:
    found = compare([paper("说明", field(Kind.NAME, read))], Registered("陈志强", "", ""))
    assert bool(found) is differs


def test_between_materials_the_number_that_fails_is_shown_beside_the_one_that_passes() -> None:
    form = paper("申请表", field(Kind.IDENTITY_NUMBER, WRONG, check=Check.FAILED), page=1)
    card = paper("身份证", field(Kind.IDENTITY_NUMBER, IDENTITY, check=Check.PASSED), page=2)
    (finding,) = compare([form, card], NOBODY)

    assert finding.trouble == Trouble.MATERIALS_DIFFER
    assert [place.page for place in finding.places] == [1, 2]


def test_two_people_with_sound_numbers_are_two_people() -> None:
    both = [
        field(Kind.IDENTITY_NUMBER, n, check=Check.PASSED, line=i) for i, n in enumerate((IDENTITY, OTHER))
    ]
    assert compare([paper("户口簿", *both)], NOBODY) == []


def test_certificates_a_letter_apart_on_different_papers() -> None:
    one = paper("申请表", field(Kind.CERTIFICATE_NUMBER, "ZJ-2021-00871"), page=1)
    other = paper("资质证书", field(Kind.CERTIFICATE_NUMBER, "ZJ-2021-00877"), page=2)
    assert told(compare([one, other], NOBODY)) == [(Trouble.MATERIALS_DIFFER, Kind.CERTIFICATE_NUMBER)]


def test_a_firm_has_one_legal_representative() -> None:
    one = paper("申请表", field(Kind.NAME, "陈志强", label="法定代表人"), page=1)
    other = paper("营业执照", field(Kind.NAME, "王建国", label="法定代表人(负责人)"), page=2)
    (finding,) = compare([one, other], NOBODY)
    assert finding.sentence == "“申请表”第 1 页与“营业执照”第 1 页的法定代表人不同"


def test_two_engines_two_readings_both_kept() -> None:
    (finding,) = compare([paper("证书", field(Kind.CERTIFICATE_NUMBER, "A12345", second="A12346"))], NOBODY)
    assert finding.trouble == Trouble.ENGINES_DIFFER
    assert finding.places[0].field.second is not None


def test_a_day_that_is_none() -> None:
    (finding,) = compare([paper("证书", field(Kind.DATE, "2025-02-30", check=Check.FAILED))], NOBODY)
    assert finding.sentence == "“证书”第 1 页的日期不是日历上的日子"


@pytest.mark.parametrize(
    ("label", "last", "expired"),
    [("有效期限", "2025-12-31", True), ("有效期限", "2026-03-10", False), ("打印日期", "2020-01-01", False)],
)
def test_a_printed_period_of_validity_is_over(label: str, last: str, expired: bool) -> None:
    first = field(Kind.DATE, "2015-12-31", check=Check.PASSED, label=label)
    dates = first, replace(field(Kind.DATE, last, check=Check.PASSED), start=11)
    found = compare([paper("居民身份证", *dates)], NOBODY)
    assert told(found) == ([(Trouble.EXPIRED, Kind.DATE)] if expired else [])


def test_a_last_day_stands_by_itself_too() -> None:
    day = field(Kind.DATE, "2021-03-09", check=Check.PASSED, label="有效期至")
    (finding,) = compare([paper("资质证书", day)], NOBODY)
    assert finding.sentence == "“资质证书”第 1 页写明的有效期已过"


def test_a_blank_place_for_a_signature() -> None:
    (finding,) = compare([paper("申请表", field(Kind.BLANK_SIGNATURE, "签字", label="申请人(签字)"))], NOBODY)
    assert (finding.trouble, finding.sentence) == (
        Trouble.NOT_SIGNED,
        "“申请表”第 1 页的“申请人(签字)”处空白",
    )


def test_what_a_material_should_show_and_does_not() -> None:
    form = paper("申请表", field(Kind.NAME, "陈志强"), expected=("name", "uscc"))
    assert told(compare([form], NOBODY)) == [(Trouble.NOT_FOUND, Kind.CREDIT_CODE)]
    assert compare([replace(form, read=False)], NOBODY) == []


def test_a_finding_is_closed_when_somebody_looked_at_all_of_it() -> None:
    form = paper("申请表", field(Kind.IDENTITY_NUMBER, WRONG, check=Check.FAILED))
    looked = replace(form, places=tuple(replace(place, looked_at=True) for place in form.places))
    assert [finding.open for finding in compare([form], NOBODY)] == [True]
    assert [finding.open for finding in compare([looked], NOBODY)] == [False]


@given(st.text("012X", max_size=8), st.text("012X", max_size=8))
def test_distance_is_symmetric_and_zero_only_for_the_same(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)
