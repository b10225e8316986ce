"""Masks hide what they must, keep what people need, and leave the masked alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.masking import (
    mask_address,
    mask_id_number,
    mask_name,
    mask_phone,
    mask_phones_in,
)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("欧阳询", "欧阳*"),
        ("司马相如", "司马**"),
        ("欧阳", "欧*"),
        ("张", "*"),
        ("阿卜杜拉·买买提", "阿**"),
        ("John Smith", "J**"),
        ("", ""),
        ("诸暨市暨通建筑有限公司", "诸暨市暨通建筑有限公司"),
        ("台州市住房和城乡建设局", "台州市住房和城乡建设局"),
    ],
)
def test_a_name_keeps_the_surname_and_a_body_its_whole_name(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812345678", "1******5678"),
        ("138 1234 5678", "1** **** 5678"),
        ("0576-88519876", "****-****9876"),
        ("88519876", "******76"),
        ("", ""),
    ],
)
def test_a_phone_keeps_its_tail(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("331002199003077736", "331***********7736"),
        ("330125800101123", "330********1123"),
        ("E12345678", "E******78"),
        ("AB", "**"),
    ],
)
def test_a_document_number_loses_the_birthday(number: str, masked: str) -> None:
    assert mask_id_number(number) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("浙江省诸暨市暨阳街道浣纱路12号3单元501室", "浙江省诸暨市暨阳街道浣纱路****"),
        ("浙江省台州市椒江区市府大道", "浙江省台州市椒江区****"),
        ("山东省枣庄市市中区光明路街道十里泉社区", "山东省枣庄市市中区光明路街道****"),
        ("浙江省诸暨市枫桥镇五一村三组", "浙江省诸暨市枫桥镇五一村****"),
        ("陈家大院后门", "陈家****"),
        ("", ""),
    ],
)
def test_an_address_ends_before_the_door(address: str, masked: str) -> None:
    assert mask_address(address) == masked


def test_mobile_numbers_inside_sentences_are_masked_and_waybills_are_not() -> None:
    said = mask_phones_in("派件员张某，电话13812345678，运单1381234567890")
    assert said == "派件员张某，电话1******5678，运单1381234567890"


@given(st.text(alphabet="张三丰欧阳建国省市区路号0123456789-+ *·abc", max_size=40))
def test_masking_twice_is_masking_once(text: str) -> None:
    for mask in (mask_name, mask_phone, mask_id_number, mask_address):
        once = mask(text)
        assert mask(once) == once


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_six_digits_of_a_mobile_are_always_hidden(phone: str) -> None:
    assert mask_phone(phone).count("*") == 6
