"""Where the pages of a case lie and how they stand: move, order, turn, set aside, bring back. The bytes never change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from ingest.models import Case, Material, Page
from ingest.rules import NotNow
from ingest.uploads import check_open, is_open, next_position
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from storage.errors import Refused

QUARTERS = (90, 180, 270)


def move_page(*, page: Page, material: Material, actor: Actor, now: datetime) -> Page:
    """Put a page behind the others of a material of its case. There already, nothing happens. Raises NotNow."""
    check_may(actor, "page.place", page)
    if material.case_id != page.case_id:
        raise Refused("other_case", "这份材料不属于这个办件。")
    if page.material_id == material.pk:
        return page
    with _held(page, actor) as held:
        check_open(held, material)
        position = next_position(page.case_id, material.pk)
        _change(
            page, {"material_id": material.pk, "position": position}, before={"material_id": page.material_id}
        )
        told = {"from": page.material_id, "to": material.pk}
        _tell("page.moved", page, actor, now, told)
    page.refresh_from_db()
    return page


def move_pages(*, pages: Sequence[Page], material: Material, actor: Actor, now: datetime) -> None:
    """Put several pages behind the others of a material, in the order given. All or none; raises NotNow."""
    if not pages:
        raise Refused("no_pages", "请先勾选要归入的页。")
    with transaction.atomic():
        for page in pages:
            move_page(page=page, material=material, actor=actor, now=now)


def shift_page(*, page: Page, by: int, actor: Actor, now: datetime) -> Page:
    """Let a page change places with the one before (`by` -1) or behind it (1) in its material."""
    if by not in (-1, 1):
        raise ValueError("a page moves one place at a time")
    with _held(page, actor):
        order = _order(page)
        at = order.index(page)
        if not 0 <= at + by < len(order):
            raise Refused("page_at_end", "这一页已经在最前或最后。")
        order[at], order[at + by] = order[at + by], order[at]
        _number(order)
        _tell("page.shifted", page, actor, now, {"by": by})
    page.refresh_from_db()
    return page


def put_page_at(*, page: Page, place: int, actor: Actor, now: datetime) -> Page:
    """Make a page the one at this place (from 1) of its material; those behind it move on. There already, nothing happens."""
    with _held(page, actor):
        order = _order(page)
        if not 1 <= place <= len(order):
            raise Refused("no_place", f"请填写 1 到 {len(order)} 之间的页次。")
        at = order.index(page)
        if at + 1 != place:
            order.insert(place - 1, order.pop(at))
            _number(order)
            _tell("page.shifted", page, actor, now, {"from": at + 1, "to": place})
    page.refresh_from_db()
    return page


def turn_page(*, page: Page, degrees: int, actor: Actor, now: datetime) -> Page:
    """Show a page turned clockwise by 90, 180 or 270 degrees more. What was read on it keeps its places."""
    if degrees not in QUARTERS:
        raise Refused("quarter_turns", "只能按 90 度旋转。")
    with _held(page, actor):
        turned = (page.rotation + degrees) % 360
        _change(page, {"rotation": turned}, before={"rotation": page.rotation})
        _tell("page.turned", page, actor, now, {"from": page.rotation, "to": turned})
    page.refresh_from_db()
    return page


def set_page_aside(*, page: Page, actor: Actor, now: datetime) -> Page:
    """Leave a page out of the checklist and the dossier. It is kept, and can be brought back."""
    return _put(page, "page.set_aside", actor, now, aside=True)


def bring_page_back(*, page: Page, actor: Actor, now: datetime) -> Page:
    """Let a page that was set aside count again."""
    return _put(page, "page.brought_back", actor, now, aside=False)


def may_be_placed(page: Page) -> bool:
    """Whether pages of this place in the case may still be moved."""
    return is_open(page.case, page.material)


def _put(page: Page, kind: str, actor: Actor, now: datetime, *, aside: bool) -> Page:
    with _held(page, actor):
        if Page.objects.filter(pk=page.pk, set_aside=not aside).update(set_aside=aside):
            _tell(kind, page, actor, now, {})
    page.refresh_from_db()
    return page


def _order(page: Page) -> list[Page]:
    """The pages that lie where this one does, in their order."""
    lies = Page.objects.filter(case=page.case_id, material=page.material_id)
    return list(lies.only("position").order_by("position", "pk"))


def _number(order: Sequence[Page]) -> None:
    moved = [(position, page) for position, page in enumerate(order) if page.position != position]
    for position, page in moved:
        page.position = position
    Page.objects.bulk_update([page for _, page in moved], ["position"], batch_size=200)


@contextmanager
def _held(page: Page, actor: Actor) -> Iterator[Case]:
    """The transaction in which the case is held and still takes pages where this one lies."""
    check_may(actor, "page.place", page)
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=page.case_id)
        check_open(case, page.material)
        yield case


def _change(page: Page, values: dict[str, int], *, before: dict[str, int | None]) -> None:
    if not Page.objects.filter(pk=page.pk, **before).update(**values):
        raise NotNow("stale", "这一页刚刚已被移动或旋转，请刷新页面。")


def _tell(kind: str, page: Page, actor: Actor, now: datetime, told: dict[str, int | None]) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=page,
        now=now,
        case_number=page.case.number,
        data={"file": page.file_id, "number": page.number, **told},
    )
