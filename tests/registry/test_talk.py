"""What may be said in free text, and at which of the three steps it was said."""

import pytest

from registry.masking import mask_numbers_in, numbers_of_persons_in
from registry.rules.talk import LONGEST, Phase, checked_words, phase_of
from storage.errors import Refused


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("本人身份证331002199003077736", ("身份证件号码",)),
        ("号码 331002 19900307 773x", ("身份证件号码",)),
        ("抄错校验位：331002199003077730", ("身份证件号码",)),
        ("一代证 331002900307773。", ("身份证件号码",)),
        ("全角３３１００２１９９００３０７７７３６", ("身份证件号码",)),
        ("打 138 0013 8000 或 +86 139-1234-5678", ("手机号码",)),
        ("331002199003077736，13800138000", ("身份证件号码", "手机号码")),
    ],
)
def test_numbers_of_persons_are_found_however_they_are_written(text: str, found: tuple[str, ...]) -> None:
    assert numbers_of_persons_in(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "办件 330681202611230001X 和 3306812026112300011",
        "窗口电话 0576-88519876",
        "运单 SF1234567890123 与 1012345678901",
        "台建〔2021〕40号，2026-03-10 前补交 2 份",
        "91330681MA2XW00000",
    ],
)
def test_numbers_of_things_are_not_taken_for_persons(text: str) -> None:
    assert numbers_of_persons_in(text) == ()
    assert mask_numbers_in(text) == text


def test_numbers_are_masked_where_they_stand_and_once() -> None:
    text = "张三 331002199003077736，电话 138 0013 8000，周五来。"
    masked = mask_numbers_in(text)
    assert masked == "张三 331***********7736，电话 *** **** 8000，周五来。"
    assert mask_numbers_in(masked) == masked


def test_words_with_numbers_of_persons_are_asked_back_unless_meant() -> None:
    with pytest.raises(Refused, match="手机号码，请删去") as refused:
        checked_words("请打 13800138000")
    assert refused.value.code == "words_personal"
    assert "13800138000" not in str(refused.value)
    assert checked_words(" 请打 13800138000 ", keep_numbers=True) == "请打 13800138000"


def test_words_are_neither_empty_nor_endless() -> None:
    with pytest.raises(Refused, match="请填写答复"):
        checked_words("  ", what="答复")
    with pytest.raises(Refused, match="至多 1000 个字"):
        checked_words("长" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("submitted", "over", "phase"),
    [
        (False, False, Phase.BEFORE),
        (True, False, Phase.DURING),
        (True, True, Phase.AFTER),
        (False, True, Phase.AFTER),
    ],
)
def test_what_is_said_belongs_to_one_of_three_steps(submitted: bool, over: bool, phase: Phase) -> None:
    assert phase_of(submitted=submitted, over=over) is phase
