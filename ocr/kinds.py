"""Tells from its text which row of a checklist a page belongs to. Suggests; a person decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ocr.fields.view import narrow
from ocr.lines import Line

ENOUGH = 3.0
MARGIN = 1.0
"""A row is suggested from this score on, and when it leads the next one by this much."""

TITLE, NAMED, TOLD = 4.0, 0.5, 1.0
"""What the row's name as a heading is worth, the name elsewhere, and each telltale word."""

MOST_TELLTALES = 4
TITLE_ROWS = 0.35
"""Headings stand in this upper part of the page's rows, or in its first five rows."""

FIRST_ROWS = 5


@dataclass(frozen=True, slots=True)
class PaperKind:
    """A kind of paper: what checklists call it, and words that are printed on it and seldom on others."""

    called: re.Pattern[str]
    telltales: tuple[str, ...]


KINDS = (
    PaperKind(
        re.compile("身份证"),
        (
            "公民身份号码",
            "签发机关",
            "有效期限",
            "居民身份证",
            "中华人民共和国居民身份证",
            "住址",
            "民族",
            "出生",
        ),
    ),
    PaperKind(
        re.compile("营业执照"),
        ("营业执照", "经营范围", "登记机关", "注册资本", "成立日期", "营业期限", "国家市场监督管理总局监制"),
    ),
    PaperKind(
        re.compile("户口[簿本]"),
        (
            "户口簿",
            "常住人口登记卡",
            "户主",
            "户别",
            "户号",
            "与户主关系",
            "户主或与户主",
            "承办人签章",
            "曾用名",
        ),
    ),
    PaperKind(
        re.compile("结婚证"),
        ("结婚证", "结婚证字号", "持证人", "登记日期", "婚姻登记", "符合《中华人民共和国"),
    ),
    PaperKind(
        re.compile("不动产权|房产证|房屋所有权证|产权证"),
        ("不动产权证书", "不动产权第", "权利人", "权利类型", "不动产单元号", "坐落", "共有情况", "使用期限"),
    ),
    PaperKind(
        re.compile("申请表|申请书|登记表|备案表|申领表"),
        ("申请人", "申请事项", "申请日期", "申请人签字", "申请人承诺", "申请单位", "申请企业", "申请理由"),
    ),
    PaperKind(
        re.compile("委托书"),
        (
            "授权委托书",
            "委托人",
            "受托人",
            "委托事项",
            "委托权限",
            "代理权限",
            "委托期限",
            "特此委托",
            "特委托",
        ),
    ),
    PaperKind(
        re.compile("资质证书"),
        ("资质证书", "资质类别", "资质等级", "资质类别及等级", "发证机关", "证书编号", "有效期至"),
    ),
    PaperKind(re.compile("说明"), ("情况说明", "特此说明", "说明如下", "情况如下")),
    PaperKind(re.compile("社会保障卡|社保卡"), ("社会保障卡", "社会保障号码", "社会保障号", "发卡日期")),
    PaperKind(
        re.compile("票据|发票"),
        ("收费票据", "票据代码", "票据号码", "电子票据", "收款单位", "金额合计", "统筹基金"),
    ),
    PaperKind(re.compile("出院"), ("出院记录", "出院小结", "入院日期", "出院日期", "出院诊断", "出院医嘱")),
    PaperKind(re.compile("工伤认定"), ("工伤认定决定书", "工伤认定", "受伤害职工", "用人单位")),
    PaperKind(re.compile("离婚协议"), ("离婚协议书", "自愿离婚", "子女抚养", "财产分割", "财产处理")),
    PaperKind(re.compile("声明书"), ("声明书", "本人声明", "声明人", "结婚登记声明书")),
    PaperKind(
        re.compile("住址证明|居住证明|租赁合同"),
        ("居住证明", "住所证明", "租赁合同", "出租人", "承租人", "租赁期限", "兹证明"),
    ),
)

ADDED = re.compile(r"\(.*?\)|（.*?）|复印件|原件|扫描件|正本|副本|及其?|居民|企业|建筑业|[\s、/]")
"""What checklists add to a paper's name and the paper itself does not print, or prints otherwise."""


TRAILING = re.compile(r"(?:\(.*?\)|[:。])+$")
"""What may follow a heading's name: “营业执照(副本)”."""


def suggest(names: Sequence[str], lines: Iterable[Line]) -> int | None:
    """Return the index of the checklist row whose name fits the page; None where none does clearly."""
    rows = _rows(lines)
    if not rows or not names:
        return None
    scores = [_score(name, rows) for name in names]
    best = max(range(len(names)), key=lambda index: scores[index])
    others = [score for index, score in enumerate(scores) if index != best]
    leads = scores[best] - max(others, default=0.0)
    return best if scores[best] >= ENOUGH and leads >= MARGIN else None


def _score(name: str, rows: Sequence[str]) -> float:
    core = ADDED.sub("", narrow(name))
    top = rows[: max(FIRST_ROWS, int(len(rows) * TITLE_ROWS))]
    score = 0.0
    if len(core) >= 2:
        titled = any(TRAILING.sub("", row).endswith(core) for row in top)
        score += TITLE if titled else NAMED if any(core in row for row in rows) else 0.0
    kind = next((kind for kind in KINDS if kind.called.search(name)), None)
    if kind is not None:
        found = sum(any(word in row for row in rows) for word in kind.telltales)
        score += TOLD * min(found, MOST_TELLTALES)
    return score


def _rows(lines: Iterable[Line]) -> list[str]:
    rows: dict[int, str] = {}
    for line in lines:
        if not line.seal and line.text:
            rows[line.row] = rows.get(line.row, "") + "".join(narrow(line.text).split())
    return list(rows.values())
