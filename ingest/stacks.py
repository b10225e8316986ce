"""Taking in a scanned stack: split by its separator sheets onto the cases of the window, the rest kept in its tray."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from ingest.examining import INFECTED, examine
from ingest.inspect import PageImage, Sheet
from ingest.inspect.sentences import FAULTS_VERSION
from ingest.models import Case, Material, Page, SourceFile, Stack, StackPage
from ingest.rules import NotNow
from ingest.sorting import Fate, Seen, Why, sort_pages
from ingest.uploads import (
    Keeping,
    assumed_dpi,
    check_open,
    deserves_another_try,
    digest_of,
    is_open,
    keep_found,
    next_position,
)
from registry.actors import Actor
from registry.events import record
from registry.models import Window
from registry.paper.separators import Separator, separators_pdf
from registry.permissions import check_may, visible
from registry.tokens import Purpose, check, mint, write
from storage.errors import Refused
from storage.scratch import scratch


def print_separators(*, case: Case, actor: Actor, now: datetime) -> bytes:
    """A separator sheet for each row of the checklist, as PDF. The same sheets whenever they are printed again."""
    check_may(actor, "case.upload", case)
    check_open(case, None)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        materials = list(case.materials.select_related("case__item").order_by("position"))
        for material in materials:
            if not material.token:
                material.token = mint(Purpose.MATERIAL).identifier
                material.save(update_fields=["token"])
        record(kind="case.separators_printed", actor=actor, subject=case, now=now, case_number=case.number)
    return separators_pdf(
        [
            Separator(
                position=material.position,
                name=material.name,
                case_number=case.number,
                item_name=material.case.item.name,
                code=write(Purpose.MATERIAL, material.token).text,
            )
            for material in materials
        ]
    )


def receive_stack(*, window: Window, path: Path, original_name: str, actor: Actor, now: datetime) -> Stack:
    """Take in a scanned stack at a window. Every page finds its case and material, or waits in the tray.

    Nothing in the stack blocks the rest of it. The same bytes again have no second effect. A file that inspection
    refuses leaves a row with the verdict and its sentence.
    """
    check_may(actor, "page.place")
    if actor.window_id != window.pk and actor.kind != "system":
        raise Refused("other_window", "只能在自己的窗口收件。")
    known = Stack.objects.filter(window=window, sha256=digest_of(path)).first()
    if known is not None and not deserves_another_try(known.verdict, known.code):
        return known
    with scratch("stack") as folder:
        keeping = keep_found(examine(path, folder, separators=True), path, now)
    try:
        with transaction.atomic():
            return _write(keeping, window, original_name, actor, now)
    except IntegrityError:
        first = Stack.objects.filter(window=window, sha256=keeping.found.sha256).first()
        if first is None:
            raise
        return first  # the same stack came twice at once; the other one was faster


def place_pages(
    *, pages: Sequence[StackPage], material: Material, actor: Actor, now: datetime
) -> list[StackPage]:
    """Bring waiting pages home, in the order of the stack; pages that are home already stay there."""
    check_may(actor, "page.place", material)
    _check_own(pages, actor)
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=material.case_id)
        check_open(case, material)
        held = StackPage.objects.select_for_update().filter(pk__in=[page.pk for page in pages])
        waiting = [
            page
            for page in held.select_related("stack").order_by("stack_id", "number")
            if page.page_id is None
        ]
        for stack_id in dict.fromkeys(page.stack_id for page in waiting):
            _bring_home([page for page in waiting if page.stack_id == stack_id], material, actor, now)
    return list(StackPage.objects.filter(pk__in=[page.pk for page in pages]).order_by("stack_id", "number"))


def put_aside(*, pages: Sequence[StackPage], actor: Actor, now: datetime) -> int:
    """Take waiting pages out of the tray without deleting them; they can be brought home from there at any time."""
    return _move(pages, StackPage.Fate.WAITING, StackPage.Fate.ASIDE, "stack.pages_put_aside", actor, now)


def take_back(*, pages: Sequence[StackPage], actor: Actor, now: datetime) -> int:
    """Put pages that were set aside into the tray again."""
    return _move(pages, StackPage.Fate.ASIDE, StackPage.Fate.WAITING, "stack.pages_taken_back", actor, now)


def suggest_homes(pages: Iterable[StackPage]) -> dict[int, Material]:
    """For waiting pages, the likeliest home: the first row without pages in the case of the sheet before them.

    Three queries, however many pages.
    """
    before = _placed_before([page.pk for page in pages])
    empty: dict[int, list[Material]] = {}
    rows = Material.objects.filter(case__in={case for case, _ in before.values()}, pages__isnull=True)
    for row in rows.select_related("case").prefetch_related("case__handlings").order_by("position"):
        empty.setdefault(row.case_id, []).append(row)
    found: dict[int, Material] = {}
    for page, (case, position) in before.items():
        home = next((row for row in empty.get(case, []) if row.position > position), None)
        if home is not None and is_open(home.case, home):
            found[page] = home
    return found


def _placed_before(pages: Collection[int]) -> dict[int, tuple[int, int]]:
    """Case and position of the material in which the nearest placed page before each of these lies, by their keys."""
    placed = StackPage.objects.filter(
        stack=OuterRef("stack"), number__lt=OuterRef("number"), fate=StackPage.Fate.PLACED
    ).order_by("-number")
    rows = StackPage.objects.filter(pk__in=pages).annotate(
        before_case=Subquery(placed.values("page__case")[:1]),
        before_position=Subquery(placed.values("page__material__position")[:1]),
    )
    return {
        key: (case, position or 0)
        for key, case, position in rows.values_list("pk", "before_case", "before_position")
        if case is not None
    }


def _move(
    pages: Sequence[StackPage], source: str, target: str, kind: str, actor: Actor, now: datetime
) -> int:
    check_may(actor, "page.place")
    _check_own(pages, actor)
    moved = 0
    with transaction.atomic():
        for page in pages:
            if StackPage.objects.filter(pk=page.pk, fate=source).update(fate=target):
                moved += 1
                record(kind=kind, actor=actor, subject=page.stack, now=now, data={"page": page.number})
    return moved


def _check_own(pages: Sequence[StackPage], actor: Actor) -> None:
    for page in pages:
        check_may(actor, "page.place", page)


def _write(keeping: Keeping, window: Window, original_name: str, actor: Actor, now: datetime) -> Stack:
    """The stack, its pages, and what of them has a home, in the transaction of the caller."""
    found = keeping.found
    stack, _ = Stack.objects.update_or_create(
        window=window,
        sha256=found.sha256,
        defaults={
            "stored": keeping.original,
            "original_name": Path(original_name).name,
            "size": found.size,
            "media_type": found.media_type,
            "verdict": found.verdict,
            "code": found.code,
            "reason": found.reason[:300],
            "removed": list(found.removed),
            "uploaded_by_id": int(actor.id) if actor.kind == "user" else None,
            "uploaded_at": now,
        },
    )
    homes = _homes(found.pages, actor)
    # Cases are held in one order, so that two stacks cannot wait for each other.
    cases = Case.objects.select_for_update().filter(pk__in={home.case_id for home in homes.values()})
    held = {case.pk: case for case in cases.order_by("pk")}
    closed = {home.pk for home in homes.values() if not is_open(held[home.case_id], home)}
    fates = list(
        sort_pages(
            (_seen(page) for page in found.pages),
            check=check,
            homes=lambda name: _why_not(homes.get(name), closed),
        )
    )
    pages = StackPage.objects.bulk_create(
        _row(stack, number, image, stored_id, fate)
        for number, (image, stored_id, fate) in enumerate(
            zip(found.pages, [stored.pk for stored in keeping.pages], fates, strict=True), start=1
        )
    )
    for name in dict.fromkeys(fate.home for fate in fates if fate.home):
        _bring_home(
            [page for page, fate in zip(pages, fates, strict=True) if fate.home == name],
            homes[name],
            actor,
            now,
        )
    record(
        kind="stack.refused" if found.refused else "stack.received",
        actor=actor,
        subject=stack,
        now=now,
        data={
            "verdict": found.verdict,
            "code": found.code,
            "pages": len(fates),
            "placed": sum(bool(fate.home) for fate in fates),
            "separators": sum(fate.separator for fate in fates),
            **({"said": found.reason} if found.code == INFECTED else {}),
        },
    )
    return stack


def _homes(images: Iterable[PageImage], actor: Actor) -> dict[str, Material]:
    """The materials that genuine codes in the stack name and that this actor may fill, by identifier."""
    names = set()
    for image in images:
        for text in _seen(image).texts:
            try:
                token = check(text)
            except Refused:
                continue  # said page by page, when the stack is sorted
            if token.purpose is Purpose.MATERIAL:
                names.add(token.identifier)
    rows = visible(actor, "page.place", Material.objects.filter(token__in=names))
    return {row.token: row for row in rows.select_related("case")}


def _why_not(home: Material | None, closed: set[int]) -> Why | None:
    if home is None:
        return Why.ELSEWHERE
    return Why.CLOSED if home.pk in closed else None


def _seen(image: PageImage) -> Seen:
    sheet = image.sheet or Sheet(barred=False, texts=())
    return Seen(barred=sheet.barred, texts=sheet.texts, blank=image.blank)


def _row(stack: Stack, number: int, image: PageImage, stored_id: int, fate: Fate) -> StackPage:
    kind = StackPage.Fate.WAITING
    if fate.separator:
        kind = StackPage.Fate.SEPARATOR
    elif fate.why == Why.BLANK:
        kind = StackPage.Fate.ASIDE
    return StackPage(
        stack=stack,
        number=number,
        stored_id=stored_id,
        sha256=image.sha256,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        dpi=image.dpi or assumed_dpi(image),
        rotation=image.rotation,
        source=image.source,
        faults=list(image.faults),
        faults_version=FAULTS_VERSION,
        blank=image.blank,
        fate=kind,
        why=fate.why,
    )


def _bring_home(pages: Sequence[StackPage], material: Material, actor: Actor, now: datetime) -> None:
    """Pages of one stack become pages of a material, behind those that it has. The case is held by the caller."""
    stack = pages[0].stack
    file, fresh = SourceFile.objects.get_or_create(
        case_id=material.case_id,
        sha256=stack.sha256,
        defaults={
            # The stack's own file stays with the window: it may show other people's papers.
            "stored": None,
            "stack": stack,
            "original_name": stack.original_name,
            "size": stack.size,
            "media_type": stack.media_type,
            "verdict": stack.verdict,
            "code": stack.code,
            "reason": stack.reason,
            "removed": stack.removed,
            "uploaded_by": stack.uploaded_by,
            "uploaded_at": now,
        },
    )
    if not fresh and file.verdict == SourceFile.Verdict.REFUSED:
        raise NotNow("refused_before", f"这份扫描件在该办件曾被拒收：{file.reason}")
    there = {page.number: page for page in file.pages.all()}
    position = next_position(material.case_id, material.pk)
    placed = []
    for page in pages:
        home = there.get(page.number)
        if home is None:
            home = Page.objects.create(
                case_id=material.case_id,
                material=material,
                file=file,
                number=page.number,
                position=position,
                stored_id=page.stored_id,
                sha256=page.sha256,
                media_type=page.media_type,
                width=page.width,
                height=page.height,
                dpi=page.dpi,
                rotation=page.rotation,
                source=page.source,
                faults=page.faults,
                faults_version=page.faults_version,
                blank=page.blank,
                set_aside=page.blank,
                captured_at=stack.uploaded_at,
            )
            placed.append(page.number)
            position += 1
        StackPage.objects.filter(pk=page.pk).update(fate=StackPage.Fate.PLACED, why="", page=home)
    if placed:
        record(
            kind="file.received",
            actor=actor,
            subject=file,
            now=now,
            case_number=material.case.number,
            data={
                "verdict": file.verdict,
                "code": file.code,
                "pages": len(placed),
                "material": material.pk,
                "stack": stack.pk,
                "numbers": placed,
            },
        )
