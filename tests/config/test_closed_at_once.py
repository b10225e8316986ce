"""A window closes a case in the moment in which its office takes the file back: one of the two finds that it cannot."""

from collections.abc import Callable
from functools import partial

import pytest

from config.simulation.rivals import Hold, Rivals
from ingest.models import Case, ResultFile
from ingest.rules import CaseState
from ingest.services.choosing import change_choices
from ingest.services.delivery import close
from ingest.services.handlings import accept, decide, pre_review
from ingest.services.intake import submit
from ingest.services.results import attach_result, offer_results, void_result
from registry.terms import Delivery
from storage.errors import Refused
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW, Cast, assemble, open_case
from tests.ingest.paper import hand_in_everything

pytestmark = pytest.mark.usefixtures("objects")
STATEMENTS = 14
"""More than either of the two makes before it commits."""


def _delivering(cast: Cast) -> Case:
    """Its applicant chose 电子送达, and one file lies there that nobody has fetched."""
    case = open_case(cast)
    hand_in_everything(case)
    submit(case=case, actor=cast.clerk, now=NOW)
    part = case.handlings.select_related("case", "office").get()
    pre_review(handling=part, actor=cast.officer, now=NOW)
    accept(handling=part, actor=cast.officer, now=NOW)
    change_choices(case=case, delivery=Delivery.ELECTRONIC, agent_consent=True, actor=cast.clerk, now=NOW)
    decide(handling=part, approved=True, result_name="", actor=cast.officer, now=NOW)
    stored = store_bytes(
        content=case.number.encode(), kind=Kind.RESULT, media_type="application/pdf", now=NOW
    )
    attach_result(handling=part, name="施工许可证", stored=stored, actor=cast.officer, now=NOW)
    assert offer_results(case=Case.objects.get(pk=case.pk), now=NOW)
    return Case.objects.get(pk=case.pk)


def _told(act: Callable[[], object]) -> Callable[[], str]:
    def told() -> str:
        try:
            act()
        except Refused as refused:
            return refused.code
        return "done"

    return told


@pytest.mark.parametrize("window_first", [True, False])
def test_no_case_is_closed_with_a_file_that_was_taken_back(rivals: Rivals, window_first: bool) -> None:
    cast = assemble()
    for hold in [Hold(commit=1), *(Hold(statement=count) for count in range(1, STATEMENTS))]:
        case = _delivering(cast)
        file = ResultFile.objects.select_related("handling__case", "handling__office").get(
            handling__case=case
        )
        window = _told(partial(close, case=case, actor=cast.clerk, now=NOW))
        office = _told(partial(void_result, file=file, actor=cast.officer, now=NOW))
        ends = rivals.meet((window, office) if window_first else (office, window), hold)
        closed = Case.objects.get(pk=case.pk).state == CaseState.CLOSED
        stands = ResultFile.objects.filter(pk=file.pk, voided_at__isnull=True).exists()
        assert closed == stands, (hold, ends)
        assert sorted(ends) in (["done", "result_file_missing"], ["done", "result_over"]), hold
