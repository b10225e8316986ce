"""Keeping the postage policy: versions with dates, exceptions with reason and approver, what-if over past months."""

from collections.abc import Iterator
from datetime import date, datetime, time

from django.db import IntegrityError, transaction
from django.db.models import Q

from ingest.models import Case
from logistics.models import Charge, PostageException, PostagePolicy
from logistics.rules.payers import Leg, Policy, rules_to_data
from logistics.rules.policies import EXCEPTION, ExceptionState, PolicyFault, check_policy
from registry import events
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import NotYours, Reach, check_may, reaches
from registry.rules.talk import fitting
from registry.time import SHANGHAI
from storage.errors import Refused


def add_policy(*, policy: Policy, centre: ServiceCentre | None, actor: Actor, now: datetime) -> PostagePolicy:
    """Take in a version, of one centre or (None) of all that have none of their own.

    Raises PolicyFault when it is unsound, meets another version, or reaches back over charges already made.
    """
    _check_reach(actor, centre)
    with transaction.atomic():
        # Versions that are taken in at once see each other through the lock on the older rows.
        others = PostagePolicy.objects.select_for_update(of=("self",)).filter(centre=centre)
        check_policy(policy, [other.as_policy() for other in others])
        if PostagePolicy.objects.filter(code=policy.code).exists():
            raise PolicyFault("policy_code", f"政策代码“{policy.code}”已经用过，请换一个。")
        _check_not_charged(centre, policy.valid_from)
        row = PostagePolicy.objects.create(
            code=policy.code,
            source=policy.source,
            centre=centre,
            rules=rules_to_data(policy.rules),
            outside_term=policy.outside_term.value,
            valid_from=policy.valid_from,
            valid_until=policy.valid_until,
        )
        events.record(
            kind="policy.added",
            actor=actor,
            subject=row,
            now=now,
            data={"code": row.code, "from": row.valid_from.isoformat(), "centre": centre and centre.pk},
        )
    return row


def end_policy(*, policy: PostagePolicy, on: date, actor: Actor, now: datetime) -> PostagePolicy:
    """Let an open-ended version end before `on`, so that the next can begin. Raises PolicyFault."""
    _check_reach(actor, policy.centre)
    if on <= policy.valid_from:
        raise PolicyFault("policy_dates", "终止日期必须晚于生效日期。")
    with transaction.atomic():
        _check_not_charged(policy.centre, on)
        ended = PostagePolicy.objects.filter(pk=policy.pk, valid_until__isnull=True).update(valid_until=on)
        if not ended:
            raise PolicyFault("stale", "该政策已有终止日期。")
        events.record(
            kind="policy.ended",
            actor=actor,
            subject=policy,
            now=now,
            data={"code": policy.code, "on": on.isoformat()},
        )
    return PostagePolicy.objects.get(pk=policy.pk)


def ask_exception(
    *, case: Case, leg: Leg, centre: ServiceCentre, reason: str, actor: Actor, now: datetime
) -> PostageException:
    """Ask that the own centre bears a leg of a case that it is concerned with. Another person approves."""
    check_may(actor, "exception.ask")
    if actor.kind != "system" and actor.centre_id != centre.pk:
        raise NotYours
    concerned = Q(handlings__office__centre=centre) | Q(window__centre=centre)
    if not Case.objects.filter(concerned, pk=case.pk).exists():
        raise NotYours
    reason = fitting(reason, what="例外的理由")
    if not reason:
        raise Refused("exception_reason", "请写明例外的理由。")
    _check_uncharged(case, leg)
    try:
        with transaction.atomic():
            asked = PostageException.objects.create(
                case=case,
                leg=leg.value,
                centre=centre,
                reason=reason,
                asked_by_id=actor.id,
                asked_by=actor.label,
                asked_at=now,
            )
            _tell("asked", asked, actor=actor, now=now)
    except IntegrityError as fault:
        raise Refused("exception_known", f"该办件的“{leg.label}”已有例外申请。") from fault
    return asked


def decide_on_exception(
    *, exception: PostageException, approve: bool, actor: Actor, now: datetime
) -> PostageException:
    """A second finance officer of the centre agrees or not. Raises Refused for whoever asked."""
    check_may(actor, "exception.approve", exception)
    if actor.kind != "user" or actor.id == exception.asked_by_id:
        raise Refused("same_person", "申请人不能批准自己申请的例外，请由本中心另一位财务人员批准。")
    if approve:
        _check_uncharged(exception.case, Leg(exception.leg))
    state = ExceptionState.APPROVED if approve else ExceptionState.REFUSED
    with transaction.atomic():
        changed = PostageException.objects.filter(pk=exception.pk, state=ExceptionState.ASKED.value).update(
            state=state.value, decided_by_id=actor.id, decided_by=actor.label, decided_at=now
        )
        if not changed:
            raise Refused("stale", "该例外已被他人处理，请刷新页面。")
        exception = PostageException.objects.select_related("case").get(pk=exception.pk)
        _tell(state.value, exception, actor=actor, now=now)
    return exception


def charges_between(centre: ServiceCentre | None, first: date, after: date) -> Iterator[Charge]:
    """Standing charges whose waybill was ordered from `first` up to, not including, `after`; exceptions left out."""
    found = (
        Charge.objects.standing()
        .filter(waybill__requested_at__gte=_midnight(first), waybill__requested_at__lt=_midnight(after))
        .exclude(rule_code=EXCEPTION)
        .select_related(
            "case__item",
            "case__window",
            "parcel",
            "contract__carrier",
            "waybill__carrier",
            "waybill__account",
        )
        .prefetch_related("shares", "case__handlings__office__centre__region", "contract__zones")
        .order_by("pk")
    )
    if centre is not None:
        found = found.filter(_concerning(centre)).distinct()
    return found.iterator(chunk_size=500)


def _check_reach(actor: Actor, centre: ServiceCentre | None) -> None:
    check_may(actor, "policy.edit")
    everywhere = Reach.ALL in reaches(actor, "policy.edit")
    if not everywhere and (centre is None or actor.centre_id != centre.pk):
        raise NotYours


def _check_not_charged(centre: ServiceCentre | None, first: date) -> None:
    charged = Charge.objects.standing().filter(waybill__requested_at__gte=_midnight(first))
    if centre is not None:
        charged = charged.filter(_concerning(centre))
    if charged.exists():
        raise PolicyFault(
            "policy_reaches_back", f"{first:%Y-%m-%d} 以后已有计费的寄件，新政策只能从以后的日期起生效。"
        )


def _check_uncharged(case: Case, leg: Leg) -> None:
    if Charge.objects.standing().filter(case=case, leg=leg.value).exists():
        raise Refused("already_charged", f"该办件的“{leg.label}”已经计费，例外只能在计费以前批准。")


def _concerning(centre: ServiceCentre) -> Q:
    return Q(shares__centre=centre) | Q(centre__isnull=True, case__handlings__office__centre=centre)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)


def _tell(word: str, exception: PostageException, *, actor: Actor, now: datetime) -> None:
    events.record(
        kind=f"exception.{word}",
        actor=actor,
        subject=exception,
        now=now,
        case_number=exception.case.number,
        data={"leg": exception.leg, "centre": exception.centre_id},
    )
