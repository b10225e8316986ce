"""Who may do what to which objects: one table, read by pages, endpoints and services alike."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from django.contrib.admin.utils import lookup_spawns_duplicates
from django.db.models import Model, Q, QuerySet
from django.db.models.options import Options

from registry.actors import Actor
from registry.terms import Role, Term
from storage.errors import Refused


class Reach(Term):
    """On whose objects an act is allowed."""

    OWN_WINDOW = "own_window", "本窗口"
    OWN_OFFICE = "own_office", "本部门"
    OWN_CENTRE = "own_centre", "本中心"
    ALL = "all", "全部"


class NotYours(Refused):
    """Answered like an object that does not exist, so that nobody learns what others have."""

    def __init__(self) -> None:
        super().__init__("not_found", "没有找到，或不在您的权限范围内。")


_CASE_READING = {"case.see", "page.see", "slip.print", "original.see", "parcel.see", "result.see"}
_TOGETHER = {
    "thread.see",
    "thread.write",
    "problem.see",
    "problem.report",
    "problem.answer",
    "problem.solve",
    "example.propose",
    "handbook.read",
    "rating.see",
    "figures.see",
    "deadline.count",
}
_CARRYING = {
    "parcel.pack",
    "parcel.hand_over",
    "parcel.receive",
    "label.print",
    "incident.report",
    "original.write_off",
}

CLERK = (
    _CASE_READING
    | _CARRYING
    | _TOGETHER
    | {
        "case.create",
        "case.upload",
        "page.place",
        "page.correct",
        "case.submit",
        "case.accept",
        "case.identify",
        "case.choose",
        "case.notify",
        "case.withdraw",
        "case.deliver",
        "original.take_in",
        "directory.see",
    }
)
OFFICER = (
    _CASE_READING
    | _CARRYING
    | _TOGETHER
    | {
        "handling.pre_review",
        "handling.accept",
        "handling.supplement",
        "handling.refuse",
        "handling.decide",
        "dossier.download",
        "dossier.countersign",
        "original.compare",
        "directory.see",
    }
)
FINANCE = {
    "postage.see",
    "budget.set",
    "tariff.edit",
    "charge.correct",
    "statement.import",
    "statement.reconcile",
    "discrepancy.resolve",
    "dispute.write",
    "month.prepare",
    "settlement.approve",
    "policy.edit",
    "exception.ask",
    "exception.approve",
    "settlement.see",
}
ADMINISTRATOR = {
    "policy.edit",
    "directory.see",
    "directory.edit",
    "calendar.edit",
    "account.edit",
    "grant.edit",
    "carrier.edit",
    "platform.edit",
    "job.see",
    "inbox.see",
    "problem.see",
    "problem.solve",
    "handbook.read",
    "handbook.edit",
    "rating.see",
    "figures.see",
    "deadline.count",
}
AUDITOR = {"audit.read", "audit.verify", "deadline.count"}

TABLE: Mapping[str, Mapping[str, Reach]] = {
    Role.CLERK.value: dict.fromkeys(CLERK, Reach.OWN_WINDOW),
    Role.OFFICER.value: dict.fromkeys(OFFICER, Reach.OWN_OFFICE),
    Role.FINANCE.value: dict.fromkeys(FINANCE, Reach.OWN_CENTRE),
    Role.ADMINISTRATOR.value: dict.fromkeys(ADMINISTRATOR, Reach.ALL),
    Role.AUDITOR.value: dict.fromkeys(AUDITOR, Reach.ALL),
    # Keys act for the window or office that they name, and only within their scopes. Couriers have none:
    # their pushes come to a path of the account and prove themselves (logistics/pushes.py).
    "integration:platform": dict.fromkeys(
        {
            "case.create",
            "case.see",
            "case.upload",
            "case.submit",
            "case.withdraw",
            "parcel.announce",
            "result.see",
        },
        Reach.OWN_WINDOW,
    ),
    # Reads and is told, files nothing.
    "integration:watcher": {"case.see": Reach.OWN_WINDOW},
    "integration:reader": {"case.identify": Reach.OWN_WINDOW},
    "integration:scale": {"scale.report": Reach.OWN_WINDOW},
    "integration:scanner": {"page.place": Reach.OWN_WINDOW},
    # A device at the counter that gathers what a collector takes, and has it signed.
    "integration:dispatch": {"parcel.see": Reach.OWN_WINDOW, "parcel.hand_over": Reach.OWN_WINDOW},
    "integration:archive": {"case.see": Reach.OWN_OFFICE, "dossier.download": Reach.OWN_OFFICE},
}

ACTS: frozenset[str] = frozenset(act for acts in TABLE.values() for act in acts)
KEY_SCOPES: frozenset[str] = frozenset(
    scope for kind, _, scope in (role.partition(":") for role in TABLE) if kind == Role.INTEGRATION
)


class Scoped(Protocol):
    """A model that knows which of its rows lie within an actor's reach."""

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q: ...


M = TypeVar("M", bound=Model)


def reaches(actor: Actor, act: str) -> frozenset[Reach]:
    """Every reach in which the actor may do this. The system itself may do all that services ask of it."""
    if act not in ACTS:
        raise KeyError(f"unknown act {act}")
    if actor.kind == "system":
        return frozenset({Reach.ALL})
    if actor.kind == "integration":
        roles = [f"integration:{scope}" for scope in actor.scopes]
    else:
        roles = [actor.role]
    return frozenset(TABLE[role][act] for role in roles if act in TABLE.get(role, {}))


def may(actor: Actor, act: str) -> bool:
    """Whether the actor may do this to anything at all."""
    return bool(reaches(actor, act))


def visible(actor: Actor, act: str, queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows on which the actor may do this."""
    allowed = reaches(actor, act)
    if not allowed:
        return queryset.none()
    if Reach.ALL in allowed:
        return queryset
    model = queryset.model
    scoped: type[Scoped] = model  # type: ignore[assignment]
    condition = Q(pk__in=())
    for reach in allowed:
        condition |= scoped.within(reach, actor)
    found = queryset.filter(condition)
    # Taking twins out sorts every row that was found, so only where a condition can make any.
    return found.distinct() if _makes_twins(model._meta, condition) else found


def yours(rows: QuerySet[M]) -> M:
    """The row among those that somebody may see. Raises NotYours where there is none, whether or not it exists elsewhere."""
    found = rows.first()
    if found is None:
        raise NotYours
    return found


def _makes_twins(options: Options[Any], condition: Q) -> bool:
    """Whether the condition asks about several rows of another table, each of which brings the row again."""
    return any(
        _makes_twins(options, child)
        if isinstance(child, Q)
        else isinstance(child, tuple) and lookup_spawns_duplicates(options, str(child[0]))
        for child in condition.children
    )


def check_may(actor: Actor, act: str, subject: Model | None = None) -> None:
    """Raises NotYours unless the actor may do this (to this object)."""
    if not may(actor, act):
        raise NotYours
    if subject is None:
        return
    rows = visible(actor, act, type(subject)._default_manager.all())
    if not rows.filter(pk=subject.pk).exists():
        raise NotYours
