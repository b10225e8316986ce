"""The pages after the first of a paper are joined to it by their numbers or by a sentence that runs over."""

from collections.abc import Sequence

import pytest

from ingest.models import Material, Page
from ocr.continuing import Edges, Leaf, carried_on, edges_of
from ocr.findings import misplaced_in
from ocr.lines import Line, as_box
from ocr.services import follow_suggestions, read
from registry.actors import SYSTEM
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in
from tests.ocr.test_correcting import LATER, Scripted

FORM, LETTER = 7, 8
NOTHING = Edges()
WIDE = "本人承诺所提交的全部材料真实合法有效并愿意承担由此产生的法律责任"


def rows(*texts: str, left: int = 0, turned: bool = False) -> list[Line]:
    """Rows of 20-pixel letters on one column, the first and the last of which may be indented by `left`."""
    found = []
    for number, text in enumerate(texts):
        begin, top = left if number in (0, len(texts) - 1) else 0, 40 * number
        end = begin + 20 * len(text)
        corners = [(begin, top), (end, top), (end, top + 20), (begin, top + 20)]
        box = as_box((1_000 - y, x) for x, y in corners) if turned else as_box(corners)
        found.append(Line(text, box, 0.99, row=number))
    return found


@pytest.mark.parametrize(
    ("text", "number", "total"),
    [
        ("第 2 页 共 3 页", 2, 3),
        ("第2页/共3页", 2, 3),
        ("共3页 第2页", 2, 3),
        ("（第二页，共十二页）", 2, 12),
        ("第２页", 2, 0),
        ("2/3", 2, 3),
        ("—2—", 2, 0),
        ("- 12 -", 12, 0),
        ("2", 2, 0),
        ("第 3 页 共 2 页", 0, 0),
        ("第页", 0, 0),
        ("2026/03/10", 0, 0),
        ("诸暨市", 0, 0),
    ],
)
def test_a_printed_page_number_is_found_at_the_foot(text: str, number: int, total: int) -> None:
    edges = edges_of(rows("一、申请事项", "二、申请理由", text))
    assert (edges.number, edges.total) == (number, total)


def test_a_page_number_is_found_at_the_head_and_nowhere_else() -> None:
    assert edges_of(rows("申请表 第2页 共3页", *["内容"] * 6)).number == 2
    assert edges_of(rows(*["内容"] * 4, "见第2页", *["内容"] * 4)).number == 0
    assert edges_of(rows("2", *["内容"] * 4)).number == 0


@pytest.mark.parametrize("turned", [False, True])
def test_a_sentence_that_runs_over_the_foot_of_the_page(turned: bool) -> None:
    whole = edges_of(rows(*[WIDE] * 5, turned=turned))
    assert (whole.begins_within, whole.breaks_off) == (True, True)
    numbered = edges_of(rows(*[WIDE] * 5, "—1—", turned=turned))
    assert (numbered.number, numbered.breaks_off) == (1, True)


@pytest.mark.parametrize("end", [WIDE[:-1] + "。", WIDE[:9], "此致"])
def test_a_text_that_ends_does_not_run_over(end: str) -> None:
    assert not edges_of(rows(*[WIDE] * 5, end)).breaks_off


@pytest.mark.parametrize("begin", ["授权委托书", WIDE[:9]])
def test_a_heading_or_a_short_row_begins_something(begin: str) -> None:
    assert not edges_of(rows(begin, *[WIDE] * 5)).begins_within
    assert not edges_of(rows(*[WIDE[:-2]] * 6, left=40)).begins_within


def test_a_page_with_little_print_says_nothing_of_its_margins() -> None:
    assert edges_of(rows(WIDE, WIDE)) == Edges()
    assert edges_of([]) == Edges()


def leaf(
    page: int, edges: Edges = NOTHING, *, points_to: int | None = None, lies: int | None = None, file: int = 1
) -> Leaf:
    return Leaf(page, file, lies, points_to, edges)


def joined(*leaves: Leaf) -> dict[int, int]:
    return carried_on(leaves)


