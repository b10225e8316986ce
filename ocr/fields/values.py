"""What a found field is: its kind, what was read, where, how surely, and what its check digit says."""

from dataclasses import dataclass, replace
from typing import Any, Self

from ocr.lines import Box, as_box
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
    BLANK_SIGNATURE = "blank_signature", "签字或盖章处"


CRITICAL = frozenset({Kind.IDENTITY_NUMBER, Kind.CREDIT_CODE, Kind.CERTIFICATE_NUMBER})
"""Numbers by which a person, a firm or a right is known: read a second time when the first reading is in doubt."""


class Check(Term):
    """What a check digit (or a calendar) says of a value."""

    PASSED = "passed", "校验通过"
    FAILED = "failed", "校验未通过"
    NONE = "none", "无校验位"


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What another engine read in the cut-out of a field; `value` is normalised like the field's own."""

    engine: str
    engine_version: str
    value: str
    confidence: float
    check: Check

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "engine": self.engine,
            "engine_version": self.engine_version,
            "value": self.value,
            "confidence": round(self.confidence, 4),
            "check": self.check.value,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Rebuild what `to_json` gave."""
        return cls(**(value | {"check": Check(value["check"])}))


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
    second: SecondReading | None = None

    @property
    def certain(self) -> bool:
        """Whether nobody needs to look: read surely, or alike by two engines, and never refuted by its check digit."""
        if self.check == Check.FAILED:
            return False
        return self.confidence >= SURE if self.second is None else self.second.value == self.value

    @property
    def doubtful(self) -> bool:
        """Whether another engine should read it, too: a number that matters and was not read surely."""
        return self.kind in CRITICAL and (self.confidence < SURE or self.check == Check.FAILED)

    def read_again(self, second: SecondReading) -> "Field":
        """Return the field with the other engine's reading beside its own, which stays."""
        return replace(self, second=second)

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
            "second": self.second.to_json() if self.second else None,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Rebuild what `to_json` gave; readings kept before there were second ones have none."""
        start, end = value["span"]
        second = value.get("second")
        return cls(
            Kind(value["kind"]),
            value["value"],
            value["text"],
            value["label"],
            value["line"],
            start,
            end,
            as_box(value["box"]),
            value["confidence"],
            Check(value["check"]),
            value["suggestion"],
            SecondReading.from_json(second) if second else None,
        )
