"""The text inside our printed QR codes: opaque, authenticated, free of personal data.

A token reads `TB1-K-HH-IIIIIIIIIIIIIIII-SSSSSSSSSSSSSSSSSSSS`: format version, purpose, key hint, an
80-bit random identifier and a 100-bit HMAC-SHA-256 tag, in upper-case base32. All 46 characters are in the QR
alphanumeric set, so the symbol at level Q is version 3: 29 modules, 14.5 mm at 4 dots a module and 203 dpi.
Only the identifier is stored; what it stands for is looked up in the database.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.conf import settings

from storage.errors import Refused

PREFIX = "TB1"
IDENTIFIER_BYTES = 10
TAG_CHARACTERS = 20

_SHAPE = re.compile(rf"{PREFIX}-([A-Z])-([A-Z2-7]{{2}})-([A-Z2-7]{{16}})-([A-Z2-7]{{{TAG_CHARACTERS}}})")
_OURS = re.compile(r"TB\d+-")


class Purpose(StrEnum):
    """What a code is printed on or stands for; its letter is part of what the tag protects."""

    CASE = "case"
    DOSSIER = "dossier"
    MATERIAL = "material"
    ORIGINAL = "original"
    PARCEL = "parcel"
    SLIP = "slip"
    RATING = "rating"

    @property
    def letter(self) -> str:
        """The one character that stands for the purpose in the token."""
        return self.value[0].upper()


_PURPOSE_OF = {purpose.letter: purpose for purpose in Purpose}


class ForeignCode(Refused):
    """The text is not one of our tokens at all."""

    def __init__(self) -> None:
        super().__init__(
            "code_foreign", "这不是本系统打印的二维码，请扫描面单或清单上带有 TB1 字样的二维码。"
        )


class ForgedCode(Refused):
    """The text has the shape of a token, but none of our keys made it."""

    def __init__(self) -> None:
        super().__init__(
            "code_forged", "二维码校验不通过，可能是伪造或印刷残缺，请勿办理交接，并报告管理员。"
        )


class WrongPurpose(Refused):
    """A genuine token, but not of the thing that was to be scanned."""

    def __init__(self, found: Purpose, expected: Purpose) -> None:
        names = {
            Purpose.CASE: "办件",
            Purpose.DOSSIER: "卷宗",
            Purpose.MATERIAL: "材料",
            Purpose.ORIGINAL: "原件",
            Purpose.PARCEL: "寄件",
            Purpose.SLIP: "单据",
            Purpose.RATING: "评价",
        }
        super().__init__(
            "code_purpose", f"扫到的是{names[found]}二维码，此处需要扫描{names[expected]}二维码。"
        )


@dataclass(frozen=True)
class Key:
    """One HMAC key; `hint` is two characters derived from it that tell a checker where to begin."""

    hint: str
    secret: bytes

    @classmethod
    def derived_from(cls, secret: str | bytes) -> "Key":
        """Derive the key for codes from a secret that may also serve other purposes."""
        material = secret.encode() if isinstance(secret, str) else secret
        if len(material) < 16:
            raise ValueError("a secret for codes needs at least 16 bytes")
        derived = hmac.new(material, b"tongban printed code v1", hashlib.sha256).digest()
        return cls(hint=_base32(hashlib.sha256(derived).digest())[:2], secret=derived)


@dataclass(frozen=True)
class Keyring:
    """The keys in force: the first one makes new tokens, every one checks them."""

    keys: tuple[Key, ...]

    @classmethod
    def of(cls, secrets_newest_first: Iterable[str | bytes]) -> "Keyring":
        """Build from the configured secrets; a retired one stays in the list as long as its labels are about."""
        keys = tuple(Key.derived_from(secret) for secret in secrets_newest_first)
        if not keys:
            raise ValueError("a keyring needs at least one secret")
        return cls(keys)


@dataclass(frozen=True)
class Token:
    """A checked token: its purpose, which one (16 base32 characters), and the text as printed."""

    purpose: Purpose
    identifier: str
    text: str


def configured_keyring() -> Keyring:
    """The keys of this installation (setting `TOKEN_KEYS`, newest first)."""
    return _keyring(tuple(settings.TOKEN_KEYS))


@lru_cache(maxsize=8)
def _keyring(secrets_newest_first: tuple[str, ...]) -> Keyring:
    return Keyring.of(secrets_newest_first)


def mint(
    purpose: Purpose | str,
    keyring: Keyring | None = None,
    *,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> Token:
    """A token with a new random identifier, made with the newest key."""
    return write(purpose, _base32(entropy(IDENTIFIER_BYTES)), keyring)


def write(purpose: Purpose | str, identifier: str, keyring: Keyring | None = None) -> Token:
    """The token of an identifier that exists already, for printing it again."""
    if not re.fullmatch(r"[A-Z2-7]{16}", identifier):
        raise ValueError("an identifier is 16 characters of base32")
    purpose = Purpose(purpose)
    key = (keyring or configured_keyring()).keys[0]
    body = f"{PREFIX}-{purpose.letter}-{key.hint}-{identifier}"
    return Token(purpose=purpose, identifier=identifier, text=f"{body}-{_tag(body, key)}")


def check(text: str, keyring: Keyring | None = None, *, purpose: Purpose | str | None = None) -> Token:
    """The token in what a scanner read, or `ForeignCode` / `ForgedCode` / `WrongPurpose`.

    Accepts surrounding white space (wedge scanners add it), small letters, and a link whose last part is the token.
    With `purpose` a genuine token of any other purpose is refused.
    """
    candidate = text.strip().upper().rpartition("/")[2]
    shape = _SHAPE.fullmatch(candidate)
    if shape is None:
        raise ForgedCode if _OURS.match(candidate) else ForeignCode
    letter, hint, identifier, tag = shape.groups()
    body = candidate[: -TAG_CHARACTERS - 1]
    genuine = False
    for key in (keyring or configured_keyring()).keys:
        if key.hint == hint:
            genuine |= hmac.compare_digest(_tag(body, key), tag)
    if not genuine or letter not in _PURPOSE_OF:
        raise ForgedCode
    found = _PURPOSE_OF[letter]
    if purpose is not None and found is not Purpose(purpose):
        raise WrongPurpose(found, Purpose(purpose))
    return Token(purpose=found, identifier=identifier, text=candidate)


def _tag(body: str, key: Key) -> str:
    return _base32(hmac.new(key.secret, body.encode(), hashlib.sha256).digest())[:TAG_CHARACTERS]


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
