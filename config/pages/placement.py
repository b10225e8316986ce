"""The page editor: a page is moved, put in order, turned, set aside or brought back from where it is looked at."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.pages.acting import act_on_case
from config.pages.case_sheet import find_case
from config.pages.frame import Fault, ids_in, page
from config.pages.images import find_page, render_page
from ingest.services.placing import (
    bring_page_back,
    move_page,
    move_pages,
    put_page_at,
    set_page_aside,
    shift_page,
    turn_page,
)
from registry.actors import Actor
from registry.permissions import NotYours
from storage.errors import Refused

_SHIFTS = {"earlier": (-1, "已前移一页。"), "later": (1, "已后移一页。")}


@require_POST
@page("page.place")
def place(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """One act of the editor, named by the button that was pressed."""
    shown = find_page(pk, actor, "page.place")
    act, now = request.POST.get("act", ""), timezone.now()
    try:
        if act in _SHIFTS:
            by, said = _SHIFTS[act]
            shift_page(page=shown, by=by, actor=actor, now=now)
        elif act == "at":
            put_page_at(page=shown, place=(place := _number(request, "place")), actor=actor, now=now)
            said = f"已移到第 {place} 页。"
        elif act == "turn":
            turned = turn_page(page=shown, degrees=_number(request, "degrees"), actor=actor, now=now)
            said = f"现按顺时针 {turned.rotation} 度显示，原图不变。"
        elif act == "aside":
            set_page_aside(page=shown, actor=actor, now=now)
            said = "已搁置，不计入材料和卷宗，可以随时放回。"
        elif act == "back":
            bring_page_back(page=shown, actor=actor, now=now)
            said = "已放回。"
        else:
            material = shown.case.materials.filter(pk=_number(request, "material")).first()
            if material is None:
                raise Refused("no_home", "请选择要移到哪份材料。")  # noqa: TRY301 - said like the others
            move_page(page=shown, material=material, actor=actor, now=now)
            said = f"已移到“{material.name}”。"
    except NotYours:
        raise
    except Refused as refused:
        return render_page(request, actor, pk, fault=Fault.of(refused, "placing"))
    messages.success(request, said, extra_tags="placing")
    return redirect("page", pk=pk)


@require_POST
@page("page.place")
def sort(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Lay the ticked pages of a case onto one row of its checklist."""
    case = find_case(number, actor, "page.place")

    def lay() -> None:
        material = case.materials.filter(pk=_number(request, "material")).first()
        if material is None:
            raise Refused("no_home", "请选择要归入哪份材料。")
        ticked = case.pages.filter(pk__in=ids_in(request.POST, "page"))
        pages = list(ticked.select_related("case", "material").order_by("position", "pk"))
        move_pages(pages=pages, material=material, actor=actor, now=timezone.now())

    return act_on_case(request, actor, number, at="unsorted", act=lay, said="所选的页已归入材料。")


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
