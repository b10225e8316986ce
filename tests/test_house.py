"""The rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared import ROOT

ROOMS = ("config", "dossier", "ingest", "logistics", "ocr", "registry", "storage", "workers", "tests")
OTHERS = (".ci", "docs", "requirements", "scripts")
TEXT = {".py", ".toml", ".md", ".txt", ".html", ".css", ".js", ".json", ".svg", ".csv", ""}
LONGEST = 400
# Written so that these lines do not match themselves.
HOSTS = re.compile(r"pypi[.]org|pythonhosted[.]org|(?:deb|security)[.]debian[.]org|npmjs[.]org")
PATHS = re.compile(r"(?<![\w.~-])/(?:work|root|home|farm)/")
CUT = re.compile(r"\.strip\(\)\[:[^\]]*\](?!\})")
MOMENT = re.compile(r":%Y-%m-%d %H:%M[}]")
CORNERS = re.compile("[\u300c\u300d]")
KNOWS_ALL_MARKS = ("draw.py", "marks.py")
"""Where a line may break, whatever text they are given."""
BARE = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)")


def python_files() -> Iterator[Path]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def text_files() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT)
    for folder in (*ROOMS, *OTHERS):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                yield path


def lines_with(pattern: re.Pattern[str], files: Iterator[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_module_is_longer_than_a_person_can_hold() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files()}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONGEST} == {}


def test_every_module_opens_with_a_sentence() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if (text := path.read_text().strip()) and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_no_place_to_download_from_is_named() -> None:
    assert lines_with(HOSTS, text_files()) == []


def test_no_path_of_somebodys_machine_is_named() -> None:
    assert lines_with(PATHS, text_files()) == []


def test_what_is_ignored_is_named() -> None:
    assert lines_with(BARE, python_files()) == []


def test_sentences_quote_with_the_marks_of_simplified_chinese() -> None:
    """GB/T 15834-2011 §4.8: “ ” in horizontal text; the corner marks belong to vertical and to traditional writing."""
    files = (
        path
        for path in text_files()
        if path.relative_to(ROOT).parts[0] != "tests" and path.name not in KNOWS_ALL_MARKS
    )
    assert lines_with(CORNERS, files) == []


def test_moments_are_written_by_one_function() -> None:
    """By itself a moment of the database would be written as it is in London."""
    files = (path for path in python_files() if path.relative_to(ROOT) != Path("registry/time.py"))
    assert lines_with(MOMENT, files) == []


def test_what_people_type_is_not_cut() -> None:
    """A text that is too long is refused with its length (registry/rules/talk.py), except where it is only named in a sentence."""
    files = (path for path in python_files() if "tests" not in path.parts)
    assert lines_with(CUT, files) == []


def test_the_lock_pins_and_hashes_everything() -> None:
    for name in ("dev.txt", "bootstrap.txt"):
        lock = (ROOT / "requirements" / name).read_text()
        entries = re.split(r"\n(?=[a-zA-Z0-9])", "\n" + re.sub(r"(?m)^\s*#.*$", "", lock))[1:]
        assert len(entries) > 0
        assert [
            entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry
        ] == []


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "tests"])
def test_the_product_does_not_need_the_tests(room: str) -> None:
    pattern = re.compile(r"^\s*(?:from|import) tests\b|\.\./shared")
    assert lines_with(pattern, (path for path in (ROOT / room).rglob("*.py"))) == []
