"""What windows and offices have between them about one case: a talk, a report, a handbook, an example, a question."""

from dataclasses import dataclass

from ingest.models import Case, Example, HandbookEntry, Message, Problem, RatingAsk, ResultFile
from ingest.services.handbook import publish_edition
from ingest.services.problems import Report, report_problem
from ingest.services.talking import write_message
from registry.models import ServiceCentre
from registry.rules.handbook import EntryState
from registry.rules.problems import ProblemKind
from registry.tokens import Purpose, mint
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW, Cast


@dataclass(frozen=True)
class Shared:
    """One of each, asked by the window and owned by the office."""

    message: Message
    problem: Problem
    entry: HandbookEntry
    example: Example
    ask: RatingAsk
    result: ResultFile


def plant(case: Case, cast: Cast) -> Shared:
    problem = report_problem(
        report=Report(ProblemKind.MATERIAL, "两地对章程的要求不同", owner_office=cast.taizhou, case=case),
        actor=cast.clerk,
        now=NOW,
    )
    entry = HandbookEntry.objects.create(
        problem=problem,
        kind=problem.kind,
        question="章程要原件还是复印件",
        answer="复印件加盖公章即可",
        state=EntryState.READY.value,
    )
    publish_edition(centre=ServiceCentre.objects.get(code="centre-331000"), actor=cast.administrator, now=NOW)
    HandbookEntry.objects.filter(pk=entry.pk).update(state=EntryState.DRAFT.value)
    return Shared(
        message=write_message(case=case, text="请核对", actor=cast.clerk, now=NOW),
        problem=problem,
        entry=entry,
        example=Example.objects.create(
            case=case,
            title="一次收件，两地同办",
            situation="企业在外地迁址",
            solution="窗口代办，原件到付寄出",
            effect="少跑一趟",
            place=cast.zhuji.name,
            proposed_by="clerk",
            proposed_at=NOW,
        ),
        ask=RatingAsk.objects.create(case=case, code=mint(Purpose.RATING).identifier, asked_at=NOW),
        result=ResultFile.objects.create(
            handling=case.handlings.get(),
            name="施工许可证",
            stored=store_bytes(content=b"licence", kind=Kind.RESULT, media_type="application/pdf", now=NOW),
            attached_by="officer",
            attached_at=NOW,
        ),
    )
