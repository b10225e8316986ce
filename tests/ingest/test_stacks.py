"""A scanned stack finds its cases; what is wrong in it waits in the window's tray and blocks nothing."""

from pathlib import Path

import pytest
from PIL import Image

from ingest.models import Case, Material, Page, SourceFile, Stack, StackPage
from ingest.rules import NotNow
from ingest.services.intake import submit
from ingest.stacks import (
    place_pages,
    print_separators,
    put_aside,
    receive_stack,
    suggest_homes,
    take_back,
)
from ingest.uploads import receive_file
from registry.actors import Actor
from registry.events import verify_chains
from registry.models import Event, Window
from registry.permissions import NotYours
from storage.services import open_verified
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything
from tests.ingest.stacks import blank, paper, scan, sheets_of, spoiled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]
F = StackPage.Fate


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def bring(window: Window, path: Path, actor: Actor) -> Stack:
    return receive_stack(window=window, path=path, original_name="SCAN_0001.pdf", actor=actor, now=NOW)


def receive(case: Case, path: Path, actor: Actor) -> SourceFile:
    return receive_file(
        case=case,
        material=case.materials.get(position=1),
        path=path,
        original_name="a.pdf",
        actor=actor,
        now=NOW,
    )


def sheets(case: Case, actor: Actor) -> list[Image.Image]:
    """The printed separator sheets of a case, by the order of its checklist."""
    return sheets_of(print_separators(case=case, actor=actor, now=NOW))


def fates(stack: Stack) -> list[tuple[str, str]]:
    return [(page.fate, page.why) for page in stack.pages.order_by("number")]


def in_material(case: Case, position: int) -> list[int]:
    """Numbers in the stack of the pages that lie in one row of the checklist."""
    pages = Page.objects.filter(case=case, material__position=position).order_by("position")
    return [page.number for page in pages]


def test_a_mixed_stack_of_two_cases_is_split_onto_both(cast: Cast, tmp_path: Path) -> None:
    one, two = open_case(cast), open_case(cast)
    first, second = sheets(one, cast.clerk), sheets(two, cast.clerk)
    path = scan(
        tmp_path / "stack.pdf",
        [
            first[0],
            paper("甲一"),
            paper("甲二"),
            second[1].rotate(180),
            paper("乙"),
            blank(),
            first[1],
            paper("甲三"),
        ],
    )
    stack = bring(cast.zhuji, path, cast.clerk)
    assert [fate for fate, _ in fates(stack)] == [
        F.SEPARATOR, F.PLACED, F.PLACED, F.SEPARATOR, F.PLACED, F.PLACED, F.SEPARATOR, F.PLACED,
    ]  # fmt: skip
    assert (in_material(one, 1), in_material(one, 2)) == ([2, 3], [8])
    assert in_material(two, 2) == [5, 6]
    assert Page.objects.get(case=two, number=6).set_aside  # the blank back is kept, and counted nowhere
    for case, count in ((one, 3), (two, 2)):
        file = case.files.get()
        assert (file.stack, file.stored, file.sha256) == (stack, None, stack.sha256)
        events = Event.objects.filter(kind="file.received", case_number=case.number)
        assert {event.subject_id for event in events} == {str(file.pk)}
        assert sum(event.data["pages"] for event in events) == count
    assert stack.stored is not None
    assert open_verified(stack.stored) == path.read_bytes()
    assert list(verify_chains()) == []


def test_bad_sheets_block_nothing_and_nothing_lands_in_a_strangers_case(cast: Cast, tmp_path: Path) -> None:
    mine, theirs = open_case(cast), open_case(cast)
    sheet = sheets(mine, cast.clerk)
    foreign = sheets(theirs, cast.clerk)[0]
    Case.objects.filter(pk=theirs.pk).update(window=cast.taizhou_window)
    path = scan(
        tmp_path / "stack.pdf",
        [
            paper("散页"), sheet[0], paper("一"), spoiled(sheet[1]), paper("二"), blank(),
            foreign, paper("别家"), sheet[2], paper("三"),
        ],
    )  # fmt: skip
    stack = bring(cast.zhuji, path, cast.clerk)
    assert fates(stack) == [
        (F.WAITING, "no_sheet"),
        (F.SEPARATOR, ""),
        (F.PLACED, ""),
        (F.SEPARATOR, "unreadable"),
        (F.WAITING, "unreadable"),
        (F.ASIDE, "blank"),
        (F.SEPARATOR, "elsewhere"),
        (F.WAITING, "elsewhere"),
        (F.SEPARATOR, ""),
        (F.PLACED, ""),
    ]
    assert not Page.objects.filter(case=theirs).exists()
    assert (in_material(mine, 1), in_material(mine, 2), in_material(mine, 3)) == ([3], [], [10])


