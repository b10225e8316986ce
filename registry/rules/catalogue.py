"""事项清单: what one version of an item says, when a new version may begin, and how two versions differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta

from registry.rules.questionnaire import Point
from registry.terms import Mode, Scope
from storage.errors import Refused


@dataclass(frozen=True)
class Responsible:
    """The office that decides in its region, and the one person to ask there (taizhou-2021 §四(三))."""

    office: str
    contact: str
    phone: str


@dataclass(frozen=True)
class Paper:
    """One row of the checklist."""

    name: str
    original: bool
    mailed: bool
    minimum_pages: int
    required: bool
    deferrable: bool
    shared_data: bool
    validity_rule: str
    expected_fields: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One version of an item, whole."""

    code: str
    name: str
    region: str
    scope: str
    batch: str
    lead_department: str
    scenario: str
    effective_from: date
    effective_to: date | None
    negative: bool
    modes: tuple[str, ...]
    stars: int
    unified_platform: bool
    promised_days: int
    source: str
    offices: tuple[Responsible, ...]
    papers: tuple[Paper, ...]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Difference:
    """One thing that two versions say differently; empty text where one says nothing."""

    part: str
    what: str
    before: str
    after: str


LABELS: Mapping[str, str] = {
    "name": "事项名称",
    "region": "清单所属区划",
    "scope": "通办范围",
    "batch": "批次",
    "lead_department": "牵头单位",
    "scenario": "应用场景",
    "effective_from": "生效日期",
    "effective_to": "失效日期",
    "negative": "负面清单",
    "modes": "办理模式",
    "stars": "网办星级",
    "unified_platform": "统一平台",
    "promised_days": "承诺时限（工作日）",
    "source": "依据",
}
FIELD_WORDS: Mapping[str, str] = {
    "name": "姓名或名称",
    "id_number": "公民身份号码",
    "uscc": "统一社会信用代码",
    "phone": "联系电话",
}
_NOT_CONTENT = {"effective_from", "effective_to", "offices"}


def same_content(old: Entry, new: Entry) -> bool:
    """Whether a new version would say nothing new. Dates and contacts are kept on the version that is there."""
    return [row.office for row in old.offices] == [row.office for row in new.offices] and all(
        getattr(old, field.name) == getattr(new, field.name)
        for field in fields(Entry)
        if field.name not in _NOT_CONTENT
    )


def check_entry(entry: Entry) -> None:
    """What every version must have: 标准统一、材料明晰、流程一致, and one contact for each office (taizhou-2021 §四(三))."""
    if entry.effective_to and entry.effective_to < entry.effective_from:
        raise Refused("dates", "失效日期早于生效日期。")
    if not entry.offices:
        raise Refused("no_office", "没有责任部门，请在“责任部门”表中补上。")
    if bare := [row.office for row in entry.offices if not (row.contact and row.phone)]:
        raise Refused("no_contact", f"责任部门缺联络员或电话（一事项一联络员）：{'、'.join(bare)}。")
    if len({row.office for row in entry.offices}) != len(entry.offices):
        raise Refused("office_twice", "同一责任部门出现了两次，一个部门一名联络员。")


def check_succeeds(latest: Entry, new: Entry) -> None:
    """动态公布: a new version begins after the one it replaces, so that every day has one version (taizhou-2021 §四(三))."""
    if new.effective_from <= latest.effective_from:
        raise Refused(
            "version_dates",
            f"内容有变化，生效日期须晚于现行版本的 {latest.effective_from:%Y-%m-%d}。",
        )


def last_day_before(new: Entry, latest: Entry) -> date:
    """When the version that is replaced ends: the day before, or earlier if it had ended already."""
    before = new.effective_from - timedelta(days=1)
    return min(before, latest.effective_to) if latest.effective_to else before


def differences(old: Entry, new: Entry) -> list[Difference]:
    """Everything that two versions of an item say differently, in the order of the guide page."""
    found = [
        Difference("事项", label, _shown(name, getattr(old, name)), _shown(name, getattr(new, name)))
        for name, label in LABELS.items()
        if getattr(old, name) != getattr(new, name)
    ]
    found += _rows(
        "责任部门",
        {row.office: _contact(row) for row in old.offices},
        {row.office: _contact(row) for row in new.offices},
    )
    found += _rows("材料", _papers(old.papers), _papers(new.papers))
    found += _rows(
        "审查要点",
        {point.code: f"{point.question}（应答{yes_word(point.expect)}）" for point in old.points},
        {point.code: f"{point.question}（应答{yes_word(point.expect)}）" for point in new.points},
    )
    return found


def _contact(row: Responsible) -> str:
    return f"联络员 {row.contact} {row.phone}" if row.contact else "未登记联络员"


def _rows(part: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(part, key, old.get(key, ""), new.get(key, ""))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def _papers(papers: Iterable[Paper]) -> dict[str, str]:
    return {paper.name: paper_in_words(paper) for paper in papers}


def paper_in_words(paper: Paper) -> str:
    """原件，须寄送，至少 2 页，…"""
    words = ["原件" if paper.original else "复印件", f"至少 {paper.minimum_pages} 页"]
    words += ["须寄送"] if paper.mailed else []
    words += [] if paper.required else ["非必要"]
    words += ["可容缺"] if paper.deferrable else []
    words += ["可数据共享核验，不再要求提交"] if paper.shared_data else []
    words += [paper.validity_rule] if paper.validity_rule else []
    words += (
        [f"应含{'、'.join(FIELD_WORDS.get(name, name) for name in paper.expected_fields)}"]
        if paper.expected_fields
        else []
    )
    return "，".join(words)


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return yes_word(value)
    if name == "scope":
        return Scope(str(value)).label
    if isinstance(value, tuple):
        return "、".join(Mode(mode).label for mode in value)
    return str(value)


def yes_word(value: bool) -> str:
    """As it is read on screen and in the sheets of the catalogue."""
    return "是" if value else "否"
