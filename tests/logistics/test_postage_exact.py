"""Money never passes through a float: nothing in the code of postage makes one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared import ROOT

RULES = ("budgets", "checks", "disputes", "money", "payers", "policies", "settling", "tariffs")
MONEY = [ROOT / "logistics" / "rules" / f"{name}.py" for name in RULES]
POSTAGE = sorted((ROOT / "logistics" / "postage").rglob("*.py"))
MODELS = [
    ROOT / "logistics" / "models" / f"{name}.py" for name in ("billing", "budgets", "ledger", "postage")
]
# The only number that arrives as a float: a day of an old XLS sheet. Its amounts are read as their exact text.
DAYS = {("sheet_xls.py", "float")}


def floats_in(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield path.name, repr(node.value)
        elif isinstance(node, ast.Name) and node.id == "float":
            yield path.name, "float"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "round":
            yield path.name, "round"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _joins_a_path(node):
            yield path.name, f"division in line {node.lineno}"


def _joins_a_path(node: ast.BinOp) -> bool:
    return isinstance(node.right, ast.JoinedStr) or (
        isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)
    )


@pytest.mark.parametrize(
    "path", [*MONEY, *POSTAGE, *MODELS], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_nothing_here_makes_a_float(path: Path) -> None:
    assert set(floats_in(path)) - DAYS == set()


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("a = 1 / 2\nb = float('3')\nc = 0.5\nd = round(2)\ne = folder / 'x'\n")
    assert {what for _, what in floats_in(bad)} == {"division in line 1", "float", "0.5", "round"}
