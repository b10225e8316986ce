"""Everything that can be done to a case, as one call each to the real services."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ingest.models import Case, Handling, Material, Original
from ingest.rules import IdentityPerson
from ingest.services.answering import answer_points
from ingest.services.delivery import close, start_delivery
from ingest.services.handlings import accept, ask_supplement, decide, pre_review, refuse, resubmit
from ingest.services.identifying import identify_by_sight
from ingest.services.intake import submit, take_in_original
from ingest.services.promises import defer_material, keep_promise
from ingest.services.withdrawing import withdraw
from logistics.rules.payers import Leg
from logistics.services.parcels import pack
from registry.actors import Actor
from registry.rules.questionnaire import Answer
from storage.errors import Refused

Doing = Callable[[Case, Handling, Actor, datetime], object]


def certificate(case: Case) -> Material:
    """The row of the checklist that may be promised and whose paper travels."""
    return case.materials.select_related("case", "requirement").get(position=2)


def _take_in(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    return take_in_original(
        material=certificate(case), name="", verified=False, actor=actor, now=now, way=[handling]
    )


def _verify(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    return take_in_original(
        material=certificate(case), name="副本", verified=True, actor=actor, now=now, way=[handling]
    )


def _identify(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    return identify_by_sight(
        case=case, person=IdentityPerson.AGENT, document="护照", reason="外籍", actor=actor, now=now
    )


def _send_result(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """The office packs its result for the applicant, with those that lie at it already."""
    results = case.originals.filter(kind=Original.Kind.RESULT, handling=handling)
    if not results:
        raise Refused("no_result", "没有可寄出的审批结果。")
    leg = Leg.JOINT_RESULT if case.mode == "joint" else Leg.RESULT
    return pack(leg=leg, sender=handling.office, receiver=case, originals=results, actor=actor, now=now)


DEEDS: Mapping[str, Doing] = {
    "answer": lambda case, part, who, now: answer_points(
        case=case, answers={"q1": Answer(value=True, reason="")}, actor=who, now=now
    ),
    "identify": _identify,
    "take_in": _take_in,
    "verify_original": _verify,
    "promise": lambda case, part, who, now: defer_material(
        material=certificate(case), until=now + timedelta(days=3), actor=who, now=now
    ),
    "keep_promise": lambda case, part, who, now: keep_promise(material=certificate(case), actor=who, now=now),
    "submit": lambda case, part, who, now: submit(case=case, actor=who, now=now),
    "pre_review": lambda case, part, who, now: pre_review(handling=part, actor=who, now=now),
    "accept": lambda case, part, who, now: accept(handling=part, actor=who, now=now),
    "supplement": lambda case, part, who, now: ask_supplement(
        handling=part, reason="缺少签名", actor=who, now=now
    ),
    "resubmit": lambda case, part, who, now: resubmit(handling=part, actor=who, now=now),
    "refuse": lambda case, part, who, now: refuse(handling=part, reason="不符合条件", actor=who, now=now),
    "decide": lambda case, part, who, now: decide(
        handling=part, approved=True, result_name="证书", actor=who, now=now
    ),
    "send_result": _send_result,
    "withdraw": lambda case, part, who, now: withdraw(case=case, reason="申请人要求", actor=who, now=now),
    "deliver": lambda case, part, who, now: start_delivery(case=case, actor=who, now=now),
    "close": lambda case, part, who, now: close(case=case, actor=who, now=now),
}
