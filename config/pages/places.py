"""The few places each role works in, shown at the left of every page."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from registry.terms import Role


@dataclass(frozen=True)
class Place:
    """One entry: `view` is the name of its address, `part` the piece of the address that tells which list."""

    label: str
    icon: str
    view: str
    part: str = ""

    @property
    def url(self) -> str:
        return reverse(self.view, args=[self.part] if self.part else [])

    def holds(self, path: str, route: str) -> bool:
        """Whether the page at `path` belongs here: its address lies under this one, or its pattern is named in ALSO."""
        return path.startswith(self.url) or route.startswith(ALSO.get(self.part or self.view, NOTHING))


NOTHING: tuple[str, ...] = ()
ALSO: Mapping[str, tuple[str, ...]] = {
    "intake": ("cases/new/",),
    "reviews": ("pages/<int:pk>/review/",),
    "talks": ("cases/<str:number>/talk/",),
    "parcels": ("handovers/", "cases/<str:number>/pack/"),
    "originals": ("comparisons/",),
    "handbook": ("cases/<str:number>/example/",),
    "figures": ("ratings/",),
}
"""The patterns of pages that belong to a place and have their address elsewhere, by its view or its list."""

PLACES: Mapping[str, tuple[Place, ...]] = {
    Role.CLERK.value: (
        Place("收件", "intake", "worklist", "intake"),
        Place("未归类", "upload", "unsorted"),
        Place("核对", "eye", "reviews"),
        Place("在办", "running", "worklist", "running"),
        Place("容缺待补", "sheet", "worklist", "promised"),
        Place("消息", "inbox", "talks"),
        Place("期限", "attention", "deadlines"),
        Place("寄件", "parcel", "parcels"),
        Place("原件", "sheet", "originals"),
        Place("异常", "late", "incidents"),
        Place("已归结", "done", "worklist", "ended"),
        Place("问题反馈", "attention", "problems"),
        Place("知识手册", "directory", "handbook"),
        Place("指标", "chart", "figures"),
        Place("合作", "chain", "agreements"),
    ),
    Role.OFFICER.value: (
        Place("待预审", "review", "worklist", "pre-review"),
        Place("待审核", "stamp", "worklist", "review"),
        Place("消息", "inbox", "talks"),
        Place("待收件", "parcel", "parcels"),
        Place("原件", "sheet", "originals"),
        Place("异常", "late", "incidents"),
        Place("期限", "attention", "deadlines"),
        Place("已办", "done", "worklist", "decided"),
        Place("问题反馈", "attention", "problems"),
        Place("知识手册", "directory", "handbook"),
        Place("指标", "chart", "figures"),
        Place("合作", "chain", "agreements"),
    ),
    Role.FINANCE.value: (
        Place("对账", "balance", "statements"),
        Place("差异", "gap", "discrepancies"),
        Place("结算", "sheet", "settlements"),
        Place("资费", "tag", "tariffs"),
        Place("邮资政策", "directory", "policies"),
        Place("统计", "chart", "spending"),
    ),
    Role.ADMINISTRATOR.value: (
        Place("事项清单", "sheet", "catalogue"),
        Place("合作", "chain", "agreements"),
        Place("授权", "stamp", "grants"),
        Place("到期", "late", "expiring"),
        Place("期限", "attention", "deadline_counts"),
        Place("问题反馈", "attention", "problems"),
        Place("知识手册", "directory", "handbook"),
        Place("指标", "chart", "figures"),
        Place("工作日历", "done", "calendar"),
        Place("任务", "gear", "jobs"),
        Place("推送收件箱", "inbox", "webhook_inbox"),
        Place("承运商账户", "parcel", "carrier_accounts"),
        Place("平台推送", "moving", "platforms"),
        Place("邮资政策", "sheet", "policies"),
        Place("目录", "directory", "admin:index"),
    ),
    Role.AUDITOR.value: (Place("审计", "chain", "audit"), Place("期限", "attention", "deadline_counts")),
}


def places_of(role: str) -> tuple[Place, ...]:
    return PLACES.get(role, ())
