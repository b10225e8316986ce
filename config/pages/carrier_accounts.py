"""承运商账户 as the administrator keeps them: whose they are, which secrets are honoured, and where pushes come in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from logistics.couriers.opening import ADAPTERS, SECRETS, Secret
from logistics.models import CarrierAccount, RetiredPath
from logistics.services.accounts import callback_url, end_overlap, rotate_credentials
from logistics.services.breakers import open_breakers
from logistics.services.doors import (
    allow_addresses,
    change_path,
    end_old_paths,
    old_paths,
    still_pushed_to_old_paths,
)
from registry.actors import Actor
from registry.permissions import NotYours, visible, yours
from storage.errors import Refused

PATH_OVERLAPS = {"30": "30 天", "7": "7 天", "1": "1 天", "0": "立即停用（旧路径可能已泄露）"}
OVERLAPS = {"7": "7 天", "30": "30 天", "1": "1 天", "0": "立即停用（旧密钥可能已泄露）"}


@dataclass(frozen=True)
class Shown:
    """An account, what its adapter has to hold, and until when replaced secrets and paths are honoured.

    `new_address`: only in the answer to the very request that made it.
    """

    account: CarrierAccount
    adapter: str
    secrets: tuple[Secret, ...]
    old_until: datetime | None
    old_path: RetiredPath | None
    kept_for: int
    new_address: str = ""

    @property
    def at(self) -> str:
        """Its place on the page."""
        return f"account-{self.account.pk}"

    @property
    def addresses(self) -> str:
        """One a line, as they are typed."""
        return "\n".join(self.account.allowed_addresses)

    @property
    def path_at(self) -> str:
        return f"path-{self.account.pk}"

    @property
    def addresses_at(self) -> str:
        return f"addresses-{self.account.pk}"


@page("carrier.edit")
def carrier_accounts(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show(request, actor)


@require_POST
@page("carrier.edit")
def rotate_secrets(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """New secrets; what is left empty stays. Secrets go in here and never come out again."""
    account, now = _account(actor, pk), timezone.now()
    names = [secret.name for secret in SECRETS[account.carrier.adapter]]
    told = {name: request.POST.get(name, "").strip() for name in names}
    overlap = overlap_in(request, OVERLAPS)
    return act_elsewhere(
        request,
        act=lambda: rotate_credentials(
            account=account,
            credentials={name: value for name, value in told.items() if value},
            overlap=overlap,
            actor=actor,
            now=now,
        ),
        said="新密钥已启用。" if overlap else "新密钥已启用，旧密钥已停用。",
        at=f"account-{pk}",
        back=f"{reverse('carrier_accounts')}#account-{pk}",
        refused=lambda fault: _show(request, actor, fault),
    )


@require_POST
@page("carrier.edit")
def end_old_secrets(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The courier has changed over: its old secrets are not honoured any more."""
    account, now = _account(actor, pk), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: end_overlap(account=account, actor=actor, now=now),
        said="旧密钥已停用。",
        at=f"account-{pk}",
        back=f"{reverse('carrier_accounts')}#account-{pk}",
        refused=lambda fault: _show(request, actor, fault),
    )


@require_POST
@page("carrier.edit")
def change_push_path(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """A fresh push path. Its address is in this answer and nowhere else: to be given to the carrier at once."""
    account, now = _account(actor, pk), timezone.now()
    try:
        changed = change_path(
            account=account,
            replaces=request.POST.get("replaces", ""),
            overlap=overlap_in(request, PATH_OVERLAPS),
            actor=actor,
            now=now,
        )
    except NotYours:
        raise
    except Refused as refused:
        return _show(request, actor, Fault.of(refused, f"path-{pk}"))
    answer = _show(request, actor, changed=changed)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@page("carrier.edit")
def end_old_push_paths(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The courier pushes to the new path: the old ones are nobody's."""
    account, now = _account(actor, pk), timezone.now()
    return act_elsewhere(
        request,
        act=lambda: end_old_paths(account=account, actor=actor, now=now),
        said="旧推送路径已停用。",
        at=f"path-{pk}",
        back=f"{reverse('carrier_accounts')}#account-{pk}",
        refused=lambda fault: _show(request, actor, fault),
    )


@require_POST
@page("carrier.edit")
def set_push_addresses(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """From where pushes are taken: one address or network a line; an empty field takes them from everywhere."""
    account, now = _account(actor, pk), timezone.now()
    lines = [line for line in request.POST.get("addresses", "").splitlines() if line.strip()]
    return act_elsewhere(
        request,
        act=lambda: allow_addresses(account=account, addresses=lines, actor=actor, now=now),
        said="来源地址已更新。",
        at=f"addresses-{pk}",
        back=f"{reverse('carrier_accounts')}#account-{pk}",
        refused=lambda fault: _show(request, actor, fault),
    )


def overlap_in(request: HttpRequest, offered: Mapping[str, str]) -> timedelta:
    """The days that were chosen; the first offered when it was none of them."""
    days = request.POST.get("overlap", "")
    return timedelta(days=int(days if days in offered else next(iter(offered))))


def _show(
    request: HttpRequest,
    actor: Actor,
    fault: Fault | None = None,
    changed: CarrierAccount | None = None,
) -> HttpResponse:
    now = timezone.now()
    rows = visible(actor, "carrier.edit", CarrierAccount.objects.select_related("carrier", "centre"))
    rows = rows.defer("path_token").order_by("-active", "carrier__name", "centre__name")
    old, kept_for = old_paths(now=now), still_pushed_to_old_paths()
    context = {
        "rows": [
            Shown(
                account,
                ADAPTERS[account.carrier.adapter],
                SECRETS[account.carrier.adapter],
                account.old_secrets_until(now=now),
                old.get(account.pk),
                kept_for.get(account.pk, 0),
                callback_url(changed) if changed is not None and changed.pk == account.pk else "",
            )
            for account in rows
        ],
        "overlaps": OVERLAPS.items(),
        "path_overlaps": PATH_OVERLAPS.items(),
        "resting": open_breakers(now=now),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "system/carriers.html", context, status=409 if fault else 200)


def _account(actor: Actor, pk: int) -> CarrierAccount:
    rows = visible(actor, "carrier.edit", CarrierAccount.objects.select_related("carrier"))
    return yours(rows.filter(pk=pk))
