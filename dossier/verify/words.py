"""A verdict as a citizen reads it: may I rely on this paper, who sealed it and when, and what do I do now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from dossier.contents import OFFICE_RECEIPT, RESULT, WINDOW_SEAL
from dossier.verify.verdict import Finding, Status, Verdict

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEEDS = {WINDOW_SEAL: "收件并盖章", OFFICE_RECEIPT: "签收", RESULT: "盖章确认办理结果"}


class Standing(StrEnum):
    """How the file relates to what this installation keeps."""

    CURRENT = "current"
    EARLIER = "earlier"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """`may_rely` picks the colour; `title` is the answer, `sentences` the grounds, `advice` what to do next."""

    title: str
    sentences: tuple[str, ...]
    advice: str
    may_rely: bool = False


def in_plain_words(verdict: Verdict, standing: Standing) -> Answer:
    """No technical word, nothing about the case beyond what stands in the uploaded file itself."""
    match verdict.status:
        case Status.VALID:
            return _good(verdict, standing)
        case Status.UNTRUSTED:
            return Answer(
                "不能确认这份文件是谁盖的章。",
                ("文件从盖章以后没有被改动，但盖章的人或机构不在本系统信任的名单里。",),
                "请向文件上写明的单位核实，核实之前不要作为依据。",
            )
        case Status.UNSIGNED:
            return Answer(
                "这份文件没有电子印章。",
                ("没有印章就无法证明它从哪里来、有没有被改动。打印件的扫描件和加注的副本也属于这种情况。",),
                "请向出具单位索取盖有电子印章的原文件。",
            )
        case _:
            return Answer(
                "不要使用这份文件：它被改动过、不完整，或者不是应有的样子。",
                verdict.reasons,
                "请向出具单位重新索取原文件；如果文件是他人交给您的，请把这一情况告诉出具单位。",
            )


def _good(verdict: Verdict, standing: Standing) -> Answer:
    sentences = [_deed(finding) for finding in verdict.findings if finding.kind == "seal"]
    sentences.append("从那以后，文件没有被改动。")
    if verdict.case_number:
        sentences.append(f"这是办件 {verdict.case_number} 的卷宗，每一页都与卷宗清单一致。")
    if standing is Standing.EARLIER:
        sentences.append("本系统存有这份文件，但之后又加盖了签章或续加了时间戳：这是较早的一份。")
        return Answer(
            "文件是真的，但不是最新的一份。",
            tuple(sentences),
            "需要最新的一份，请向审批部门索取。",
            may_rely=True,
        )
    if standing is Standing.CURRENT:
        sentences.append("与本系统存档的文件逐字节相同。")
        return Answer("可以相信这份文件。", tuple(sentences), "", may_rely=True)
    sentences.append("本系统没有存过这份文件，所以不能排除后来的签章被截去。")
    return Answer(
        "印章有效，文件没有被改动。",
        tuple(sentences),
        "如果用于重要事项，请再向盖章单位核实。",
        may_rely=True,
    )


def _deed(finding: Finding) -> str:
    return (
        f"{_day(finding.signed_at)}，“{finding.signer}”{DEEDS.get(finding.field, '盖章')}{_proof(finding)}。"
    )


def _day(moment: datetime | None) -> str:
    if moment is None:
        return "时间不明"
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _proof(finding: Finding) -> str:
    return "，时间有时间戳为证" if finding.time_proven else "，时间是盖章人自己写的"
