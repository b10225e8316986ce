"""The table of sentences and tests names only tests that exist and sentences that the notices hold."""

import ast
import re
import unicodedata

import pytest

from config.traceability import NOTICES, Sentence, sentences
from tests.shared import ROOT, shared

FILES = {
    "putian": "putian-2021-citywide.txt",
    "taizhou-2021": "taizhou-housing-2021-40.txt",
    "taizhou-2023": "taizhou-sign-once-2023.txt",
    "zhuji": "zhuji-2021-12.txt",
    "zaozhuang": "zaozhuang-shizhong-2021-7.txt",
}


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def plain(text: str) -> str:
    """Without the breaks, the spaces and the two ways of writing marks that the published copies differ in."""
    folded = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s“”\"',.;:，。；：、()]", "", folded)


def test_every_named_test_exists() -> None:
    named = {test for row in sentences() for test in row.tests}
    missing = [
        test for test in sorted(named) if test.partition("::")[2] not in functions_of(test.partition("::")[0])
    ]
    assert missing == []


def test_every_sentence_has_a_test_or_says_what_is_open() -> None:
    assert [row for row in sentences() if not row.tests and not row.open] == []


def test_every_notice_is_there_and_no_sentence_twice() -> None:
    rows = sentences()
    assert {row.notice for row in rows} == set(NOTICES)
    keys = [(row.notice, row.paragraph, row.says) for row in rows]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("row", sentences(), ids=lambda row: f"{row.notice}-{row.paragraph}-{row.says[:8]}")
def test_the_notice_says_so(row: Sentence) -> None:
    text = shared("policy", FILES[row.notice]).read_text(encoding="utf-8")
    assert plain(row.says) in plain(text)
