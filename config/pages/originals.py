"""原件: which of them lie here, are missing or written off; and one original with everybody who ever answered for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from config.pages.images import READABLE, stored_jpeg
from config.pages.keyset import newest_first
from config.pages.placed import is_here, placed, places_named
from config.pages.proofs import proof_in
from ingest.models import Original
from ingest.services.stops import onward
from logistics.models import CustodyEvent, Incident, Loss, ParcelItem
from logistics.rules.handovers import PAD_HEIGHT, PAD_WIDTH
from logistics.rules.losses import LONGEST, LossState, Remedy
from logistics.rules.parcels import IncidentKind, NotNow, ParcelState
from logistics.services.chasing import Chased, chased
from logistics.services.custody import find_missing
from logistics.services.endings import archive_original
from logistics.services.ends import is_receiver, is_sender
from logistics.services.incidents import resolve_incident
from logistics.services.losses import (
    confirm_loss,
    declare_lost,
    find_lost,
    is_held_by,
    report_missing,
    search_for,
    send_back_loss,
)
from logistics.services.overdue import COURIER, Overdue, overdue_originals
from logistics.services.whereabouts import where_is
from registry.actors import Actor
from registry.permissions import NotYours, may, visible, yours
from registry.sheets.forms import labelled

PAGE_SIZE = 40
MOST_LATE = 200
P = Original.Place
MISSING = Q(place__in=[P.LOST, P.MISSING]) | Q(
    place=P.PARCEL, parcel_items__holds=True, parcel_items__finding=ParcelItem.Finding.MISSING
)
OVERDUE = "overdue"
LISTS: Mapping[str, tuple[str, Q]] = {
    "missing": ("缺失与报失", MISSING),
    "declared": ("待复核核销", Q(losses__state=LossState.DECLARED)),
    "gone": ("已报失核销", Q(place=P.GONE)),
}
HERE = "here"


@dataclass(frozen=True)
class Step:
    """One move of the chain, in words."""

    custody: CustodyEvent
    came_from: str
    went_to: str


@dataclass(frozen=True)
class Acts:
    """What this reader may do with the original now; `searched_until` is when it may be declared lost."""

    find: bool = False
    with_applicant: bool = False
    archive: bool = False
    hand_out: bool = False
    miss: bool = False
    declare: bool = False
    searched_until: datetime | None = None
    decide: bool = False
    bring_back: bool = False

    @property
    def any(self) -> bool:
        held = (self.find, self.archive, self.hand_out, self.miss)
        return any((*held, self.declare, self.decide, self.bring_back))


@page("original.see")
def originals(request: HttpRequest, actor: Actor) -> HttpResponse:
    """First what is missing; also what is overdue, waits for a second person, was written off, and what lies here."""
    which = request.GET.get("list", "")
    which = which if which in LISTS or which in (HERE, OVERDUE) else "missing"
    lists = [*((key, label) for key, (label, _) in LISTS.items()), (HERE, "在本处"), (OVERDUE, "超期")]
    if which == OVERDUE:
        late = overdue_originals(actor=actor, now=timezone.now())
        context = {"late": _with_names(late[:MOST_LATE]), "which": which, "lists": lists, "count": len(late)}
        return render(request, "work/originals.html", context)
    rows = visible(actor, "original.see", Original.objects.filter(_chosen(which, actor)))
    rows = rows.select_related("case__item").distinct()
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": placed(part.rows, actor),
        "next": part.next,
        "which": which,
        "lists": lists,
    }
    return render(request, "work/originals.html", context)


def _with_names(late: list[Overdue]) -> list[tuple[Overdue, str, Chased | None]]:
    """Each with the name of whoever has to act, and how often that was said."""
    names = places_named(each.who for each in late if each.who[0] != COURIER)
    told = chased(each.original for each in late)
    return [(each, names.get(each.who, "承运商"), told.get(each.original.pk)) for each in late]


@page("original.see")
def original(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    return _shown(request, actor, pk)


@require_POST
@page("parcel.receive")
def found(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """A missing original turned up here."""
    shown = find_original(pk, actor)
    item = _missing_item(shown)
    with_applicant = "with_applicant" in request.POST

    def act() -> None:
        if item is None:
            raise NotNow("item_not_missing", "该原件没有登记为缺失。")
        now = timezone.now()
        find_missing(
            item=item, actor=actor, now=now, photo=proof_in(request, now), with_applicant=with_applicant
        )

    said = "已登记，原件仍在申请人处，等待寄来。" if with_applicant else "已登记找到，原件在本处。"
    return _act(request, actor, pk, act=act, said=said)


@require_POST
@page("handling.decide")
def archive(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The office keeps it for good."""
    shown = find_original(pk, actor)

    def act() -> None:
        now = timezone.now()
        archive_original(original=shown, actor=actor, now=now, photo=proof_in(request, now))

    return _act(request, actor, pk, act=act, said="已归档，由本部门留存。")


