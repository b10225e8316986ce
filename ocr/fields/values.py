"""What a found field is: its kind, what was read, where, how surely, and what its check digit says."""

from dataclasses import dataclass
from typing import Any

from ocr.lines import Box
from registry.terms import Term

SURE = 0.9
"""A field is certain when the least sure of its characters has at least this confidence."""


class Kind(Term):
    """Kinds of fields."""

    IDENTITY_NUMBER = "identity_number", "公民身份号码"
    CREDIT_CODE = "credit_code", "统一社会信用代码"
    PHONE = "phone", "电话"
    DATE = "date", "日期"
    NAME = "name", "姓名或名称"
    CERTIFICATE_NUMBER = "certificate_number", "证照编号"


class Check(Term):
    """What a check digit (or a calendar) says of a value."""

    PASSED = "passed", "校验通过"
    FAILED = "failed", "校验未通过"
    NONE = "none", "无校验位"


@dataclass(frozen=True, slots=True)
class Field:
    """One value on a page.

    `value` is normalised (digits, capitals, ISO dates), `text` is what stands there. `line`, `start` and `end` count
    lines of the page and characters of that line; `box` is in stored pixels. `suggestion` is a value that would pass
    the check and differs in one easily confused character; it is for a person to take or leave.
    """

    kind: Kind
    value: str
    text: str
    label: str
    line: int
    start: int
    end: int
    box: Box
    confidence: float
    check: Check = Check.NONE
    suggestion: str = ""

    @property
    def certain(self) -> bool:
        """Whether nobody needs to look: read surely, and not refuted by its own check digit."""
        return self.confidence >= SURE and self.check != Check.FAILED

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "kind": self.kind.value,
            "value": self.value,
            "text": self.text,
            "label": self.label,
            "line": self.line,
            "span": [self.start, self.end],
            "box": [[round(x, 1), round(y, 1)] for x, y in self.box],
            "confidence": round(self.confidence, 4),
            "check": self.check.value,
            "certain": self.certain,
            "suggestion": self.suggestion,
        }