def test_one_click_brings_a_page_home_where_the_gap_is(cast: Cast, tmp_path: Path) -> None:
    case = open_case(cast)
    sheet = sheets(case, cast.clerk)
    path = scan(tmp_path / "stack.pdf", [sheet[0], paper("一"), spoiled(sheet[1]), paper("二"), paper("三")])
    stack = bring(cast.zhuji, path, cast.clerk)
    waiting = list(stack.pages.filter(fate=F.WAITING))
    homes = suggest_homes(waiting)
    second = case.materials.get(position=2)
    assert homes == {page.pk: second for page in waiting}
    place_pages(pages=waiting, material=second, actor=cast.clerk, now=NOW)
    place_pages(pages=waiting, material=case.materials.get(position=3), actor=cast.clerk, now=NOW)
    assert in_material(case, 2) == [4, 5]
    assert in_material(case, 3) == []  # what is home already stays there
    assert case.files.count() == 1
    events = Event.objects.filter(kind="file.received", case_number=case.number).order_by("sequence")
    assert [event.data["numbers"] for event in events] == [[2], [4, 5]]


def test_the_same_stack_again_has_no_second_effect(cast: Cast, tmp_path: Path) -> None:
    case = open_case(cast)
    path = scan(tmp_path / "stack.pdf", [sheets(case, cast.clerk)[0], paper("一")])
    assert bring(cast.zhuji, path, cast.clerk) == bring(cast.zhuji, path, cast.clerk)
    assert Page.objects.filter(case=case).count() == 1


def test_a_case_that_was_submitted_takes_no_more_pages(cast: Cast, tmp_path: Path) -> None:
    case = open_case(cast)
    sheet = sheets(case, cast.clerk)[0]
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    stack = bring(cast.zhuji, scan(tmp_path / "stack.pdf", [sheet, paper("迟到")]), cast.clerk)
    assert fates(stack)[1] == (F.WAITING, "closed")
    with pytest.raises(NotNow):
        place_pages(
            pages=list(stack.pages.filter(fate=F.WAITING)),
            material=case.materials.get(position=1),
            actor=cast.clerk,
            now=NOW,
        )
    assert stack.pages.filter(fate=F.WAITING).count() == 1


def test_pages_are_set_aside_and_taken_back(cast: Cast, tmp_path: Path) -> None:
    stack = bring(cast.zhuji, scan(tmp_path / "stack.pdf", [paper("一"), paper("二")]), cast.clerk)
    page = stack.pages.get(number=1)
    assert put_aside(pages=[page], actor=cast.clerk, now=NOW) == 1
    assert put_aside(pages=[page], actor=cast.clerk, now=NOW) == 0
    assert stack.pages.filter(fate=F.ASIDE).count() == 1
    assert take_back(pages=[page], actor=cast.clerk, now=NOW) == 1
    kinds = [event.kind for event in Event.objects.filter(kind__startswith="stack.pages").order_by("pk")]
    assert kinds == ["stack.pages_put_aside", "stack.pages_taken_back"]


def test_a_stack_that_cannot_be_opened_says_why_and_leaves_nothing(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing")
    stack = bring(cast.zhuji, path, cast.clerk)
    assert stack.verdict == SourceFile.Verdict.REFUSED
    assert stack.reason.endswith("。")
    assert not StackPage.objects.exists()


def test_the_tray_is_the_windows_own(cast: Cast, tmp_path: Path) -> None:
    path = scan(tmp_path / "stack.pdf", [paper("一")])
    stack = bring(cast.zhuji, path, cast.clerk)
    case = open_case(cast)
    for actor in (cast.other_clerk, cast.officer, cast.finance):
        with pytest.raises(NotYours):
            place_pages(
                pages=list(stack.pages.all()),
                material=Material.objects.get(case=case, position=1),
                actor=actor,
                now=NOW,
            )
        with pytest.raises(NotYours):
            put_aside(pages=list(stack.pages.all()), actor=actor, now=NOW)


def test_a_two_sided_scan_for_one_material_sets_its_blank_backs_aside(cast: Cast, tmp_path: Path) -> None:
    from_scanner = scan(tmp_path / "two-sided.pdf", [paper("正"), blank()])
    case = open_case(cast)
    file = receive(case, from_scanner, cast.clerk)
    assert [(page.set_aside, page.blank) for page in file.pages.order_by("number")] == [
        (False, False),
        (True, True),
    ]
    only = receive(case, scan(tmp_path / "only.pdf", [blank()]), cast.clerk)
    assert [page.set_aside for page in only.pages.all()] == [
        False
    ]  # nothing but blank: the clerk should see it
