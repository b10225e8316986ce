"""The life of an uploaded statement file until it is a statement: its columns understood, then read in the background."""

from registry.rules.steps import Step
from registry.terms import Term
from storage.errors import Refused


class UploadState(Term):
    WAITING = "waiting", "待确认列"
    READING = "reading", "读取中"
    IMPORTED = "imported", "已导入"
    FAILED = "failed", "未能导入"
    DROPPED = "dropped", "已放弃"


S = UploadState

STEPS: tuple[Step[UploadState], ...] = (
    Step("confirm", "列已确认", (S.WAITING,), S.READING),
    Step("import", "逐行导入", (S.READING,), S.IMPORTED),
    Step("fail", "文件有误", (S.READING,), S.FAILED),
    Step("drop", "放弃", (S.WAITING, S.FAILED), S.DROPPED),
)


class NotAllowed(Refused):
    """A step that the life of an upload does not know."""


def target_of(act: str, state: str) -> UploadState:
    """Where an act leads from a state. Raises NotAllowed."""
    for step in STEPS:
        if step.act == act and state in step.sources:
            return step.target
    raise NotAllowed("upload_moved_on", f"这份文件现为“{UploadState(state).label}”，请刷新页面。")
