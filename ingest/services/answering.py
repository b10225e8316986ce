"""审查要点: answering an item's questionnaire at the window, point by point, before acceptance."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from ingest.models import Case, ReviewAnswer
from ingest.rules import CaseState, NotNow
from registry.actors import Actor
from registry.events import record
from registry.permissions import check_may
from registry.rules.questionnaire import Answer, check_answers, points_of
from registry.rules.talk import fitting
from storage.errors import Refused

_OPEN = (CaseState.DRAFT, CaseState.SUBMITTED, CaseState.SUPPLEMENT)


def answer_points(*, case: Case, answers: Mapping[str, Answer], actor: Actor, now: datetime) -> None:
    """Keep what the clerk found; a later answer to the same point replaces the earlier, the event tells both times.

    按照审批导图进行问卷把关 (putian §四(二)).
    """
    check_may(actor, "case.submit", case)
    if case.state not in _OPEN:
        raise NotNow("answers_state", "办件受理后，审查要点的答复不再更改。")
    known = {point.code for point in points_of(case.item.review_points)}
    if strange := sorted(set(answers) - known):
        raise Refused("point_unknown", f"该事项没有审查要点“{strange[0][:20]}”，请刷新页面。")
    with transaction.atomic():
        for code, answer in answers.items():
            if answer.value is None and not answer.reason.strip():
                continue
            ReviewAnswer.objects.update_or_create(
                case=case,
                point=code,
                defaults={
                    "value": answer.value,
                    "reason": fitting(answer.reason, longest=200, what="审查要点的说明"),
                    "answered_by": actor.label,
                    "answered_at": now,
                },
            )
        data = {"answers": {code: answer.value for code, answer in answers.items()}}
        record(
            kind="case.points_answered",
            actor=actor,
            subject=case,
            now=now,
            case_number=case.number,
            data=data,
        )


def check_questionnaire(case: Case) -> None:
    """Raises Unlawful unless every review point is answered as acceptance needs it (putian §四(二))."""
    given = {row.point: Answer(row.value, row.reason) for row in case.answers.all()}
    check_answers(points_of(case.item.review_points), given)
