"""Numbers and names are found where they stand, and none that fails its check is called certain."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from ocr.fields import Check, Field, Kind, find_fields
from ocr.fields.numbers import check_of, normalised
from ocr.lines import Char, Line, as_box
from tests.ocr.paper import CREDIT, IDENTITY


def line(text: str, row: int = 0, left: float = 0, *, sure: float = 0.99, doubts: str = "") -> Line:
    """A line of 20-pixel letters; letters in `doubts` are hardly read."""
    size, count = 20, len(text)
    top, right = row * 40, left + size * count
    chars = tuple(
        Char(letter, place / count, (place + 1) / count, 0.5 if letter in doubts else sure)
        for place, letter in enumerate(text)
    )
    box = as_box([(left, top), (right, top), (right, top + size), (left, top + size)])
    return Line(text, box, sure, chars, row)


def row(*texts: str, number: int = 0) -> list[Line]:
    return [line(text, number, 400 * place) for place, text in enumerate(texts)]


def found(lines: Sequence[Line], kind: Kind) -> list[str]:
    return [field.value for field in find_fields(lines) if field.kind == kind]


def only(lines: Sequence[Line]) -> Field:
    (field,) = find_fields(lines)
    return field


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (f"身份证号:{IDENTITY}", Kind.IDENTITY_NUMBER, IDENTITY),
        ("公民身份号码 330681 19880715 0039", Kind.IDENTITY_NUMBER, IDENTITY),
        ("身份证号：３３０６８１１９８８０７１５００３９", Kind.IDENTITY_NUMBER, IDENTITY),
        (f"统一社会信用代码{CREDIT.lower()}", Kind.CREDIT_CODE, CREDIT),
        ("联系电话：13857512345", Kind.PHONE, "13857512345"),
        ("手机 138-5751-2345", Kind.PHONE, "13857512345"),
        ("电话 +86 13857512345", Kind.PHONE, "13857512345"),
        ("电话:0575-87019999", Kind.PHONE, "0575-87019999"),
        ("出生 1988 年 7 月 15 日", Kind.DATE, "1988-07-15"),
        ("有效期至2031.03.09", Kind.DATE, "2031-03-09"),
        ("签发日期 2021-3-9", Kind.DATE, "2021-03-09"),
        ("二〇二一年十二月二十三日", Kind.DATE, "2021-12-23"),
        ("浙(2021)诸暨市不动产权第0012345号", Kind.CERTIFICATE_NUMBER, "浙(2021)诸暨市不动产权第0012345号"),
        ("JY13306810012345", Kind.CERTIFICATE_NUMBER, "JY13306810012345"),
        ("许可证编号：ZJ-2021-00871", Kind.CERTIFICATE_NUMBER, "ZJ-2021-00871"),
        ("姓名：陈志强", Kind.NAME, "陈志强"),
        ("申请人（签字）：欧阳明", Kind.NAME, "欧阳明"),
        ("法定代表人 阿卜杜拉·买买提", Kind.NAME, "阿卜杜拉·买买提"),
        ("姓名王芳", Kind.NAME, "王芳"),
        ("姓名 王  芳", Kind.NAME, "王芳"),
        ("申请人：诸暨市暨通建筑有限公司", Kind.NAME, "诸暨市暨通建筑有限公司"),
    ],
)
def test_each_kind_is_found(text: str, kind: Kind, value: str) -> None:
    field = only([line(text)])

    assert (field.kind, field.value) == (kind, value)
    assert field.certain


@pytest.mark.parametrize(
    "text",
    [
        "台建〔2021〕40号",
        "二、保障跨区域通办政务服务效能",
        "流水号1234567890123456789012",
        "住房公积金13857512345678",
        "申请人承诺上述材料真实",
        "姓名 性别",
        "联系人 联系电话",
        "第2021年度",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert not find_fields([line(text)])


def test_a_form_row_gives_every_value_its_own_label() -> None:
    fields = find_fields(row("法定代表人", "李慧", "联系电话", "13857512345"))

    assert [(field.label, field.value, field.line) for field in fields] == [
        ("法定代表人", "李慧", 1),
        ("联系电话", "13857512345", 3),
    ]


def test_names_under_a_column_heading() -> None:
    lines = [
        *row("序号", "联系人", "联系电话"),
        *row("1", "吕勇", "13857512345", number=1),
        *row("2", "傅谦静", "13857512346", number=2),
        *row("合计", "二人在册登记", number=3),
        *row("3", "曹福", number=4),
    ]

    assert found(lines, Kind.NAME) == ["吕勇", "傅谦静"]


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("资质证书编号", "D233012345"),
        ("许可证号", "ZJ-2021-00871"),
        ("结婚证字号", "J330681-2016-001234"),
        ("注册号", "330681000123456"),
        ("证书编号", "浙建安许字2021-00871号"),
    ],
)
def test_a_certificate_number_in_a_cell_of_its_own(label: str, value: str) -> None:
    fields = find_fields(row(label, value, "发证日期", "2021年3月9日"))

    assert [(field.kind, field.value) for field in fields] == [
        (Kind.CERTIFICATE_NUMBER, value),
        (Kind.DATE, "2021-03-09"),
    ]
    assert (fields[0].line, fields[0].start, fields[0].end) == (1, 0, len(value))


def test_certificate_numbers_under_a_column_heading() -> None:
    lines = [
        *row("序号", "证书编号", "持证人"),
        *row("1", "ZJ2021001", "吕勇", number=1),
        *row("2", "ZJ2021002", "傅谦静", number=2),
        *row("合计", "二本", number=3),
        *row("3", "ZJ2021003", number=4),
    ]

    assert found(lines, Kind.CERTIFICATE_NUMBER) == ["ZJ2021001", "ZJ2021002"]
    assert found(lines, Kind.NAME) == ["吕勇", "傅谦静"]


@pytest.mark.parametrize(
    "texts",
    [("电话号码", "0575-8701"), ("合同编号", "见附件一"), ("编号", "三十二"), ("社会保障号码", "A1234567")],
)
def test_what_stands_beside_another_label_is_no_certificate_number(texts: tuple[str, str]) -> None:
    assert not find_fields(row(*texts))


def test_a_field_knows_its_place() -> None:
    field = only([line("上一行"), line(f"身份证号:{IDENTITY}", 1)])

    assert (field.line, field.start, field.end) == (1, 5, 23)
    assert field.text == IDENTITY
    (left, top), (right, _), *_ = field.box
    assert (left, top, right) == pytest.approx((100, 40, 460))


def test_a_number_broken_in_two_is_put_together_only_when_its_check_digit_agrees() -> None:
    whole = only([line(IDENTITY[:10]), line(IDENTITY[10:], 0, 400)])
    assert (whole.value, whole.check) == (IDENTITY, Check.PASSED)
    assert whole.box[0][0] == 0
    assert whole.box[1][0] == pytest.approx(400 + 8 * 20)

    wrong = IDENTITY[:17] + "1"
    assert not found([line(wrong[:10]), line(wrong[10:], 0, 400)], Kind.IDENTITY_NUMBER)


def test_one_doubtful_letter_makes_a_number_doubtful() -> None:
    field = only([line(f"身份证号:{IDENTITY}", doubts="7")])

    assert field.check == Check.PASSED
    assert field.confidence == 0.5
    assert not field.certain


def test_a_confused_letter_is_suggested_and_never_put_in() -> None:
    read = IDENTITY.replace("8807", "B807")
    field = only([line(f"身份证号:{read}")])

    assert (field.value, field.check, field.certain) == (read, Check.FAILED, False)
    assert field.suggestion == IDENTITY


def test_a_day_that_does_not_exist_is_not_certain() -> None:
    field = only([line("2021年2月30日")])

    assert (field.value, field.check, field.certain) == ("2021-02-30", Check.FAILED, False)


def test_seals_hold_no_fields() -> None:
    seal = line("姓名：陈志强")

    assert not find_fields([Line(seal.text, seal.box, 0.99, seal.chars, 0, seal=True)])


DIGITS = "0123456789"
NUMBERS = st.one_of(
    st.text(DIGITS, min_size=17, max_size=17).flatmap(
        lambda n: st.sampled_from([n + d for d in DIGITS + "X"])
    ),
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXYIOSVZ", min_size=18, max_size=18),
)


@given(NUMBERS, st.sampled_from(["身份证号:", "统一社会信用代码:", "", "编号 "]))
def test_no_number_that_fails_its_check_is_certain(number: str, label: str) -> None:
    for field in find_fields([line(label + number)]):
        if field.kind == Kind.IDENTITY_NUMBER and field.certain:
            assert ric.calc_check_digit(field.value) == field.value[17]
        if field.kind == Kind.CREDIT_CODE and field.certain:
            assert uscc.is_valid(field.value)


@given(
    st.sampled_from(["身份证号:", "公民身份号码 ", "身份证件号码：", "统一社会信用代码:", "代办机构代码 "]),
    st.sampled_from([IDENTITY, CREDIT]),
    st.integers(0, 17),
    st.integers(1, 3),
    st.booleans(),
)
def test_a_number_that_lost_or_gained_characters_is_found_beside_its_label_and_never_certain(
    label: str, number: str, place: int, count: int, gains: bool
) -> None:
    spoiled = number[:place] + ("7" * count if gains else "") + number[place if gains else place + count :]
    (field,) = find_fields([line(label + spoiled)])

    assert (field.kind in {Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE}, field.value) == (True, spoiled)
    assert (field.check, field.certain) == (Check.FAILED, False)


def test_a_number_in_pieces_that_fails_is_found_where_its_label_says_so() -> None:
    field = only([line("公民身份号码 330681 19880715 0038")])

    assert (field.value, field.check) == ("330681198807150038", Check.FAILED)


@given(st.text("0123456789X²３ ", max_size=24), st.sampled_from(list(Kind)))
def test_any_second_reading_can_be_checked(text: str, kind: Kind) -> None:
    assert check_of(kind, normalised(kind, text)) in set(Check)


@given(st.integers(0, 17), st.sampled_from(DIGITS))
def test_a_wrong_digit_never_passes(place: int, digit: str) -> None:
    wrong = IDENTITY[:place] + digit + IDENTITY[place + 1 :]
    for field in find_fields([line(f"身份证号:{wrong}")]):
        assert (
            field.check == (Check.PASSED if wrong == IDENTITY else Check.FAILED)
            or field.kind != Kind.IDENTITY_NUMBER
        )
        assert not (field.certain and field.kind == Kind.IDENTITY_NUMBER and wrong != IDENTITY)


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text_is_survived_and_every_place_exists(texts: list[str]) -> None:
    lines = [line(text, number) for number, text in enumerate(texts) if text]
    for field in find_fields(lines):
        assert 0 <= field.start < field.end <= len(lines[field.line].text)
        assert all(math.isfinite(value) for point in field.box for value in point)
        assert field.to_json()["certain"] == field.certain
