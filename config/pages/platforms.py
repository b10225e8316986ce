"""平台推送 as the administrator keeps it: who is told what at which address, what did not arrive, and telling it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.carrier_accounts import OVERLAPS, overlap_in
from config.pages.frame import Fault, page
from config.pages.keyset import newest_first
from ingest.models import Notice, Subscription
from ingest.telling.rules import WORDS
from ingest.telling.services import choose_kinds, enable, end, end_overlap, replay, rotate, subscribe
from registry.actors import Actor
from registry.models import ApiKey
from registry.permissions import may, visible, yours
from storage.errors import Refused

PAGE_SIZE = 40
FAULTS = {
    "gone": "对方答复该地址已永久失效（410）",
    "failing": "连续五天没有送达",
}


@dataclass(frozen=True)
class Shown:
    """A subscription as the page shows it."""

    subscription: Subscription
    kinds: tuple[str, ...]
    old_until: datetime | None
    parked: int
    why: str

    @property
    def at(self) -> str:
        """Its place on the page."""
        return f"subscription-{self.subscription.pk}"


@page("platform.edit")
def platforms(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show(request, actor)


@require_POST
@page("platform.edit")
def subscribe_platform(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new address for a key. Secrets go in here and never come out again."""
    told, now = request.POST, timezone.now()

    def add() -> None:
        chosen = told.get("key", "")
        key = ApiKey.objects.filter(pk=int(chosen) if chosen.isdecimal() else 0).first()
        if key is None:
            raise Refused("subscription_key", "请选择接口密钥。")
        subscribe(
            key=key,
            url=told.get("url", "").strip(),
            kinds=told.getlist("kinds"),
            secret=told.get("secret", "").strip(),
            actor=actor,
            now=now,
        )

    return _act(request, actor, add, said="已登记，此后的事件会推送到该地址。", at="subscribe")


@require_POST
@page("platform.edit")
def rotate_subscription(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    secret = request.POST.get("secret", "").strip()
    overlap = overlap_in(request, OVERLAPS)
    said = "新密钥已启用，旧密钥在并用期内同时签名。" if overlap else "新密钥已启用，旧密钥已停用。"
    return _act_on(request, actor, pk, partial(rotate, secret=secret, overlap=overlap), said=said)


@require_POST
@page("platform.edit")
def end_subscription_overlap(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _act_on(request, actor, pk, end_overlap, said="旧密钥已停用。")


@require_POST
@page("platform.edit")
def choose_subscription_kinds(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    kinds = request.POST.getlist("kinds")
    return _act_on(request, actor, pk, partial(choose_kinds, kinds=kinds), said="此后按新选的事件推送。")


@require_POST
@page("platform.edit")
def enable_subscription(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _act_on(request, actor, pk, enable, said="已恢复推送，搁置的推送正在补推。")


@require_POST
@page("platform.edit")
def end_subscription(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _act_on(request, actor, pk, end, said="订阅已终止，不再推送。", at="subscribe")


@page("platform.edit")
def notices(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show_notices(request, actor)


@require_POST
@page("platform.edit")
def replay_notice(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    notice = yours(visible(actor, "platform.edit", Notice.objects.filter(pk=pk)))
    now = timezone.now()
    return act_elsewhere(
        request,
        act=lambda: replay(notice=notice, actor=actor, now=now),
        said="已重新排队，将以相同编号再次推送。",
        at="notices",
        back=reverse("notices"),
        refused=lambda fault: _show_notices(request, actor, fault),
    )


def _act(request: HttpRequest, actor: Actor, act: Callable[[], None], *, said: str, at: str) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        at=at,
        back=f"{reverse('platforms')}#{at}",
        refused=lambda fault: _show(request, actor, fault),
    )


def _act_on(
    request: HttpRequest, actor: Actor, pk: int, verb: Callable[..., None], *, said: str, at: str = ""
) -> HttpResponse:
    """What `verb` does to one subscription, said at its place unless another is named."""
    subscription = yours(visible(actor, "platform.edit", Subscription.objects.filter(pk=pk)))
    return _act(
        request,
        actor,
        partial(verb, subscription=subscription, actor=actor, now=timezone.now()),
        said=said,
        at=at or f"subscription-{pk}",
    )


def _show(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    now = timezone.now()
    rows = visible(actor, "platform.edit", Subscription.objects.select_related("api_key"))
    parked = Count("notices", filter=Q(notices__state=Notice.State.PARKED))
    living = rows.exclude(state=Subscription.State.ENDED).annotate(parked=parked)
    context = {
        "rows": [_shown(subscription, now) for subscription in living.order_by("api_key__name", "pk")],
        "keys": [
            key
            for key in ApiKey.objects.filter(revoked_at__isnull=True)
            .select_related("window", "office")
            .order_by("name")
            if may(Actor.of_key(key), "case.see")
        ],
        "kinds": list(WORDS.items()),
        "overlaps": OVERLAPS.items(),
        "typed": request.POST if fault else None,
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "system/platforms.html", context, status=409 if fault else 200)


def _shown(subscription: Subscription, now: datetime) -> Shown:
    return Shown(
        subscription,
        kinds=tuple(WORDS[kind] for kind in subscription.kinds if kind in WORDS),
        old_until=subscription.old_secret_until(now=now),
        parked=subscription.parked,  # type: ignore[attr-defined]
        why=FAULTS.get(subscription.disabled_for, subscription.disabled_for),
    )


def _show_notices(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    """What was told, newest first; those that were given up are found by the filter."""
    state = request.GET.get("state", "")
    rows = visible(actor, "platform.edit", Notice.objects.select_related("subscription__api_key", "event"))
    rows = rows.defer("subscription__secrets")
    if state in Notice.State.values:
        rows = rows.filter(state=state)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [(notice, WORDS[notice.event.kind]) for notice in part.rows],
        "next": part.next,
        "state": state,
        "states": Notice.State.choices,
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    template = "system/_notices.html" if request.headers.get("HX-Target") == "list" else "system/notices.html"
    return render(request, template, context, status=409 if fault else 200)