def test_numbered_pages_follow_their_first() -> None:
    first = leaf(1, Edges(1, 3), points_to=FORM)
    assert joined(first, leaf(2, Edges(2, 3)), leaf(3, Edges(3, 3))) == {2: FORM, 3: FORM}
    assert joined(leaf(1, points_to=FORM), leaf(2, Edges(2, 2))) == {2: FORM}
    assert joined(leaf(1, Edges(1), lies=FORM), leaf(2, Edges(2))) == {2: FORM}


def test_a_sentence_joins_pages_without_numbers() -> None:
    first = leaf(1, Edges(breaks_off=True), points_to=LETTER)
    assert joined(first, leaf(2, Edges(begins_within=True))) == {2: LETTER}
    assert joined(first, leaf(2, Edges())) == {}


@pytest.mark.parametrize(
    "behind",
    [
        leaf(2, Edges(2, 3), points_to=LETTER),
        leaf(2, Edges(1, 3)),
        leaf(2, Edges(3, 3)),
        leaf(2, Edges(2, 4)),
        leaf(2, Edges()),
        leaf(2, Edges(2), file=2),
    ],
)
def test_what_begins_a_paper_or_leaves_a_gap_is_not_joined(behind: Leaf) -> None:
    assert joined(leaf(1, Edges(1, 3), points_to=FORM), behind) == {}


def test_sheets_that_are_files_of_their_own_need_number_and_total() -> None:
    first = leaf(1, Edges(1, 2), points_to=FORM)
    assert joined(first, leaf(2, Edges(2, 2), file=2)) == {2: FORM}
    assert joined(leaf(1, Edges(1), points_to=FORM), leaf(2, Edges(2), file=2)) == {}


def test_nothing_follows_a_page_of_which_nothing_is_known() -> None:
    assert joined(leaf(1, Edges(1, 2)), leaf(2, Edges(2, 2))) == {}


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
class TestInACase:
    """Joined pages are proposed with their first one, and lie there once the clerk says so."""

    @pytest.fixture
    def cast(self) -> Cast:
        return assemble()

    @pytest.fixture
    def pages(self, cast: Cast) -> Sequence[Page]:
        """Three sheets in the tray: the two of a letter, and one of which nothing is known."""
        case = open_case(cast)
        form = Material.objects.get(case=case, position=1)
        pages = [hand_in(form)[0] for _ in range(3)]
        Page.objects.filter(case=case).update(material=None)
        said = [
            (("授权委托书", 0.99), ("受托人：王建国", 0.99), ("第 1 页 共 2 页", 0.99)),
            (("三、委托期限一年", 0.99), ("第 2 页 共 2 页", 0.99)),
            (("附页", 0.99),),
        ]
        for page, lines in zip(pages, said, strict=True):
            page.refresh_from_db()
            read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(*lines))
        return pages

    def test_both_sheets_are_proposed_and_nothing_moves_by_itself(self, pages: Sequence[Page]) -> None:
        found = misplaced_in(pages[0].case)
        assert [(each.page, each.suggested.name, each.carries_on) for each in found] == [
            (pages[0], "授权委托书", False),
            (pages[1], "授权委托书", True),
        ]
        assert not Page.objects.filter(material__isnull=False).exists()

    def test_the_clerk_lays_both_there(self, cast: Cast, pages: Sequence[Page]) -> None:
        case, keys = pages[0].case, [page.pk for page in pages]
        assert follow_suggestions(case=case, pages=keys, actor=cast.clerk, now=LATER) == 2
        letter = Material.objects.get(case=case, name="授权委托书")
        assert list(letter.pages.order_by("position")) == list(pages[:2])
        assert misplaced_in(case) == []

    def test_a_sheet_set_aside_is_neither_joined_nor_in_the_way(self, pages: Sequence[Page]) -> None:
        Page.objects.filter(pk=pages[0].pk).update(set_aside=True)
        assert misplaced_in(pages[0].case) == []
