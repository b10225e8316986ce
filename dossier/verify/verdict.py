"""What verification says, for people and for programs."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Status(StrEnum):
    """`VALID`: whole, sealed by someone trusted, unchanged. `UNTRUSTED`: whole and unchanged, but the signer does
    not chain to a trusted root. `INVALID`: changed, incomplete or not what it should be. `UNSIGNED`: no signature."""

    VALID = "valid"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    UNSIGNED = "unsigned"


HEADLINES = {
    Status.VALID: "有效：印章可信，文件完整，盖章后未被改动。",
    Status.UNTRUSTED: "不能确认：文件完整且未被改动，但签章人不在受信任的机构之列。",
    Status.INVALID: "无效：不可作为依据。",
    Status.UNSIGNED: "没有签章：无法证明来源。",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What is kept outside the file; None where nobody kept it."""

    sha256: str | None = None
    size: int | None = None
    signature_count: int | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One signature or document timestamp, in file order. Times are aware; `problems` are Chinese sentences."""

    field: str
    kind: str
    signer: str
    signed_at: datetime | None
    time_proven: bool
    level: str
    intact: bool
    trusted: bool
    certificate_ends: datetime | None = None
    problems: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        when = (
            self.signed_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
            if self.signed_at
            else "时间不明"
        )
        proof = "（时间戳证明）" if self.time_proven else "（自称时间）" if self.signed_at else ""
        name = "文件时间戳" if self.kind == "timestamp" else f"签章 {self.field}"
        outcome = "；".join(self.problems) or ("有效" if self.trusted else "完整，签章人未受信任")
        return f"{name}：{self.signer}，{when}{proof}，{self.level}：{outcome}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: a status, the reasons in words (never empty when not valid), and what was found."""

    status: Status
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    manifest: str = ""
    sha256: str = ""
    size: int = 0
    signature_count: int = 0
    case_number: str = ""
    details: tuple[str, ...] = field(default=())

    @property
    def is_valid(self) -> bool:
        return self.status is Status.VALID

    @property
    def headline(self) -> str:
        return HEADLINES[self.status]

    @property
    def stamp_ends_at(self) -> datetime | None:
        """When the certificate of the newest document timestamp expires: a new one is due before."""
        ends = [item.certificate_ends for item in self.findings if item.kind == "timestamp"]
        return ends[-1] if ends else None

    def as_json(self) -> dict[str, object]:
        plain = asdict(self)
        plain["status"] = str(self.status)
        plain["valid"] = self.is_valid
        plain["headline"] = self.headline
        for item in plain["findings"]:
            for key in ("signed_at", "certificate_ends"):
                item[key] = item[key].isoformat() if item[key] else None
        return plain


def verdict_from_json(plain: dict[str, Any]) -> Verdict:
    """The inverse of `Verdict.as_json`, for answers that crossed a process border."""
    values = {key: value for key, value in plain.items() if key not in ("valid", "headline")}
    return Verdict(
        status=Status(values.pop("status")),
        findings=tuple(_finding(item) for item in values.pop("findings")),
        reasons=tuple(values.pop("reasons")),
        details=tuple(values.pop("details")),
        **values,
    )


def _finding(plain: dict[str, Any]) -> Finding:
    signed_at, ends = plain.pop("signed_at"), plain.pop("certificate_ends")
    problems = plain.pop("problems")
    return Finding(
        signed_at=datetime.fromisoformat(signed_at) if signed_at else None,
        certificate_ends=datetime.fromisoformat(ends) if ends else None,
        problems=tuple(problems),
        **plain,
    )
