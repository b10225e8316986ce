"""到件比对: rescanning an original that arrived, both papers side by side with what differs, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_elsewhere
from config.pages.frame import Fault, Typed, page
from config.pages.images import READABLE, Frame, frame_of, stored_jpeg, turned_frame
from config.pages.incoming import paper_on_disk
from dossier.arrivals import ArrivalState, ArrivalVerdict, PlaceKind, SheetMatch, Spot
from dossier.models import ArrivalComparison, ArrivedPage
from dossier.services import judge_arrival, take_rescan
from ingest.models import Original, Page
from registry.actors import Actor
from registry.permissions import NotYours, visible, yours
from storage.errors import Refused


@dataclass(frozen=True)
class Mark:
    """A place of difference as both pictures show it: corners of a polygon in stored pixels."""

    number: int
    kind: str
    label: str
    counts: bool
    signed: str
    sheet: str


@dataclass(frozen=True)
class Pair:
    """A signed page and the arrived one that shows it; one of them may be missing."""

    signed: Page | None
    signed_number: int
    signed_frame: Frame | None
    sheet: ArrivedPage | None
    sheet_frame: Frame | None
    cut_off: bool = False
    marks: tuple[Mark, ...] = ()
    further: int = 0

    @property
    def differs(self) -> bool:
        return self.signed is None or self.sheet is None or any(mark.counts for mark in self.marks)


@page("original.compare")
def arrival(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """The comparisons of one original; by POST a rescan of it is taken in."""
    found = visible(actor, "original.compare", Original.objects.filter(pk=pk))
    original = yours(found.select_related("case__item", "material"))
    fault = None
    if request.method == "POST":
        try:
            made = _taken(request, original, actor)
        except NotYours:
            raise
        except Refused as refused:
            fault = Fault.of(refused, "rescan")
        else:
            return redirect("comparison", pk=made.pk)
    rows = visible(actor, "original.compare", ArrivalComparison.objects.filter(original=original))
    context = {
        "original": original,
        "case": original.case,
        "rows": list(rows.order_by("-pk")),
        "here": (original.place, original.place_id) == (Original.Place.OFFICE, actor.office_id),
        "fault": fault,
    }
    return render(request, "case/arrival.html", context, status=409 if fault else 200)


@page("original.compare")
def comparison(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Both papers side by side, and what was made of it."""
    return _shown(request, find_comparison(pk, actor))


@require_POST
@page("original.compare")
def judge(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    found = find_comparison(pk, actor)

    def decide() -> None:
        said = request.POST.get("verdict", "")
        if said not in ArrivalVerdict.values():
            raise Refused("arrival_verdict", "请选择比对结论：一致、有差异或无法比对。")
        judge_arrival(
            comparison=found,
            verdict=ArrivalVerdict(said),
            reason=request.POST.get("reason", ""),
            actor=actor,
            now=timezone.now(),
        )

    return act_elsewhere(
        request,
        act=decide,
        said="结论已登记。有差异的，寄件方会收到异常。",
        back=f"{reverse('comparison', args=[pk])}#judge",
        refused=lambda fault: _shown(request, find_comparison(pk, actor), fault),
        at="judge",
    )


@page("original.compare")
def comparison_sheet(request: HttpRequest, actor: Actor, pk: int, number: int) -> HttpResponse:
    """One page of the rescan, drawn for the screen."""
    pages = ArrivedPage.objects.filter(comparison=find_comparison(pk, actor), number=number)
    found = yours(pages.select_related("stored"))
    return stored_jpeg(request, found.stored, found.rotation, READABLE)


def find_comparison(pk: int, actor: Actor) -> ArrivalComparison:
    """The comparison, if it was made at this reader's office. Raises NotYours."""
    rows = visible(actor, "original.compare", ArrivalComparison.objects.filter(pk=pk))
    return yours(rows.select_related("original__case__item", "dossier"))


def _taken(request: HttpRequest, original: Original, actor: Actor) -> ArrivalComparison:
    file = request.FILES.get("rescan")
    if not isinstance(file, UploadedFile):
        raise Refused("rescan_missing", "请选择到件原件的扫描件，多页请扫成一个 PDF 或 TIFF。")
    with paper_on_disk(file) as path:
        return take_rescan(original=original, path=path, actor=actor, now=timezone.now())


def _shown(request: HttpRequest, found: ArrivalComparison, fault: Fault | None = None) -> HttpResponse:
    outcome = found.outcome
    context = {
        "comparison": found,
        "original": found.original,
        "case": found.original.case,
        "waiting": found.state == ArrivalState.WAITING,
        "judged": found.state == ArrivalState.JUDGED,
        "outcome": outcome,
        "suggestion": outcome.suggestion,
        "pairs": _pairs(found) if found.state != ArrivalState.WAITING else [],
        "verdicts": ArrivalVerdict.choices(),
        "fault": fault,
        "typed": Typed(fault.at, request.POST) if fault else None,
        "said": list(messages.get_messages(request)),
    }
    return render(request, "case/comparison.html", context, status=409 if fault else 200)


def _pairs(found: ArrivalComparison) -> list[Pair]:
    """In the order of the arrived stack; signed pages that did not come are last."""
    outcome, sheets = found.outcome, {sheet.number: sheet for sheet in found.pages.all()}
    by_pk = {page.pk: page for page in Page.objects.filter(pk__in=found.leaves)}
    leaves = [by_pk[pk] for pk in found.leaves]
    pairs = [_pair(match, sheets[match.sheet], leaves) for match in outcome.sheets]
    return pairs + [
        Pair(leaves[leaf], leaf + 1, frame_of(leaves[leaf]), None, None) for leaf in outcome.missing
    ]


def _pair(match: SheetMatch, sheet: ArrivedPage, leaves: Sequence[Page]) -> Pair:
    frame = turned_frame(sheet.width, sheet.height, sheet.rotation)
    if match.leaf is None:
        return Pair(None, 0, None, sheet, frame)
    signed = leaves[match.leaf]
    marks = tuple(_mark(number, spot) for number, spot in enumerate(match.spots, 1))
    return Pair(signed, match.leaf + 1, frame_of(signed), sheet, frame, match.cut_off, marks, match.further)


def _mark(number: int, spot: Spot) -> Mark:
    left, top, right, bottom = spot.signed
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Mark(
        number=number,
        kind=spot.kind,
        label=PlaceKind(spot.kind).label,
        counts=spot.counts,
        signed=_points(corners),
        sheet=_points(spot.sheet),
    )


def _points(corners: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in corners)
