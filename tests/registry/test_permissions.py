"""The table of role, act and reach, read back row by row."""

import ast
from collections.abc import Iterator

import pytest
from pytest_django import DjangoAssertNumQueries

from ingest.models import Case
from ingest.services.intake import submit
from registry.actors import SYSTEM, Actor
from registry.permissions import ACTS, TABLE, NotYours, Reach, check_may, may, reaches, visible, yours
from registry.terms import Role
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything
from tests.shared import ROOT

ASKING = {"may", "check_may", "visible", "reaches", "page"}
"""What asks the table, by name."""
ROOMS = ("config", "dossier", "ingest", "logistics", "ocr", "registry", "storage", "workers")


def words_in_questions() -> Iterator[str]:
    """Every text that product code hands to what asks the table, or keeps as the `act` of a page of the directory."""
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked: list[ast.expr] = []
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                asked = node.args if name in ASKING else []
            elif isinstance(node, ast.Assign) and [ast.unparse(to) for to in node.targets] == ["act"]:
                asked = [node.value]
            yield from (str(each.value) for each in asked if isinstance(each, ast.Constant))


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.mark.parametrize("role", list(TABLE))
@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_role_and_act_answers_as_the_table_says(role: str, act: str) -> None:
    kind, _, scope = role.partition(":")
    actor = (
        Actor("integration", "k", "k", role=kind, scopes=frozenset({scope}))
        if scope
        else Actor("user", "1", "u", role=role)
    )
    expected = TABLE[role].get(act)
    assert reaches(actor, act) == (frozenset({expected}) if expected else frozenset())
    assert may(actor, act) is (expected is not None)


def test_an_unknown_act_is_a_fault_of_the_caller() -> None:
    with pytest.raises(KeyError):
        may(SYSTEM, "case.burn")


def test_no_right_is_promised_that_nothing_asks_for() -> None:
    assert ACTS - set(words_in_questions()) == set()


def test_finance_and_administrators_have_no_act_that_touches_content() -> None:
    content = {
        act for act in ACTS if act.split(".")[0] in {"case", "page", "dossier", "handling", "original"}
    }
    for role in (Role.FINANCE, Role.ADMINISTRATOR, Role.AUDITOR):
        assert not content & set(TABLE[role.value])


def test_a_person_without_a_place_reaches_nothing(cast: Cast) -> None:
    open_case(cast)
    homeless = Actor("user", "99", "x", role=Role.CLERK)
    assert not visible(homeless, "case.see", Case.objects.all()).exists()


def test_each_sees_only_own_cases_and_the_office_only_after_submission(cast: Cast, objects: None) -> None:
    case = open_case(cast)

    def sees(actor: Actor) -> bool:
        return visible(actor, "case.see", Case.objects.all()).filter(pk=case.pk).exists()

    assert [sees(a) for a in (cast.clerk, cast.other_clerk, cast.officer)] == [True, False, False]
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    assert [sees(a) for a in (cast.officer, cast.other_officer, cast.finance)] == [True, False, False]
    with pytest.raises(NotYours):
        check_may(cast.other_clerk, "case.see", case)
    with pytest.raises(NotYours):
        check_may(cast.finance, "case.see")


def test_what_is_elsewhere_is_answered_like_what_is_nowhere(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    case = open_case(cast)
    here, nowhere = Case.objects.filter(pk=case.pk), Case.objects.filter(pk=0)
    with django_assert_num_queries(1):
        assert yours(visible(cast.clerk, "case.see", here)) == case
    said = []
    for rows in (visible(cast.other_clerk, "case.see", here), visible(cast.clerk, "case.see", nowhere)):
        with pytest.raises(NotYours) as refused:
            yours(rows)
        said.append((refused.value.code, refused.value.message))
    assert said[0] == said[1]


def test_reach_is_never_wider_than_one_place_for_people() -> None:
    for role in (Role.CLERK, Role.OFFICER, Role.FINANCE):
        assert Reach.ALL not in set(TABLE[role.value].values())
