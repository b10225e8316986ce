"""Subscriptions of platforms as the administrator keeps them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from ingest.models import Notice, Subscription
from ingest.telling.address import check_url
from ingest.telling.rules import WORDS
from registry.actors import Actor
from registry.events import record
from registry.models import ApiKey
from registry.permissions import check_may, may
from registry.webhook_signing import key_of
from storage.errors import Refused

OVERLAP = timedelta(days=7)
State = Subscription.State


def subscribe(
    *, key: ApiKey, url: str, kinds: Iterable[str], secret: str, actor: Actor, now: datetime
) -> Subscription:
    """Tell the system behind a key about its cases from now on. The secret goes in here and never comes out."""
    check_may(actor, "platform.edit")
    if key.revoked_at is not None or not may(Actor.of_key(key), "case.see"):
        raise Refused("subscription_key", "该接口密钥已撤销或无权查看办件，不能订阅推送。")
    wanted = _kinds(kinds)
    _check_secret(secret)
    check_url(url, networks=settings.WEBHOOK_NETWORKS)
    with transaction.atomic():
        if Subscription.objects.filter(api_key=key, url=url).exclude(state=State.ENDED).exists():
            raise Refused("subscription_twice", "该密钥已订阅推送到这个地址。")
        made = Subscription.objects.create(
            api_key=key,
            url=url,
            kinds=wanted,
            secrets=[{"secret": secret, "until": None}],
            created_at=now,
        )
        _tell("subscription.added", made, actor, now, key=key.prefix, kinds=wanted)
    return made


def rotate(
    *, subscription: Subscription, secret: str, actor: Actor, now: datetime, overlap: timedelta = OVERLAP
) -> None:
    """A new secret from now on; the old one signs along for the overlap, so that the platform may change over in it."""
    check_may(actor, "platform.edit", subscription)
    _check_secret(secret)
    with transaction.atomic():
        held = _held(subscription)
        living = held.living_secrets(now=now)
        if secret in living:
            raise Refused("secret_unchanged", "这正是当前的密钥，没有改动。")
        until = now + overlap
        old = [{"secret": one, "until": until.isoformat()} for one in living] if overlap else []
        held.secrets = [{"secret": secret, "until": None}, *old]
        held.save(update_fields=["secrets"])
        _tell("subscription.rotated", held, actor, now, until=until.isoformat())
    subscription.secrets = held.secrets


def end_overlap(*, subscription: Subscription, actor: Actor, now: datetime) -> None:
    """The platform checks with the new secret only: the old one stops signing."""
    check_may(actor, "platform.edit", subscription)
    with transaction.atomic():
        held = _held(subscription)
        if held.old_secret_until(now=now) is None:
            raise Refused("stale", "没有仍在使用的旧密钥，请刷新页面。")
        held.secrets = held.secrets[:1]
        held.save(update_fields=["secrets"])
        _tell("subscription.overlap_ended", held, actor, now)


def choose_kinds(*, subscription: Subscription, kinds: Iterable[str], actor: Actor, now: datetime) -> None:
    """Tell other events from now on; what was noted before is told all the same."""
    check_may(actor, "platform.edit", subscription)
    wanted = _kinds(kinds)
    with transaction.atomic():
        held = _held(subscription)
        Subscription.objects.filter(pk=held.pk).update(kinds=wanted)
        _tell("subscription.kinds_chosen", held, actor, now, kinds=wanted)


def enable(*, subscription: Subscription, actor: Actor, now: datetime) -> None:
    """Go on telling, and tell what was parked meanwhile: the event leads to one piece of work for each."""
    check_may(actor, "platform.edit", subscription)
    with transaction.atomic():
        held = _held(subscription)
        parked = held.notices.filter(state=Notice.State.PARKED).exists()
        if held.state != State.DISABLED and not parked:
            raise Refused("subscription_running", "该订阅正在推送，也没有搁置的推送。")
        Subscription.objects.filter(pk=held.pk).update(
            state=State.ACTIVE, failures=0, failing_since=None, rests_until=None, disabled_for=""
        )
        _tell("subscription.enabled", held, actor, now)


def end(*, subscription: Subscription, actor: Actor, now: datetime) -> None:
    """Tell nothing any more."""
    check_may(actor, "platform.edit", subscription)
    with transaction.atomic():
        held = _held(subscription)
        Subscription.objects.filter(pk=held.pk).update(state=State.ENDED, ended_at=now, secrets=[])
        _tell("subscription.ended", held, actor, now)


def replay(*, notice: Notice, actor: Actor, now: datetime) -> None:
    """Tell it again under the same id, whether it arrived before or not."""
    check_may(actor, "platform.edit", notice)
    with transaction.atomic():
        running = Subscription.objects.filter(pk=notice.subscription_id, state=State.ACTIVE).exists()
        if not running:
            raise Refused("subscription_stopped", "该订阅已停用或终止，请先恢复推送。")
        again = Notice.objects.filter(pk=notice.pk).exclude(state=Notice.State.WAITING)
        if not again.update(state=Notice.State.WAITING, attempts=0, next_try_at=now):
            raise Refused("notice_waiting", "该推送正在等待下一次尝试，无需重推。")
        _tell("notice.replayed", notice, actor, now, message=notice.message_id)


def _held(subscription: Subscription) -> Subscription:
    """The row, locked; one that was ended is no more."""
    held = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if held.state == State.ENDED:
        raise Refused("subscription_ended", "该订阅已终止。")
    return held


def _kinds(kinds: Iterable[str]) -> list[str]:
    asked = set(kinds)
    wanted = [kind for kind in WORDS if kind in asked]
    if not wanted or asked - WORDS.keys():
        raise Refused("subscription_kinds", "请至少选择一种可推送的事件。")
    return wanted


def _check_secret(secret: str) -> None:
    try:
        key_of(secret)
    except ValueError as fault:
        raise Refused(
            "webhook_secret", "签名密钥须为 whsec_ 开头的 Base64 文本，内容 24 至 64 字节。"
        ) from fault


def _tell(kind: str, subject: Subscription | Notice, actor: Actor, now: datetime, **data: Any) -> None:
    record(kind=kind, actor=actor, subject=subject, now=now, data=data)
