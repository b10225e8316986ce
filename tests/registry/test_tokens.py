"""Tokens: nothing personal inside, small in print, and nobody else can make one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.paper.symbols import qr_matrix
from registry.tokens import ForeignCode, ForgedCode, Keyring, Purpose, WrongPurpose, check, mint, write
from storage.errors import Refused

OLD, NEW = "the-secret-of-last-year", "the-secret-of-this-year"
RING = Keyring.of([NEW])


def test_what_was_minted_is_recognised() -> None:
    token = mint(Purpose.PARCEL, RING)
    assert check(token.text, RING) == token
    assert check(token.text, RING, purpose="parcel").identifier == token.identifier


def test_a_token_is_short_enough_for_a_symbol_of_29_modules() -> None:
    text = mint(Purpose.PARCEL, RING).text
    assert re.fullmatch(r"TB1-P-[A-Z2-7]{2}-[A-Z2-7]{16}-[A-Z2-7]{20}", text)
    assert qr_matrix(text).size == 29


@pytest.mark.parametrize("dress", ["  {}\r\n", "https://host.example/c/{}"])
def test_scanners_and_links_may_dress_it(dress: str) -> None:
    token = mint(Purpose.SLIP, RING)
    assert check(dress.format(token.text), RING) == token
    assert check(dress.format(token.text.lower()), RING) == token


def test_two_tokens_are_never_the_same() -> None:
    assert len({mint(Purpose.CASE, RING).identifier for _ in range(500)}) == 500


def test_old_labels_stay_good_while_their_key_is_kept() -> None:
    old = mint(Purpose.PARCEL, Keyring.of([OLD]))
    assert check(old.text, Keyring.of([NEW, OLD])) == old
    with pytest.raises(ForgedCode):
        check(old.text, RING)


def test_a_reprint_stands_for_the_same_thing() -> None:
    token = mint(Purpose.PARCEL, Keyring.of([OLD]))
    again = write(Purpose.PARCEL, token.identifier, Keyring.of([NEW, OLD]))
    assert again.identifier == token.identifier
    assert again.text != token.text


def test_another_purpose_is_named_in_the_refusal() -> None:
    token = mint(Purpose.SLIP, RING)
    with pytest.raises(WrongPurpose, match="扫到的是单据二维码，此处需要扫描寄件二维码"):
        check(token.text, RING, purpose=Purpose.PARCEL)


@given(position=st.integers(0, 45), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-"))
def test_one_changed_character_is_enough_to_refuse(position: int, letter: str) -> None:
    text = mint(Purpose.PARCEL, RING, entropy=lambda count: bytes(range(count))).text
    changed = text[:position] + letter + text[position + 1 :]
    if changed == text:
        assert check(changed, RING).text == text
    else:
        with pytest.raises(Refused):
            check(changed, RING)


@given(st.text(max_size=80))
def test_any_other_text_is_foreign_or_forged(text: str) -> None:
    with pytest.raises((ForeignCode, ForgedCode)):
        check(text, RING)


def test_a_stranger_with_the_format_cannot_make_one() -> None:
    forged = mint(Purpose.PARCEL, Keyring.of(["a guess at the secret"]))
    with pytest.raises(ForgedCode):
        check(forged.text, RING)


def test_a_short_secret_is_no_secret() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Keyring.of(["short"])


def test_the_installation_has_keys_of_its_own() -> None:
    token = mint("case")
    assert check(token.text).purpose is Purpose.CASE
    with pytest.raises(ForgedCode):
        check(token.text, RING)
