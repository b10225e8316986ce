"""EMS's sealed messages: SM4 in ECB with PKCS#5 padding over the JSON and the key's own Base64 text."""

import base64
import binascii

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

MARK = "|$4|"
BLOCK_BITS = 128


def key_bytes(key: str) -> bytes:
    """The 16 bytes of the Base64 key; ValueError when it is none."""
    try:
        raw = base64.b64decode(key, validate=True)
    except binascii.Error as error:
        raise ValueError("an EMS key is Base64") from error
    if len(raw) != 16:
        raise ValueError("an EMS key has 16 bytes")
    return raw


def seal(text: str, key: str, *, suffix: bool = True) -> str:
    """`|$4|` and the Base64 of the encrypted text; pushes seem to come without the key as `suffix`."""
    padder = padding.PKCS7(BLOCK_BITS).padder()
    padded = padder.update((text + key * suffix).encode()) + padder.finalize()
    encryptor = Cipher(SM4(key_bytes(key)), ECB()).encryptor()  # noqa: S305 - prescribed by EMS
    return MARK + base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def unseal(sealed: str, key: str) -> str:
    """The text; the key suffix is taken off where there is one (pushes seem to come without).

    Raises ValueError for anything that this key did not seal.
    """
    if not sealed.startswith(MARK):
        raise ValueError("not an EMS envelope")
    try:
        content = base64.b64decode(sealed.removeprefix(MARK), validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error
    decryptor = Cipher(SM4(key_bytes(key)), ECB()).decryptor()  # noqa: S305 - prescribed by EMS
    unpadder = padding.PKCS7(BLOCK_BITS).unpadder()
    padded = decryptor.update(content) + decryptor.finalize()
    return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8").removesuffix(key)
