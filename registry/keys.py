"""接口密钥: made for a system with its scopes, shown once, and revoked for good; both are told."""

from datetime import datetime

from django.db import transaction

from registry.actors import Actor
from registry.events import record
from registry.models import ApiKey, Office, Window
from registry.permissions import KEY_SCOPES, check_may
from storage.errors import Refused


def check_key(*, scopes: list[str], window: Window | None, office: Office | None) -> None:
    """A key has scopes of the table and acts for one place."""
    if not scopes or not KEY_SCOPES.issuperset(scopes):
        raise Refused("key_scopes", f"请至少选择一项权限范围：{'、'.join(sorted(KEY_SCOPES))}。")
    if (window is None) == (office is None):
        raise Refused("key_place", "请选择密钥所代表的窗口或部门，二者只选其一。")


def make_key(
    *, name: str, scopes: list[str], window: Window | None, office: Office | None, actor: Actor, now: datetime
) -> tuple[ApiKey, str]:
    """A key and its secret text, which nobody can be told again."""
    check_may(actor, "account.edit")
    check_key(scopes=scopes, window=window, office=office)
    with transaction.atomic():
        key, secret = ApiKey.make(name=name, scopes=scopes, now=now, window=window, office=office)
        place = window.code if window else office.code if office else ""
        record(
            kind="key.made", actor=actor, subject=key, now=now, data={"scopes": sorted(scopes), "at": place}
        )
    return key, secret


def revoke_key(*, key: ApiKey, actor: Actor, now: datetime) -> None:
    """From now on the key opens nothing; what was done with it keeps its name."""
    check_may(actor, "account.edit", key)
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
            raise Refused("key_revoked", "这把密钥已经撤销。")
        record(kind="key.revoked", actor=actor, subject=key, now=now)
    key.revoked_at = now
