"""Personal data at rest: model fields that encrypt, and indexes that find an encrypted value without showing it."""

import hashlib
import hmac
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from storage.errors import Refused


class Undecryptable(Refused):
    """A stored value that none of the configured keys opens."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken as fault:
        raise Undecryptable("undecryptable", "加密数据无法解开，请联系管理员检查密钥设置。") from fault


def blind_index(value: str) -> str:
    """Keyed digest (64 hex digits) of a normalised value; equal values have equal digests. Empty stays empty."""
    folded = "".join(value.split()).upper()
    if not folded:
        return ""
    return hmac.new(settings.INDEX_KEY.encode(), folded.encode(), hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database only ever sees encrypted. The empty string is stored as it is."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return encrypt(prepared) if prepared else prepared

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        # Every encryption differs, so a comparison in the database would silently find nothing.
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise Refused("encrypted_lookup", "加密字段不能直接查询。")


class EncryptedJSONField(models.TextField[Any, Any]):
    """A JSON value that the database only ever sees encrypted."""

    if TYPE_CHECKING:
        # What django-stubs believes may be assigned to and read from the column.
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> Any:
        return (
            None if value is None else encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        )

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        return None if value is None else json.loads(decrypt(value))

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj), ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        return value
