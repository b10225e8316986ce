"""The words of the trade as enumerations: an English value in code and rows, a Chinese label on screen."""

from enum import Enum
from typing import Self


class Term(str, Enum):
    """An enumeration of strings whose members carry the label that people read."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(member.value, member.label) for member in cls]

    @classmethod
    def values(cls) -> list[str]:
        return [member.value for member in cls]


class Level(Term):
    PROVINCE = "province", "省级"
    CITY = "city", "市级"
    COUNTY = "county", "县级"
    TOWN = "town", "镇街"


class Scope(Term):
    """How far apart intake and decision may lie."""

    CROSS_PROVINCE = "cross_province", "跨省通办"
    PROVINCE = "province", "全省通办"
    CITY = "city", "全市（全域）通办"
    COUNTY = "county", "县域通办"


class Mode(Term):
    """The four ways of putian §四."""

    ONLINE = "online", "全程网办"
    WINDOW_ACCEPT = "window_accept", "受审分离"
    WINDOW_FORWARD = "window_forward", "收受分离"
    JOINT = "joint", "多地联办"


class Right(Term):
    """What offices entrust to windows (putian §五(六))."""

    ACCEPT = "accept", "异地收件受理权"
    NOTIFY = "notify", "一次性告知权"
    VERIFY_ORIGINAL = "verify_original", "原件核验权"
    DELIVER = "deliver", "审批结果送达权"


class Role(Term):
    CLERK = "clerk", "窗口人员"
    OFFICER = "officer", "审批人员"
    FINANCE = "finance", "财务"
    ADMINISTRATOR = "administrator", "管理员"
    AUDITOR = "auditor", "审计"
    INTEGRATION = "integration", "系统对接"


class Delivery(Term):
    """How the applicant wants the result (taizhou-2021 §三)."""

    MAIL = "mail", "邮寄"
    WINDOW = "window", "窗口领取"
    ELECTRONIC = "electronic", "电子送达"
