"""Pages are found again by what stands on them: within reach, masked, and without a legible word in the index."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from ingest.models import Case, Page
from ingest.rules import CaseState
from ocr.grams import digests, folded, tokens
from ocr.searching import search_pages
from ocr.services import read, settle
from registry.actors import SYSTEM, Actor
from tests.cast import NOW, Cast, assemble
from tests.ocr.paper import IDENTITY, Paper
from tests.ocr.test_correcting import Scripted
from tests.ocr.test_services import page_of

LATER = NOW + timedelta(minutes=1)
LINES = (
    "关于办理异地通办事项的说明",
    f"申请人：陈志强 身份证号：{IDENTITY}",
    "联系电话：13857512345",
    "台建〔2021〕40号",
)


def test_what_can_be_asked_for() -> None:
    assert tokens("房屋２0１号 A座, x") == {"房屋", "201"}
    assert tokens("身份证号:330681198807150039") == {"身份", "份证", "证号", "330681198807150039"}
    assert tokens("。，") == set()


@given(st.text("申请人陈志强办理。 12ab", max_size=20), st.integers(0, 19), st.integers(2, 6))
def test_every_piece_of_chinese_text_is_found_in_the_whole(text: str, start: int, length: int) -> None:
    piece = folded(text)[start : start + length]
    chinese = {token for token in tokens(piece) if not token.isascii()}
    assert chinese <= tokens(text)


def test_a_digest_needs_the_key() -> None:
    assert digests(["申请人"], "one key") != digests(["申请人"], "another")
    assert all(-(2**31) <= digest < 2**31 for digest in digests(["申请人办理事项"], "k"))


@pytest.mark.django_db
@pytest.mark.usefixtures("objects")
class TestSearching:
    """One page with four lines."""

    @pytest.fixture
    def cast(self) -> Cast:
        return assemble()

    @pytest.fixture
    def page(self, cast: Cast, tmp_path: Path) -> Page:
        page = page_of(Paper().letter().save(tmp_path / "letter.png").read_bytes())
        read(page=page, actor=SYSTEM, now=NOW, engine=Scripted(*((line, 0.99) for line in LINES)))
        return page

    def found(self, text: str, actor: Actor) -> list[tuple[int, str]]:
        return [(hit.lines[0], hit.excerpt) for hit in search_pages(text=text, actor=actor).found]

    def test_by_words_in_any_order_across_lines(self, cast: Cast, page: Page) -> None:
        assert self.found("异地通办", cast.clerk) == [(0, LINES[0])]
        assert [line for line, _ in self.found("40号 通办事项", cast.clerk)] == [3]
        assert self.found("通办异地", cast.clerk) == []
        assert self.found("异", cast.clerk) == []
        assert self.found("", cast.clerk) == []

    def test_whole_numbers_are_found_and_stay_masked(self, cast: Cast, page: Page) -> None:
        ((line, excerpt),) = self.found(IDENTITY, cast.clerk)
        assert line == 1
        assert IDENTITY not in excerpt
        assert excerpt.endswith("0039")
        ((_, excerpt),) = self.found("联系电话", cast.clerk)
        assert "13857512345" not in excerpt
        assert self.found(IDENTITY[:10], cast.clerk) == []

    def test_only_within_reach(self, cast: Cast, page: Page) -> None:
        everybody = (
            cast.other_clerk,
            cast.officer,
            cast.other_officer,
            cast.finance,
            cast.administrator,
            cast.auditor,
        )
        assert [self.found("异地通办", actor) for actor in everybody] == [[]] * 6
        Case.objects.filter(pk=page.case_id).update(state=CaseState.SUBMITTED, submitted_at=NOW)
        assert [bool(self.found("异地通办", actor)) for actor in everybody] == [False, True, *[False] * 4]
        Page.objects.filter(pk=page.pk).update(set_aside=True)
        assert self.found("异地通办", cast.clerk) == []

    def test_a_corrected_line_is_found_as_it_stands(self, cast: Cast, page: Page) -> None:
        reading = page.readings.get()
        settle(page=page, reading=reading, line=0, text="关于工程竣工的说明", actor=cast.clerk, now=LATER)
        assert self.found("工程竣工", cast.clerk) == [(0, "关于工程竣工的说明")]
        assert self.found("异地通办", cast.clerk) == []

    def test_the_index_holds_no_word_and_can_be_made_anew(self, cast: Cast, page: Page) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT grams FROM ocr_grams")
            kept = str(cursor.fetchall())
            cursor.execute("DELETE FROM ocr_grams")
        assert IDENTITY not in kept
        assert "异地" not in kept
        assert self.found("异地通办", cast.clerk) == []
        call_command("index_pages")
        assert self.found("异地通办", cast.clerk) == [(0, LINES[0])]
