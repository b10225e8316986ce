"""Whatever stands on a page in one of its spellings is found exactly and in its place; what is none is never certain."""

import string
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from ocr.fields import Check, Field, Kind, find_fields
from ocr.fields.names import LABELS
from ocr.lines import box_bounds
from tests.ocr.test_fields import line, row

WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
ONES = "〇一二三四五六七八九"
SURNAMES = ("王", "李", "陈", "欧阳", "诸葛")
GIVEN = "伟芳娜秀英敏静丽强磊洋艳勇军杰娟涛明超兰霞平刚桂建国"

days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
names = st.builds(str.__add__, st.sampled_from(SURNAMES), st.text(GIVEN, min_size=1, max_size=2))


@st.composite
def identity_numbers(draw: st.DrawFn) -> str:
    """Of anybody born on a day of the calendar, with the check digit that belongs to it."""
    place = draw(st.sampled_from(["330681", "331002", "350302", "110101"]))
    body = f"{place}{draw(days):%Y%m%d}{draw(st.integers(0, 999)):03}"
    return body + ric.calc_check_digit(body + "0")


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    body = f"{draw(st.sampled_from(['91', '12', '52', '93']))}330681{draw(st.text('0123456789ABCDEFGHJKLMNPQRTUWXY', min_size=9, max_size=9))}"
    assume(not body.isdigit())  # by its shape it might as well be an identity number
    return body + uscc.calc_check_digit(body)


@st.composite
def mobiles(draw: st.DrawFn) -> str:
    return "1" + draw(st.sampled_from("3456789")) + draw(st.text(string.digits, min_size=9, max_size=9))


def spelled(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else ONES[tens] + "十") + (ONES[ones] if ones else "")


def the_only(text: str, kind: Kind) -> Field:
    (field,) = (field for field in find_fields([line(text)]) if field.kind == kind)
    return field


def stands_in_its_place(field: Field, text: str, written: str) -> bool:
    """Whether the field says where on its line the value is written, and its box lies there."""
    begin = text.index(written)
    left, _top, right, _bottom = box_bounds(field.box)
    return (field.start, field.end) == (begin, begin + len(written)) and (
        abs(left - 20 * begin) < 1 and abs(right - 20 * (begin + len(written))) < 1
    )


@pytest.mark.parametrize(
    "spelling",
    [
        lambda d: f"{d.year}年{d.month}月{d.day}日",
        lambda d: f"{d.year} 年 {d.month:02} 月 {d.day:02} 日",
        lambda d: f"{d:%Y-%m-%d}",
        lambda d: f"{d.year}.{d.month}.{d.day}",
        lambda d: f"{d:%Y/%m/%d}".translate(WIDE),
        lambda d: (
            "".join(ONES[int(digit)] for digit in str(d.year)) + f"年{spelled(d.month)}月{spelled(d.day)}日"
        ),
    ],
)
@given(day=days, label=st.sampled_from(["有效期至", "签发日期：", "出生 ", "落款"]))
def test_every_day_is_found_in_every_spelling(spelling: Callable[[date], str], day: date, label: str) -> None:
    written = spelling(day)
    field = the_only(label + written, Kind.DATE)
    assert (field.value, field.check, field.certain) == (day.isoformat(), Check.PASSED, True)
    assert stands_in_its_place(field, label + written, written)


@given(st.integers(1900, 2099), st.integers(0, 99), st.integers(0, 99))
def test_a_day_that_is_none_is_found_and_never_certain(year: int, month: int, day: int) -> None:
    try:
        date(year, month, day)
    except ValueError:
        field = the_only(f"日期：{year}年{month}月{day}日", Kind.DATE)
        assert (field.check, field.certain) == (Check.FAILED, False)


@given(
    identity_numbers(),
    st.sampled_from(["{0}", "{0:.6} {1} {2}"]),
    st.sampled_from(["公民身份号码", "身份证号：", "证件 ", "张三"]),
    st.booleans(),
)
def test_every_sound_identity_number_is_found(number: str, form: str, label: str, wide: bool) -> None:
    written = form.format(number, number[6:14], number[14:]).lower()
    written = written.translate(WIDE) if wide else written
    field = the_only(label + written, Kind.IDENTITY_NUMBER)
    assert (field.value, field.check, field.certain) == (number, Check.PASSED, True)
    assert stands_in_its_place(field, label + written, written)


