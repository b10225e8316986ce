"""Whatever the code records can be told in the words of the trade."""

import re

from config.pages.event_words import REACTION_WORDS, WORDS
from dossier.models import Occasion
from logistics.rules.disputes import DECIDED_BY_PEOPLE
from tests.shared import ROOT
from workers.reactions import REACTIONS

ROOMS = ("registry", "ingest", "ocr", "dossier", "logistics", "workers")
RECORDED = re.compile(r"(?:kind=|record_parcel\(\s*\w+(?:\.\w+)?,\s*|_tell\()\"([a-z_]+\.[a-z_]+)\"")


def recorded_kinds() -> set[str]:
    kinds = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            kinds |= set(RECORDED.findall(path.read_text(encoding="utf-8")))
    return kinds


def test_every_recorded_kind_has_words() -> None:
    kinds = recorded_kinds()
    assert len(kinds) > 30, "the pattern finds the places where events are recorded"
    assert kinds - WORDS.keys() == set()


def test_late_is_said_in_the_word_of_the_glossary() -> None:
    """超期; the sample papers of the demonstration have their own words."""
    said = [
        str(path.relative_to(ROOT))
        for room in ("config", *ROOMS)
        for path in (ROOT / room).rglob("*")
        if path.suffix in (".py", ".html")
        and not {"samples", "migrations"} & set(path.parts)
        and "逾期" in path.read_text(encoding="utf-8")
    ]
    assert said == []


def test_kinds_made_from_states_have_words() -> None:
    made = {f"dossier.{occasion.value}" for occasion in Occasion if occasion != Occasion.SUBMITTED}
    made |= {f"discrepancy.{state.value}" for state in DECIDED_BY_PEOPLE}
    made |= {
        f"case.{state}"
        for state in ("pre_review", "accepted", "supplement", "decided", "delivering", "closed")
    }
    assert made - WORDS.keys() == set()


def test_every_reaction_has_words() -> None:
    names = {reaction.name for reactions in REACTIONS.values() for reaction in reactions}
    assert names - REACTION_WORDS.keys() == set()
