"""What an administrator watches: background work that failed, and what couriers pushed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.event_words import REACTION_WORDS
from config.pages.frame import Fault, page
from config.pages.keyset import newest_first
from logistics.models import ForgeryTally, WebhookDelivery
from logistics.services.judging import acknowledge_alarm, open_alarms
from logistics.services.taking_in import replay
from registry.actors import Actor
from registry.permissions import visible, yours
from workers.models import Job, JobState
from workers.services import retry

PAGE_SIZE = 40
ALARMS_SHOWN = 5


@page("job.see")
def jobs(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show_jobs(request, actor)


def _show_jobs(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    """Background work; the failed ones unless the filter says otherwise."""
    state = request.GET.get("state", JobState.FAILED.value)
    rows = visible(actor, "job.see", Job.objects.select_related("event"))
    if state in JobState.values():
        rows = rows.filter(state=state)
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [(job, REACTION_WORDS.get(job.reaction, job.reaction)) for job in part.rows],
        "next": part.next,
        "state": state,
        "states": JobState.choices(),
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    template = "system/_jobs.html" if request.headers.get("HX-Target") == "list" else "system/jobs.html"
    return render(request, template, context, status=409 if fault else 200)


@require_POST
@page("job.see")
def retry_job(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    job = yours(visible(actor, "job.see", Job.objects.filter(pk=pk)))
    now = timezone.now()
    return act_elsewhere(
        request,
        act=lambda: retry(job=job, actor=actor, now=now),
        said="已重新排队。",
        at="jobs",
        back=reverse("jobs"),
        refused=lambda fault: _show_jobs(request, actor, fault),
    )


@page("inbox.see")
def webhook_inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _show_inbox(request, actor)


def _show_inbox(request: HttpRequest, actor: Actor, fault: Fault | None = None) -> HttpResponse:
    """What came in from couriers, newest first; bodies stay closed, they hold personal data."""
    state = request.GET.get("state", "")
    rows = visible(
        actor, "inbox.see", WebhookDelivery.objects.select_related("account__carrier", "account__centre")
    )
    rows = rows.defer("raw", "account__credentials", "account__path_token")
    # Repetitions are the larger half of what couriers send, and say nothing new: they are shown when asked for.
    rows = (
        rows.filter(state=state)
        if state in WebhookDelivery.State.values
        else rows.exclude(state=WebhookDelivery.State.REPEATED)
    )
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": part.rows,
        "next": part.next,
        "state": state,
        "states": WebhookDelivery.State.choices,
        "alarms": open_alarms()[:ALARMS_SHOWN],
        "fault": fault,
        "said": list(messages.get_messages(request)),
    }
    template = "system/_inbox.html" if request.headers.get("HX-Target") == "list" else "system/inbox.html"
    return render(request, template, context, status=409 if fault else 200)


@require_POST
@page("inbox.see")
def replay_push(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Process a push again from its raw bytes; what was applied already is not applied twice."""
    delivery = yours(visible(actor, "inbox.see", WebhookDelivery.objects.filter(pk=pk)))
    now = timezone.now()
    return act_elsewhere(
        request,
        act=lambda: replay(delivery=delivery, actor=actor, now=now),
        said="已重新处理。",
        at="inbox",
        back=reverse("webhook_inbox"),
        refused=lambda fault: _show_inbox(request, actor, fault),
    )


@require_POST
@page("inbox.see")
def acknowledge_forgeries(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The administrator knows that somebody pushes what no courier signed."""
    tally = yours(visible(actor, "inbox.see", ForgeryTally.objects.filter(pk=pk)))
    now = timezone.now()
    return act_elsewhere(
        request,
        act=lambda: acknowledge_alarm(tally=tally, actor=actor, now=now),
        said="已记录您知悉此事。",
        at="inbox",
        back=reverse("webhook_inbox"),
        refused=lambda fault: _show_inbox(request, actor, fault),
    )