@given(credit_codes(), st.sampled_from(["统一社会信用代码", "代码：", "执照 "]), st.booleans())
def test_every_sound_credit_code_is_found(number: str, label: str, wide: bool) -> None:
    written = number.translate(WIDE) if wide else number
    field = the_only(label + written, Kind.CREDIT_CODE)
    assert (field.value, field.check, field.certain) == (number, Check.PASSED, True)
    assert stands_in_its_place(field, label + written, written)


@given(st.one_of(identity_numbers(), credit_codes()), st.integers(0, 17))
def test_one_letter_in_doubt_anywhere_makes_a_sound_number_doubtful(number: str, place: int) -> None:
    (field,) = find_fields([line(f"编：{number}", doubts=number[place])])
    assert (field.value, field.check, field.certain) == (number, Check.PASSED, False)


@given(
    mobiles(),
    st.sampled_from(["{0}", "{1}-{2}-{3}", "{1} {2} {3}", "+86 {0}", "86-{0}"]),
    st.sampled_from(["联系电话：", "手机 ", "电话"]),
)
def test_every_mobile_number_is_found(number: str, form: str, label: str) -> None:
    written = form.format(number, number[:3], number[3:7], number[7:])
    field = the_only(label + written, Kind.PHONE)
    assert (field.value, field.certain) == (number, True)
    assert stands_in_its_place(field, label + written, written)


@given(
    st.sampled_from(["010", "0575", "0576", "0594"]),
    st.from_regex("[2-9][0-9]{6,7}", fullmatch=True),  # no subscriber's number begins with 0 or 1
    st.sampled_from(["{0}-{1}", "({0}) {1}", "{0} {1}-8021"]),
)
def test_every_landline_is_found(area: str, number: str, form: str) -> None:
    assert the_only("电话:" + form.format(area, number), Kind.PHONE).value == f"{area}-{number}"


@given(names, st.sampled_from(LABELS), st.sampled_from([":", "：", " ", "（签字）："]))
def test_every_name_is_found_beside_every_label(name: str, label: str, mark: str) -> None:
    field = the_only(f"{label}{mark}{name}", Kind.NAME)
    assert (field.value, field.label) == (name, label)
    assert stands_in_its_place(field, f"{label}{mark}{name}", name)


@given(st.lists(names, min_size=1, max_size=4), st.sampled_from(["姓名", "申请人", "权利人"]))
def test_every_name_is_found_below_its_heading(people: list[str], heading: str) -> None:
    lines = row(heading, "性别")
    for number, person in enumerate(people, 1):
        lines += row(person, "男", number=number)
    assert [field.value for field in find_fields(lines) if field.kind == Kind.NAME] == people


@given(
    st.sampled_from("浙闽鲁京"),
    st.integers(2015, 2099),
    st.sampled_from(["诸暨市", "台州市椒江区", "莆田市"]),
    st.text(string.digits, min_size=5, max_size=8),
    st.booleans(),
)
def test_every_property_certificate_is_found(
    province: str, year: int, town: str, number: str, wide: bool
) -> None:
    value = f"{province}({year}){town}不动产权第{number}号"
    field = the_only("证号 " + (value.translate(WIDE) if wide else value), Kind.CERTIFICATE_NUMBER)
    assert (field.value, field.certain) == (value, True)


@given(st.sampled_from(["许可证编号", "证书编号", "合同编号", "注册号", "档案号码"]), st.sampled_from([":", "：", " "]),
       st.from_regex(r"[A-Z]{2}-20[0-9]{2}-[0-9]{5}", fullmatch=True))  # fmt: skip
def test_every_labelled_certificate_number_is_found(label: str, mark: str, number: str) -> None:
    assert the_only(f"{label}{mark}{number}", Kind.CERTIFICATE_NUMBER).value == number
