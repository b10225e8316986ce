"""Everything that can be done to a case, as one call each to the real services."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ingest.models import Case, Handling, Material
from ingest.rules import IdentityPerson
from ingest.services.answering import answer_points
from ingest.services.awaiting import awaited
from ingest.services.choosing import change_choices
from ingest.services.delivery import close, start_delivery
from ingest.services.handlings import (
    accept,
    ask_supplement,
    decide,
    notify,
    pre_review,
    refuse,
    resubmit,
)
from ingest.services.identifying import identify_by_sight
from ingest.services.intake import submit, take_in_original
from ingest.services.problems import Report, report_problem
from ingest.services.promises import defer_material, keep_promise
from ingest.services.talking import write_message
from ingest.services.withdrawing import withdraw
from logistics.services.arriving import receive_unannounced
from registry.actors import Actor
from registry.rules.problems import ProblemKind
from registry.rules.questionnaire import Answer
from registry.terms import Delivery
from tests.walks import papers

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


def _choose(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """The applicant wants the result in another way: the next one of the three."""
    ways = Delivery.values()
    other = ways[(ways.index(case.delivery) + 1) % len(ways)]
    return change_choices(case=case, delivery=other, agent_consent=case.agent_consent, actor=actor, now=now)


def _decide(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """Granted on paper; for who wants a file there is no paper, so that the file is needed."""
    paper = "" if case.delivery == Delivery.ELECTRONIC else "证书"
    return decide(handling=handling, approved=True, result_name=paper, actor=actor, now=now)


def _report(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """The window reports to the office, the office to the window."""
    by_window = actor.window_id is not None
    return report_problem(
        report=Report(
            ProblemKind.MATERIAL,
            "两地要求不同",
            owner_office=handling.office if by_window else None,
            owner_window=None if by_window else case.window,
            case=case,
        ),
        actor=actor,
        now=now,
    )


def _receive_papers(case: Case, handling: Handling, actor: Actor, now: datetime) -> object:
    """The applicant's envelope lies at the office, with all that is waited for."""
    ticked = [original.pk for original in awaited(case)]
    return receive_unannounced(case=case, ticked=ticked, actor=actor, now=now)


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
    "notify": lambda case, part, who, now: notify(handling=part, reason="申请表未盖章", actor=who, now=now),
    "resubmit": lambda case, part, who, now: resubmit(handling=part, actor=who, now=now),
    "refuse": lambda case, part, who, now: refuse(handling=part, reason="不符合条件", actor=who, now=now),
    "decide": _decide,
    "reject": lambda case, part, who, now: decide(
        handling=part, approved=False, result_name="", actor=who, now=now
    ),
    "receive_papers": _receive_papers,
    "choose": _choose,
    "talk": lambda case, part, who, now: write_message(case=case, text="请核对", actor=who, now=now),
    "report": _report,
    "bag": papers.bag,
    "unbag": papers.unbag,
    "send": papers.send,
    "arrive": papers.arrive,
    "come_back": papers.come_back,
    "hand_out": papers.hand_out,
    "archive": papers.archive,
    "attach": papers.attach,
    "void": papers.void,
    "fetch": papers.fetch,
    "withdraw": lambda case, part, who, now: withdraw(case=case, reason="申请人要求", actor=who, now=now),
    "deliver": lambda case, part, who, now: start_delivery(case=case, actor=who, now=now),
    "close": lambda case, part, who, now: close(case=case, actor=who, now=now),
}

ACTS: Mapping[str, str] = {
    "answer": "case.submit",
    "identify": "case.identify",
    "take_in": "original.take_in",
    "verify_original": "original.take_in",
    "promise": "case.upload",
    "keep_promise": "case.upload",
    "submit": "case.submit",
    "pre_review": "handling.pre_review",
    "accept": "handling.accept case.accept",
    "supplement": "handling.supplement",
    "notify": "case.notify",
    "resubmit": "case.submit",
    "refuse": "handling.refuse",
    "decide": "handling.decide",
    "reject": "handling.decide",
    "choose": "case.choose",
    "talk": "thread.write",
    "report": "problem.report",
    "bag": "parcel.pack",
    "unbag": "parcel.pack",
    "send": "parcel.pack parcel.hand_over",
    "arrive": "parcel.receive",
    "come_back": "parcel.hand_over",
    "hand_out": "case.deliver",
    "archive": "handling.decide",
    "receive_papers": "parcel.receive",
    "attach": "handling.decide",
    "void": "handling.decide",
    "fetch": "result.see",
    "withdraw": "case.withdraw",
    "deliver": "case.deliver",
    "close": "case.deliver",
}
"""Which acts of the permission table each deed tries; opening a case tries `case.create`."""
BESIDE: Mapping[str, str] = {
    "page.place": "pages and their order change no state: tests/ingest/test_placing.py",
    "page.correct": "readings change no state: tests/ocr/test_correcting.py",
    "original.compare": "a look at a paper: tests/dossier/test_arriving.py",
    "original.write_off": "needs two people and days of searching: tests/logistics/test_losses.py, the simulation",
    "incident.report": "a note about a parcel: tests/logistics/test_custody.py",
    "label.print": "prints, changes nothing: tests/logistics/test_label_printing.py",
    "slip.print": "prints, changes nothing: tests/registry/test_paper_issue.py",
    "dossier.download": "a recorded look: tests/dossier/test_services.py",
    "dossier.countersign": "a seal on a file: tests/dossier/test_services.py",
    "problem.answer": "a report has a machine of its own: tests/ingest/test_problems.py",
    "problem.solve": "a report has a machine of its own: tests/ingest/test_problems.py",
    "example.propose": "only about closed cases: tests/ingest/test_handbook.py",
    "deadline.count": "counts, changes nothing: tests/config/test_deadline_pages.py",
    "parcel.announce": "said by the applicant of an envelope: tests/logistics",
    "scale.report": "a weight, not a case: tests/config/test_scale.py",
}
"""What may be done at a window, in an office or by a key and is not tried here, and where it is tried instead."""
