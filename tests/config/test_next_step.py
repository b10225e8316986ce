"""Who acts next, from the states alone."""

import pytest

from config.pages.next_step import CaseFacts, Paper, Papers, Who, next_step
from ingest.rules import CaseState as C
from ingest.rules import HandlingState as H
from registry.terms import Delivery, Mode

F, A, J = Mode.WINDOW_FORWARD, Mode.WINDOW_ACCEPT, Mode.JOINT
NONE = Papers()
AT_WINDOW, ON_ROAD, AT_OFFICE = (
    Papers(materials=[place]) for place in (Paper.WINDOW, Paper.PARCEL, Paper.OFFICE)
)
RESULT_AT_OFFICE = Papers(results=[Paper.OFFICE])
RESULT_ON_ROAD = Papers(results=[Paper.PARCEL])
RESULT_AT_WINDOW = Papers(results=[Paper.WINDOW])
RESULT_LOST = Papers(results=[Paper.LOST])
MATERIAL_MISSING = Papers(materials=[Paper.MISSING])


@pytest.mark.parametrize(
    ("state", "mode", "handling", "papers", "who", "act"),
    [
        (C.DRAFT, F, H.WAITING, AT_WINDOW, Who.WINDOW, "submit"),
        (C.SUBMITTED, F, H.PENDING, AT_WINDOW, Who.OFFICE, "pre_review"),
        (C.SUBMITTED, A, H.PENDING, AT_WINDOW, Who.WINDOW, "accept"),
        (C.SUPPLEMENT, F, H.SUPPLEMENT, AT_WINDOW, Who.WINDOW, "resubmit"),
        (C.PRE_REVIEW, F, H.PRE_REVIEW, AT_WINDOW, Who.WINDOW, "pack"),
        (C.PRE_REVIEW, F, H.PRE_REVIEW, ON_ROAD, Who.OFFICE, "receive"),
        (C.PRE_REVIEW, F, H.PRE_REVIEW, AT_OFFICE, Who.OFFICE, "accept"),
        (C.PRE_REVIEW, F, H.PRE_REVIEW, NONE, Who.OFFICE, "accept"),
        (C.ACCEPTED, A, H.ACCEPTED, AT_WINDOW, Who.WINDOW, "pack"),
        (C.ACCEPTED, F, H.ACCEPTED, AT_OFFICE, Who.OFFICE, "decide"),
        (C.DECIDED, F, H.DECIDED, RESULT_AT_OFFICE, Who.OFFICE, "pack"),
        (C.DELIVERING, F, H.DECIDED, RESULT_ON_ROAD, Who.CARRIER, ""),
        (C.DELIVERING, F, H.DECIDED, RESULT_AT_WINDOW, Who.WINDOW, "hand_out"),
        (C.DELIVERING, F, H.DECIDED, NONE, Who.WINDOW, "close"),
        (C.DELIVERING, F, H.DECIDED, RESULT_LOST, Who.NOBODY, ""),
        (C.DELIVERING, F, H.DECIDED, MATERIAL_MISSING, Who.NOBODY, ""),
        (C.DECIDED, F, H.DECIDED, NONE, Who.WINDOW, "deliver"),
        (C.CLOSED, F, H.DECIDED, NONE, Who.NOBODY, ""),
        (C.REFUSED, F, H.REFUSED, AT_OFFICE, Who.OFFICE, "pack"),
        (C.WITHDRAWN, F, H.WITHDRAWN, NONE, Who.NOBODY, ""),
    ],
)
def test_next_step(state: C, mode: Mode, handling: H, papers: Papers, who: Who, act: str) -> None:
    step = next_step(CaseFacts(state, mode, handling, Delivery.MAIL, papers))
    assert (step.who, step.act) == (who, act)
    assert step.sentence


def test_who_wants_a_file_waits_for_the_office_to_give_one() -> None:
    facts = CaseFacts(C.DECIDED, F, H.DECIDED, Delivery.ELECTRONIC, NONE, awaits_file=True)
    assert (next_step(facts).who, next_step(facts).act) == (Who.OFFICE, "attach_result")
    given = CaseFacts(C.DELIVERING, F, H.DECIDED, Delivery.ELECTRONIC, NONE)
    assert (next_step(given).sentence, next_step(given).act) == ("申请人下载后归结", "close")


def test_a_joint_result_waits_for_every_office() -> None:
    facts = CaseFacts(C.ACCEPTED, J, H.DECIDED, Delivery.MAIL, RESULT_AT_OFFICE, all_decided=False)
    assert next_step(facts).act == ""


def test_a_joint_result_is_gathered_at_the_lead_office_and_leaves_whole() -> None:
    def facts(*results: Paper, lead: bool) -> CaseFacts:
        return CaseFacts(C.DECIDED, J, H.DECIDED, Delivery.MAIL, Papers(results=results), lead=lead)

    assert next_step(facts(Paper.OFFICE, Paper.OTHER_OFFICE, lead=False)).sentence == "把审批结果转给牵头部门"
    assert next_step(facts(Paper.OTHER_OFFICE, lead=False)).act == ""
    assert next_step(facts(Paper.OFFICE, Paper.OTHER_OFFICE, lead=True)).act == ""
    assert next_step(facts(Paper.OFFICE, Paper.OFFICE, lead=True)).sentence == "寄出审批结果"


def test_a_result_for_the_window_is_received_there() -> None:
    step = next_step(CaseFacts(C.DELIVERING, F, H.DECIDED, Delivery.WINDOW, RESULT_ON_ROAD))
    assert (step.who, step.act) == (Who.WINDOW, "receive")
