"""好差评: asking once when a case is closed, taking the one answer, and seeing to it that a bad one is followed up."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from ingest.models import Case, Rating, RatingAsk
from ingest.rules import CaseState
from ingest.services.problems import Report, follow_up
from registry.actors import SYSTEM, Actor
from registry.braking import Brake
from registry.events import record
from registry.permissions import visible
from registry.rules.problems import ProblemKind
from registry.rules.satisfaction import Concern, Grade, followed_up_by_office, is_bad
from registry.tokens import Purpose, check, mint
from storage.errors import Refused

LONGEST = 300
APPLICANT = Actor(kind="applicant", id="", label="申请人")
"""Whoever holds the token; who it was is not asked."""
NOT_ASKED = frozenset({CaseState.REFUSED, CaseState.WITHDRAWN})
BRAKE = Brake("rating", from_one=20, from_all=600)


class NoSuchAsk(Refused):
    """The link is not one of ours, or is no longer open."""


@dataclass(frozen=True)
class Asked:
    """What the page shows: the item and where it was handed in, and whether the question is still open."""

    ask: RatingAsk
    item: str
    window: str
    office: str
    rating: Rating | None
    over: bool


def ask_satisfaction(*, case: Case, now: datetime) -> RatingAsk:
    """Put the question of a closed case, once; asked again, it is the same question."""
    if case.state != CaseState.CLOSED:
        raise Refused("rating_state", "办件归结后才请申请人评价。")
    with transaction.atomic():
        ask = _code_of(case)
        if RatingAsk.objects.filter(pk=ask.pk, asked_at__isnull=True).update(asked_at=now):
            record(kind="rating.asked", actor=SYSTEM, subject=ask, now=now, case_number=case.number)
    ask.refresh_from_db()
    return ask


def link_to_print(case: Case) -> str:
    """The address of the question for a paper that the applicant gets, also before the case is closed; empty for a case
    that is not asked about, because nothing was decided.
    """
    return "" if case.state in NOT_ASKED else _code_of(case).link


def find_ask(*, token: str, caller: str, now: datetime) -> Asked:
    """The question behind a link. `caller` is a network address. Raises NoSuchAsk, TooOften."""
    BRAKE.count(caller=caller, now=now)
    try:
        code = check(token, purpose=Purpose.RATING).identifier
    except Refused as fault:
        raise _unknown() from fault
    ask = RatingAsk.objects.filter(code=code).select_related("case__item", "case__window", "rating").first()
    if ask is None:
        raise _unknown()
    if ask.asked_at is None:
        raise NoSuchAsk("rating_early", "办件归结后才能评价，请收齐全部审批结果后再打开这个链接。")
    rating: Rating | None = getattr(ask, "rating", None)
    return Asked(
        ask=ask,
        item=ask.case.item.name,
        window=ask.case.window.name,
        office=ask.case.lead_office().name,
        rating=rating,
        over=rating is None and ask.is_over(now),
    )


def rate(*, token: str, grade: str, concern: str, words: str, caller: str, now: datetime) -> Rating:
    """Take the answer: one of five grades, once. A bad one opens a report with an owner and a day in the same breath."""
    asked = find_ask(token=token, caller=caller, now=now)
    ask = asked.ask
    if asked.rating is not None:
        raise Refused("rating_once", "您已经评价过，谢谢。每件只能评价一次。")
    if asked.over:
        raise NoSuchAsk("rating_over", "评价期已过，感谢您的关注。有问题请联系收件窗口。")
    if grade not in Grade.values():
        raise Refused("rating_grade", "请选择一项评价。")
    about = concern if concern in Concern.values() else Concern.WINDOW.value
    told = words.strip()
    if len(told) > LONGEST:
        raise Refused("rating_words", f"意见至多 {LONGEST} 个字，请写短一些。")
    with transaction.atomic():
        # Whoever comes second waits here for the first, and then finds that the question is answered.
        RatingAsk.objects.select_for_update().get(pk=ask.pk)
        if Rating.objects.filter(ask=ask).exists():
            raise Refused("rating_once", "您已经评价过，谢谢。每件只能评价一次。")
        problem = (
            follow_up(report=_report(ask.case, grade, about), actor=APPLICANT, now=now)
            if is_bad(grade)
            else None
        )
        rating = Rating.objects.create(
            ask=ask, grade=grade, concern=about, words=told, at=now, problem=problem
        )
        record(
            kind="rating.given",
            actor=APPLICANT,
            subject=rating,
            now=now,
            case_number=ask.case.number,
            data={"grade": grade, "concern": about, "problem": problem.number if problem else ""},
        )
    return rating


def ratings_of(*, actor: Actor, bad_only: bool = False) -> QuerySet[Rating]:
    """Answers in reach."""
    rows = visible(actor, "rating.see", Rating.objects.all())
    if bad_only:
        rows = rows.filter(problem__isnull=False)
    return rows.select_related("ask__case__item", "ask__case__window", "problem")


def ask_of(case: Case, *, now: datetime) -> RatingAsk | None:
    """The open question of a case, for whoever shows its code to the applicant; None before, after, and once answered."""
    asked = RatingAsk.objects.filter(case=case, rating__isnull=True, asked_at__isnull=False)
    ask = asked.first()
    return None if ask is None or ask.is_over(now) else ask


def _code_of(case: Case) -> RatingAsk:
    return RatingAsk.objects.get_or_create(
        case=case, defaults={"code": mint(Purpose.RATING).identifier, "asked_at": None}
    )[0]


def _report(case: Case, grade: str, concern: str) -> Report:
    """The follow-up names grade and subject; the applicant's own words stay on the rating."""
    by_office = followed_up_by_office(concern)
    return Report(
        kind=ProblemKind.RATING,
        words=f"申请人对{Concern(concern).label}评价“{Grade(grade).label}”，请回访、整改并写明结果。",
        owner_office=case.lead_office() if by_office else None,
        owner_window=None if by_office else case.window,
        case=case,
    )


def _unknown() -> NoSuchAsk:
    return NoSuchAsk("rating_unknown", "这个评价链接无效，请核对送达单据上的二维码或链接。")
