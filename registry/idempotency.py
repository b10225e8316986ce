"""One effect for a call that is sent again: its first answer is kept, per key, and given again.

After the IETF draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header): the same key with
the same content gets the first answer, with other content 422, while the first is still at it 409. Only answers that say
that something was done are kept; what was refused changed nothing and may be tried again under the same key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from registry.models import ApiKey, IdempotentCall
from storage.errors import Refused

KEPT = timedelta(days=3)
LONGEST_CALL = timedelta(minutes=2)
"""A call that is open for longer lost its process; whether it had its effect is not known."""
SWEPT_AT_ONCE = 1000
_NAME = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
State = IdempotentCall.State


class BadName(Refused):
    """The header holds no usable key."""

    def __init__(self) -> None:
        super().__init__("idempotency_key", "Idempotency-Key 须为 1 至 255 个可打印的 ASCII 字符。")


class Reused(Refused):
    """The key was used for a call with another content."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_reused", "这个 Idempotency-Key 已用于内容不同的请求，请为新的请求换一个。"
        )


class InFlight(Refused):
    """The first call with this key is not answered yet."""

    def __init__(self) -> None:
        super().__init__("idempotency_in_flight", "相同的请求正在处理，请稍后再试。", can_retry=True)


class Uncertain(Refused):
    """The first call ended without an answer: it may have had its effect."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_unknown",
            "上一次相同的请求没有完成应答，结果不明：请先查询是否已经生效，未生效的换一个 Idempotency-Key 重新提交。",
        )


@dataclass(frozen=True)
class Answer:
    """What a call was answered: HTTP status, the JSON text, and headers that tell what the text does not."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def name_in(header: str) -> str:
    """The caller's key; the draft writes it as a quoted string, many send it bare. Raises BadName."""
    name = header.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if not _NAME.fullmatch(name):
        raise BadName
    return name


def begin(*, key: ApiKey, name: str, fingerprint: str, now: datetime) -> IdempotentCall | Answer:
    """The call to go through with, claimed for this caller, or the answer it got before.

    Raises Reused, InFlight, Uncertain.
    """
    fresh = {
        "fingerprint": fingerprint,
        "state": State.OPEN,
        "status": None,
        "answer": "",
        "started_at": now,
        "expires_at": now + KEPT,
    }
    with transaction.atomic():
        call, new = IdempotentCall.objects.get_or_create(api_key=key, name=name, defaults=fresh)
    if new:
        return call
    if call.expires_at <= now:
        # Forgotten, but not swept yet. Whoever is first takes it over.
        if IdempotentCall.objects.filter(pk=call.pk, expires_at=call.expires_at).update(**fresh):
            call.refresh_from_db()
            return call
        raise InFlight
    if call.fingerprint != fingerprint:
        raise Reused
    if call.state == State.DONE:
        return Answer(call.status or 200, **json.loads(call.answer))
    if call.state == State.OPEN and now - call.started_at < LONGEST_CALL:
        raise InFlight
    raise Uncertain


def keep(*, call: IdempotentCall, answer: Answer) -> None:
    """The call did something: whoever sends it again gets this answer."""
    kept = json.dumps({"text": answer.text, "headers": dict(answer.headers)}, ensure_ascii=False)
    _mine(call).update(state=State.DONE, status=answer.status, answer=kept)


def forget(*, call: IdempotentCall) -> None:
    """The call was refused and changed nothing: it may be sent again under the same key."""
    _mine(call).delete()


def give_up(*, call: IdempotentCall) -> None:
    """The call broke, perhaps after its effect: nobody may take it for undone."""
    _mine(call).update(state=State.UNKNOWN)


def sweep_calls(*, now: datetime) -> int:
    """Forget answers whose time is over; how many."""
    old = IdempotentCall.objects.filter(expires_at__lte=now).values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    return IdempotentCall.objects.filter(pk__in=list(old)).delete()[0]


def _mine(call: IdempotentCall) -> QuerySet[IdempotentCall]:
    return IdempotentCall.objects.filter(pk=call.pk, started_at=call.started_at, state=State.OPEN)
