"""Is this file whole, sealed, unchanged, and the one that it claims to be? A plain verdict with the reason."""

import asyncio
import logging
from datetime import datetime
from pathlib import Path

import pikepdf
from pyhanko.pdf_utils.misc import PdfError

from dossier.trust import Trust
from dossier.verify.bytes import differences, malformations, measure
from dossier.verify.pages import ManifestReport, compare
from dossier.verify.seals import examine
from dossier.verify.verdict import Expected, Finding, Status, Verdict

__all__ = ["Expected", "Finding", "Status", "Verdict", "verify"]

# pyHanko logs certificate names with every failed path; the verdict says what people need to know.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)

UNREADABLE = "文件损坏或被改写，无法作为 PDF 读取。"


def verify(path: Path, *, trust: Trust, moment: datetime, expected: Expected | None = None) -> Verdict:
    """Judge the file at `path` as of `moment` (aware). Never raises for what the file contains.

    `expected` is what was recorded outside the file: without it a file cut back to an earlier signature can only
    be recognised when its own manifest promises more. Parse files from strangers with
    `dossier.verify.child.verify_foreign`, which does the same inside limits.
    """
    sha256, size = measure(path)
    expected = expected or Expected()
    details: list[str] = []
    findings: list[Finding] = []
    reasons = differences(expected, sha256=sha256, size=size) + malformations(path)
    try:
        with path.open("rb") as file:
            findings = asyncio.run(examine(file, trust=trust, moment=moment))
    except Exception as error:  # noqa: BLE001  # a hostile file makes the parser raise anything; the reason is kept in `details`
        details.append(_named(error))
        reasons.append(_unreadable(error))
    report = ManifestReport()
    try:
        report = compare(path)
    except Exception as error:  # noqa: BLE001  # as above, with the other parser
        details.append(_named(error))
        reasons.append(UNREADABLE)
    reasons += [f"{_place(finding)}{problem}。" for finding in findings for problem in finding.problems]
    reasons += [f"{problem}。" for problem in report.problems]
    reasons += _broken_promises(expected, findings, report)
    return Verdict(
        status=_status(findings, reasons),
        reasons=tuple(dict.fromkeys(reasons)) or _weaker(findings),
        findings=tuple(findings),
        manifest=report.state,
        sha256=sha256,
        size=size,
        signature_count=len(findings),
        case_number=report.case_number,
        details=tuple(details),
    )


def _status(findings: list[Finding], reasons: list[str]) -> Status:
    if reasons:
        return Status.INVALID
    if not any(finding.kind == "seal" for finding in findings):
        return Status.UNSIGNED
    return Status.VALID if all(finding.trusted for finding in findings) else Status.UNTRUSTED


def _weaker(findings: list[Finding]) -> tuple[str, ...]:
    """Why a file without faults is still not valid."""
    if not any(finding.kind == "seal" for finding in findings):
        return ("文件里没有签章。",)
    return tuple(f"{_place(item)}签章人“{item.signer}”未受信任。" for item in findings if not item.trusted)


def _broken_promises(expected: Expected, findings: list[Finding], report: ManifestReport) -> list[str]:
    reasons = []
    if expected.signature_count is not None and len(findings) != expected.signature_count:
        reasons.append(f"存档记录有 {expected.signature_count} 处签章和时间戳，文件只有 {len(findings)} 处。")
    if expected.case_number is not None and report.case_number != expected.case_number:
        reasons.append("这不是本办件的卷宗：办件编号不一致。")
    if report.level == "B-LTA" and findings and not any(finding.kind == "timestamp" for finding in findings):
        reasons.append("卷宗应有文件时间戳而没有：文件被截回到较早的状态。")
    return reasons


def _place(finding: Finding) -> str:
    return "文件时间戳：" if finding.kind == "timestamp" else f"签章 {finding.field}："


def _unreadable(error: Exception) -> str:
    if isinstance(error, PdfError | pikepdf.PdfError):
        return UNREADABLE
    return "签章结构不合规范或证书缺失，无法验证。"


def _named(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__}"
