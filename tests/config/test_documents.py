"""The pages of docs/ that are made from the code: as they stand, they say what the code does."""

import ast
import re

import pytest

import config.documents as made
from config.documents import Arrow, arrow_label, documents
from config.guards import FORMS, GUARDS
from ingest.rules import CASE_STEPS, HANDLING_STEPS
from registry.terms import Right
from tests.shared import ROOT

MACHINE = re.compile(r"## (.+?)\n\n```mermaid\nstateDiagram-v2\n(.*?)```", re.DOTALL)
ARROW = re.compile(r"^    (\w+) --> (\w+) : (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_page_on_disk_is_what_the_code_makes(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == documents()[name]


def machines() -> dict[str, set[tuple[str, str, str]]]:
    """Every arrow of every diagram, as (from, to, act)."""
    page = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    return {
        title: {
            (source, target, label)
            for source, target, labels in ARROW.findall(body)
            for label in re.split(r"、(?![^（]*）)", labels)
        }
        for title, body in MACHINE.findall(page)
    }


@pytest.mark.parametrize(
    ("title", "steps"), [("Case 办件", CASE_STEPS), ("Handling 办理环节", HANDLING_STEPS)]
)
def test_a_diagram_draws_every_arrow_of_its_table_and_no_other(title: str, steps: tuple[Arrow, ...]) -> None:
    drawn = {(str(source), str(step.target), arrow_label(step)) for step in steps for source in step.sources}
    assert machines()[title] == drawn


def test_every_table_of_steps_is_drawn() -> None:
    tables = {name for name in vars(made) if name.endswith("STEPS")}
    assert len(machines()) == len(tables)
    elsewhere = {
        path.relative_to(ROOT).as_posix()
        for room in ("ingest", "logistics", "registry", "dossier", "ocr", "workers")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"^(?:\w+_)?STEPS\b.*= \($", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(elsewhere) == len(tables) - 1, "the case's and the handling's stand in one module"


def refusals() -> set[str]:
    """The code of everything that is refused because it is not lawful, or not now."""
    return {
        call.args[0].value
        for room in ("ingest", "logistics", "registry")
        for path in (ROOT / room).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in {"NotNow", "Unlawful"}
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def test_every_guard_stands_in_the_table_and_no_other() -> None:
    """What the tables of states and of the four rights make is written there: `accept_state`, `no_grant_accept`."""
    made_from_tables = {f"no_grant_{right.value}" for right in Right} | {"case_follow"}
    assert refusals() | made_from_tables == GUARDS.keys() | FORMS | {"case_follow"}
    assert not GUARDS.keys() & FORMS


def test_the_source_of_a_guard_is_a_decision_or_a_notice_that_is_there() -> None:
    decisions = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    notices = ("putian", "taizhou-2021", "taizhou-2023", "zaozhuang", "zhuji")
    for code, guard in GUARDS.items():
        for source in guard.source.split(", "):
            assert source in decisions or source.startswith(notices) or source.startswith("§"), code
