"""Lines of a page are kept small and come back as they were."""

from dataclasses import replace
from pathlib import Path

import pytest

from dossier.contents import Lines, PagePlan, TextLine

SOME = (
    TextLine("建筑业企业资质证书", ((120.5, 160), (900.25, 161), (900, 200), (120, 199)), 0.987654321),
    TextLine("", ((0, 0), (1, 0), (1, 1), (0, 1)), 0.0),
    TextLine("第2页", ((1 / 3, 2 / 3), (4e4, 0.1), (4e4, 9), (0, 9)), 1.0),
)


def test_lines_come_back_as_they_were() -> None:
    kept = Lines(SOME)
    assert tuple(kept) == SOME
    assert (len(kept), kept[-1], kept[0]) == (3, SOME[2], SOME[0])
    assert tuple(kept[1:]) == SOME[1:]
    assert not Lines()
    assert tuple(kept[3:]) == ()


def test_a_line_beyond_the_last_is_an_error() -> None:
    with pytest.raises(IndexError):
        Lines(SOME)[3]


def test_equal_lines_are_equal_and_others_are_not() -> None:
    assert Lines(SOME) == Lines(SOME)
    assert hash(Lines(SOME)) == hash(Lines(SOME))
    assert Lines(SOME) != Lines(SOME[:2])
    assert Lines(SOME) != Lines([SOME[0]._replace(confidence=0.5), *SOME[1:]])


def test_a_page_packs_the_lines_that_it_is_given(tmp_path: Path) -> None:
    page = PagePlan(tmp_path / "a.jpg", "image/jpeg", "0" * 64, 10, 10, lines=SOME)
    assert tuple(page.lines) == SOME
    assert page == replace(page, lines=list(SOME))
