"""Pages of docs/ that are made from the code, so that they cannot say anything else than the code does."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pydantic import SecretStr

from config.api import api
from config.environment import Environment
from config.guards import GUARDS
from config.traceability import traceability_page
from ingest.rules import CASE_STEPS, HANDLING_STEPS, CaseState, HandlingState
from logistics.rules.handovers import STEPS as HANDOVER_STEPS
from logistics.rules.handovers import HandoverState
from logistics.rules.losses import STEPS as LOSS_STEPS
from logistics.rules.losses import LossState
from logistics.rules.parcels import STEPS as PARCEL_STEPS
from logistics.rules.parcels import ParcelState
from logistics.rules.settling import STEPS as SETTLEMENT_STEPS
from logistics.rules.settling import ProposalState
from logistics.rules.uploads import STEPS as UPLOAD_STEPS
from logistics.rules.uploads import UploadState
from registry.permissions import ACTS, TABLE
from registry.rules.problems import STEPS as PROBLEM_STEPS
from registry.rules.problems import ProblemState
from registry.terms import Mode, Role, Term
from workers.reactions import REACTIONS

MADE = "<!-- Made by `manage.py make_docs`; edits here are overwritten. -->\n"


class Arrow(Protocol):
    """What every table of steps has in common."""

    @property
    def act(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def target(self) -> str: ...


def documents() -> dict[str, str]:
    """File name below docs/ → its whole text."""
    return {
        "settings.md": settings_page(),
        "states.md": states_page(),
        "guards.md": guards_page(),
        "permissions.md": permissions_page(),
        "reactions.md": reactions_page(),
        "traceability.md": MADE + traceability_page(),
        "openapi.json": json.dumps(_schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n",
    }


def settings_page() -> str:
    rows = []
    for name, field in Environment.model_fields.items():
        default = field.default
        shown = (
            ""
            if isinstance(default, SecretStr) or name == "data_dir"
            else f"`{default}`"
            if default != ""
            else ""
        )
        shown = "`var/` beside the code" if name == "data_dir" else shown
        rows.append(f"| `TONGBAN_{name.upper()}` | {shown} | {field.description} |")
    head = "# Settings\n\nEvery setting is read from the environment at start. None is needed for the embedded default.\n\n"
    return MADE + head + "| variable | default | what it does |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def states_page() -> str:
    parts = [
        MADE,
        "# States\n",
        "Each thing has a small machine of its own. An arrow that is not drawn here is refused.\n",
        _machine("Case 办件", CaseState, CASE_STEPS, first=CaseState.DRAFT),
        _machine("Handling 办理环节", HandlingState, HANDLING_STEPS, first=HandlingState.WAITING),
        _machine("Parcel 寄件", ParcelState, PARCEL_STEPS, first=ParcelState.PACKING),
        _machine("Handover list 交接清单", HandoverState, HANDOVER_STEPS, first=HandoverState.OPEN),
        _machine("Loss 报失核销", LossState, LOSS_STEPS, first=LossState.DECLARED),
        _machine("Uploaded statement 上传的对账单", UploadState, UPLOAD_STEPS, first=UploadState.WAITING),
        _machine("Problem report 问题反馈单", ProblemState, PROBLEM_STEPS, first=ProblemState.OPEN),
        _machine("Settlement 结算", ProposalState, SETTLEMENT_STEPS, first=ProposalState.PREPARED),
    ]
    return "\n".join(parts)


def guards_page() -> str:
    head = (
        "# Guards\n\nWhat must hold before an act, beside its [state](states.md) and its [right](permissions.md). The refusal carries the code and a "
        "sentence that says what to do.\n\n| code | before | in | what must hold | source |\n|---|---|---|---|---|\n"
    )
    rows = [
        f"| `{code}` | {', '.join(f'`{act}`' for act in guard.acts.split())} | "
        f"{'、'.join(mode.label for mode in guard.modes)} | {guard.says} | {guard.source} |"
        for code, guard in GUARDS.items()
    ]
    return MADE + head + "\n".join(rows) + "\n"


def permissions_page() -> str:
    roles = list(TABLE)
    head = "| act | " + " | ".join(_role_title(role) for role in roles) + " |"
    rule = "|---" * (len(roles) + 1) + "|"
    rows = [
        f"| `{act}` | "
        + " | ".join(TABLE[role][act].label if act in TABLE[role] else "" for role in roles)
        + " |"
        for act in sorted(ACTS)
    ]
    text = "# Who may do what\n\nThe cell says on whose objects. An empty cell, or an object out of reach, answers 404.\n"
    return MADE + text + "\n" + "\n".join([head, rule, *rows]) + "\n"


def reactions_page() -> str:
    rows = [f"| `{kind}` | {', '.join(f'`{name}`' for name in names)} |" for kind, names in _reactions()]
    text = "# Which event leads to which work\n\n| event | work |\n|---|---|\n"
    return MADE + text + "\n".join(rows) + "\n"


def _reactions() -> list[tuple[str, list[str]]]:
    return sorted((kind, [_name(reaction) for reaction in found]) for kind, found in REACTIONS.items())


def _name(reaction: Any) -> str:
    return str(getattr(reaction, "name", getattr(reaction, "__name__", reaction)))


def _role_title(role: str) -> str:
    kind, _, scope = role.partition(":")
    return f"{Role(kind).label}{f' ({scope})' if scope else ''}"


def arrow_label(step: Arrow) -> str:
    """What stands at an arrow: its act, and the modes in which it is open where that is not every one."""
    modes = "、".join(Mode(mode).label for mode in getattr(step, "modes", ()))
    return f"{step.label}（{modes}）" if modes else step.label


def _machine(title: str, states: type[Term], steps: Iterable[Arrow], *, first: Term) -> str:
    names = [f"    {state.value} : {state.label} {state.value}" for state in states]
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        label = arrow_label(step)
        for source in step.sources:
            labels = arrows.setdefault((str(source), str(step.target)), [])
            if label not in labels:
                labels.append(label)
    drawn = [
        f"    {source} --> {target} : {'、'.join(labels)}" for (source, target), labels in arrows.items()
    ]
    ends = {str(state) for state in states} - {source for source, _ in arrows}
    final = [f"    {state} --> [*]" for state in sorted(ends)]
    body = "\n".join([*names, f"    [*] --> {first.value}", *drawn, *final])
    return f"## {title}\n\n```mermaid\nstateDiagram-v2\n{body}\n```\n"


def _schema() -> Mapping[str, Any]:
    return api.get_openapi_schema()
