"""承运商账户 as the administrator keeps them: whose they are, which secrets are honoured, and putting new ones in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, page
from logistics.couriers.opening import ADAPTERS, SECRETS, Secret
from logistics.models import CarrierAccount
from logistics.services.accounts import end_overlap, rotate_credentials
from logistics.services.breakers import open_breakers
from registry.actors import Actor
from registry.permissions import NotYours, visible

OVERLAPS = {"7": "7 天", "30": "30 天", "1": "1 天", "0": "立即停用（旧密钥可能已泄露）"}
LONGEST_SECRET = 400


@dataclass(frozen=True)
class Shown:
    """An account, what its adapter has to hold, and until when replaced secrets are honoured."""

    account: CarrierAccount
    adapter: str
    secrets: tuple[Secret, ...]
    old_until: datetime | None

    @property
    def at(self) -> str:
        """Its place on the page."""
        return f"account-{self.account.pk}"


@page("carrier.edit")
def carrier_accounts(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show(request, actor)


@require_POST
@page("carrier.edit")
def rotate_secrets(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """New secrets; what is left empty stays. Secrets go in here and never come out again."""
    account, now = _account(actor, pk), timezone.now()
    names = [secret.name for secret in SECRETS[account.carrier.adapter]]
    told = {name: request.POST.get(name, "").strip()[:LONGEST_SECRET] for name in names}
    days = request.POST.get("overlap", "7")
    overlap = timedelta(days=int(days) if days in OVERLAPS else 7)
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


def _show(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    now = timezone.now()
    rows = visible(actor, "carrier.edit", CarrierAccount.objects.select_related("carrier", "centre"))
    rows = rows.defer("path_token").order_by("-active", "carrier__name", "centre__name")
    context = {
        "rows": [
            Shown(
                account,
                ADAPTERS[account.carrier.adapter],
                SECRETS[account.carrier.adapter],
                account.old_secrets_until(now=now),
            )
            for account in rows
        ],
        "overlaps": OVERLAPS.items(),
        "resting": open_breakers(now=now),
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "system/carriers.html", context, status=409 if fault else 200)


def _account(actor: Actor, pk: int) -> CarrierAccount:
    rows = visible(actor, "carrier.edit", CarrierAccount.objects.select_related("carrier"))
    account = rows.filter(pk=pk).first()
    if account is None:
        raise NotYours
    return account
