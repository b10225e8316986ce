"""授权: giving a right to windows and taking it back, with reason, so that every use can name its grant."""

from datetime import date, datetime, timedelta

from django.db import transaction

from registry.actors import Actor
from registry.events import record
from registry.models import Grant, Office, Region, ServiceItem, Window
from registry.permissions import check_may
from registry.rules.talk import fitting
from registry.terms import Right
from registry.time import local_day
from storage.errors import Refused


def give_grant(
    *,
    office: Office,
    rights: list[Right],
    window: Window | None,
    region: Region | None,
    item: ServiceItem | None,
    effective_from: date,
    effective_to: date | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[Grant]:
    """相互授予…不同权限 (putian §五(六)): one grant for each right, to a window or to every window of a region."""
    check_may(actor, "grant.edit")
    if not rights:
        raise Refused("grant_rights", "请至少选择一项权限。")
    if (window is None) == (region is None):
        raise Refused("grant_to", "请选择一个窗口，或一个区划内的全部窗口，二者只选其一。")
    reason = fitting(reason, what="授权依据")
    if not reason:
        raise Refused("grant_reason", "请写明授权依据（协议、文件或会议纪要）。")
    if effective_to and effective_to < effective_from:
        raise Refused("grant_dates", "失效日期早于生效日期。")
    with transaction.atomic():
        given = []
        for right in rights:
            grant, fresh = Grant.objects.get_or_create(
                office=office,
                right=right.value,
                window=window,
                region=region,
                item=item,
                effective_from=effective_from,
                revoked_at__isnull=True,
                defaults={"effective_to": effective_to, "reason": reason},
            )
            if not fresh:
                raise Refused("grant_known", f"“{right.label}”已在同一天授予同一对象，不必重复登记。")
            record(kind="grant.given", actor=actor, subject=grant, now=now, data=_told(grant))
            given.append(grant)
    return given


def renew_grant(
    *, grant: Grant, effective_to: date | None, reason: str, actor: Actor, now: datetime
) -> Grant:
    """The same right for the time after its last day, or from today where that is past: a grant of its own."""
    check_may(actor, "grant.edit", grant)
    if grant.revoked_at is not None or grant.effective_to is None:
        raise Refused("grant_not_ending", "这项授权没有失效日期或者已经撤销，不能续授。")
    (given,) = give_grant(
        office=grant.office,
        rights=[Right(grant.right)],
        window=grant.window,
        region=grant.region,
        item=grant.item,
        effective_from=max(grant.effective_to + timedelta(days=1), local_day(now)),
        effective_to=effective_to,
        reason=reason,
        actor=actor,
        now=now,
    )
    return given


def revoke_grant(*, grant: Grant, reason: str, actor: Actor, now: datetime) -> Grant:
    """Ends the right at once for new acts; what was done under it stays valid and keeps naming it (putian §五(六))."""
    check_may(actor, "grant.edit", grant)
    reason = fitting(reason, what="撤销理由")
    if not reason:
        raise Refused("revoke_reason", "请写明撤销理由。")
    with transaction.atomic():
        changed = Grant.objects.filter(pk=grant.pk, revoked_at__isnull=True).update(
            revoked_at=now, revoked_reason=reason
        )
        if not changed:
            raise Refused("grant_revoked", "这项授权已经撤销，请刷新页面。")
        grant.refresh_from_db()
        record(kind="grant.revoked", actor=actor, subject=grant, now=now, data=_told(grant))
    return grant


def in_force(grant: Grant, now: datetime) -> bool:
    day = local_day(now)
    return (
        grant.effective_from <= day
        and (grant.effective_to is None or grant.effective_to >= day)
        and (grant.revoked_at is None or grant.revoked_at > now)
    )


def _told(grant: Grant) -> dict[str, object]:
    return {
        "office": grant.office.code,
        "right": grant.right,
        "window": grant.window.code if grant.window else "",
        "region": grant.region_id or "",
        "item": grant.item.code if grant.item else "",
        "reason": grant.revoked_reason or grant.reason,
    }