@require_POST
@page("incident.report")
def miss(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """It does not lie where it should, on this reader's own desk."""
    shown = find_original(pk, actor, "incident.report")
    return _act(
        request,
        actor,
        pk,
        act=lambda: report_missing(original=shown, actor=actor, now=timezone.now()),
        said="已登记查找，由本处负责，请在期限内查找。",
    )


@require_POST
@page("incident.report")
def answer(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """What came of chasing it, said by the desk that has to answer."""
    incident = _answered_for(find_original(pk, actor, "incident.report"), actor)

    def act() -> None:
        if incident is None:
            raise NotNow("chase_none", "没有由本处答复的超期异常，请刷新页面。")
        words = request.POST.get("resolution", "")
        resolve_incident(incident=incident, resolution=words, actor=actor, now=timezone.now())

    return _act(request, actor, pk, act=act, said="已答复，异常已关闭；原件仍未移动的，隔几个工作日再催办。")


@require_POST
@page("original.write_off")
def declare(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One person says that it will not be found."""
    shown, told = find_original(pk, actor, "original.write_off"), request.POST
    return _act(
        request,
        actor,
        pk,
        act=lambda: declare_lost(
            original=shown,
            reason=told.get("reason", ""),
            remedy=labelled(Remedy, told.get("remedy", "")),
            done=told.get("done", ""),
            actor=actor,
            now=timezone.now(),
        ),
        said="已申报核销，等另一人复核。",
    )


@require_POST
@page("original.write_off")
def decide(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Another person confirms it, or sends it back."""
    shown = find_original(pk, actor, "original.write_off")
    loss = Loss.objects.filter(original=shown, state=LossState.DECLARED).order_by("-pk").first()
    agreed = request.POST.get("verdict") != "send_back"

    def act() -> None:
        if loss is None:
            raise NotNow("loss_none", "没有等待复核的报失核销，请刷新页面。")
        loss.original = shown
        if agreed:
            confirm_loss(loss=loss, actor=actor, now=timezone.now())
        else:
            words = request.POST.get("answer", "")
            send_back_loss(loss=loss, words=words, actor=actor, now=timezone.now())

    said = "已复核，原件报失核销。" if agreed else "已退回，请继续查找。"
    return _act(request, actor, pk, act=act, said=said)


@require_POST
@page("original.write_off")
def bring_back(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One that was written off, or is looked for, lies here after all."""
    shown = find_original(pk, actor, "original.write_off")
    words = request.POST.get("words", "")
    return _act(
        request,
        actor,
        pk,
        act=lambda: find_lost(original=shown, words=words, actor=actor, now=timezone.now()),
        said="已登记找回，原件在本处；已告知申请人丢失的，请与申请人联系。",
    )


@page("original.see")
def custody_photo(request: HttpRequest, actor: Actor, pk: int, sequence: int) -> HttpResponse:
    """The photo that was taken at one hand-over."""
    steps = CustodyEvent.objects.filter(original=find_original(pk, actor), sequence=sequence)
    step = steps.select_related("photo").first()
    if step is None or step.photo is None:
        raise NotYours
    return stored_jpeg(request, step.photo, 0, READABLE)


def find_original(pk: int, actor: Actor, act: str = "original.see") -> Original:
    """The original, if the actor may do `act` to it. Raises NotYours."""
    rows = visible(actor, act, Original.objects.filter(pk=pk))
    return yours(rows.select_related("case__item", "handling__office"))


def _act(
    request: HttpRequest, actor: Actor, pk: int, *, act: Callable[[], object], said: str
) -> HttpResponse:
    return act_elsewhere(
        request,
        act=act,
        said=said,
        back=f"{reverse('original', args=[pk])}#act",
        refused=lambda fault: _shown(request, actor, pk, fault),
    )


def _shown(request: HttpRequest, actor: Actor, pk: int, fault: Fault | None = None) -> HttpResponse:
    shown = find_original(pk, actor)
    losses = list(Loss.objects.filter(original=shown).select_related("incident").order_by("-pk"))
    told = chased([shown]).get(pk)
    context = {
        "told": told,
        "told_to": places_named([told.desk])[told.desk] if told else "",
        "answers": _answered_for(shown, actor),
        "original": shown,
        "where": where_is(original_id=pk, actor=actor),
        "missing": _missing_item(shown) is not None,
        "steps": _steps(shown),
        "losses": losses,
        "waits": next((loss for loss in losses if loss.state == LossState.DECLARED), None),
        "acts": _acts(shown, actor, losses, timezone.now()),
        "remedies": Remedy.choices(),
        "longest": LONGEST,
        "pad": (PAD_WIDTH, PAD_HEIGHT),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "case/original.html", context, status=409 if fault else 200)


def _acts(shown: Original, actor: Actor, losses: list[Loss], now: datetime) -> Acts:
    item = ParcelItem.objects.filter(original=shown, holds=True).select_related("parcel").first()
    missing = item if item is not None and _is_missing(item) else None
    lost = item if item is not None and item.parcel.state == ParcelState.LOST else None
    here = is_here(shown, actor) and item is None
    writes_off = may(actor, "original.write_off")
    waits = next((loss for loss in losses if loss.state == LossState.DECLARED), None)
    sought = shown.place == P.MISSING or missing is not None or lost is not None
    until = search_for(shown).incident.due_at if sought and writes_off and not waits else None
    return Acts(
        find=missing is not None
        and may(actor, "parcel.receive")
        and (is_receiver(actor, missing.parcel) or is_sender(actor, missing.parcel)),
        with_applicant=missing is not None and missing.parcel.is_from_applicant,
        archive=here
        and shown.place == P.OFFICE
        and shown.kind == Original.Kind.MATERIAL
        and may(actor, "handling.decide")
        and onward(shown) is None,
        hand_out=here and shown.place == P.WINDOW and may(actor, "case.deliver"),
        miss=is_held_by(actor, shown) and item is None and may(actor, "incident.report"),
        declare=until is not None and until <= now,
        searched_until=until if until is not None and until > now else None,
        decide=writes_off and waits is not None and str(waits.declared_by_id) != actor.id,
        bring_back=writes_off and shown.place in (P.GONE, P.MISSING),
    )


def _steps(shown: Original) -> list[Step]:
    rows = list(
        CustodyEvent.objects.filter(original=shown)
        .select_related("parcel", "handover", "photo")
        .order_by("-sequence")
    )
    names = places_named(
        [(row.from_place, row.from_id) for row in rows] + [(row.to_place, row.to_id) for row in rows]
    )
    return [Step(row, names[(row.from_place, row.from_id)], names[(row.to_place, row.to_id)]) for row in rows]


def _answered_for(shown: Original, actor: Actor) -> Incident | None:
    """The open incident about the paper being overdue on this reader's own desk."""
    rows = Incident.objects.filter(
        original=shown, parcel=None, kind=IncidentKind.OVERDUE.value, state=Incident.State.OPEN
    )
    return visible(actor, "incident.report", rows).first()


def _missing_item(shown: Original) -> ParcelItem | None:
    item = ParcelItem.objects.filter(original=shown, holds=True).select_related("parcel").first()
    return item if item is not None and _is_missing(item) else None


def _is_missing(item: ParcelItem) -> bool:
    return item.finding == ParcelItem.Finding.MISSING


def _chosen(which: str, actor: Actor) -> Q:
    if which != HERE:
        return LISTS[which][1]
    window = Q(place=P.WINDOW, place_id=actor.window_id or 0)
    return window | Q(place=P.OFFICE, place_id=actor.office_id or 0)
