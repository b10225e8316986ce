"""docs/traceability.md: each sentence of the five notices that prescribes behaviour, and the tests that prove it."""

import json
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "docs" / "traceability.json"
NOTICES = {
    "putian": "莆田市关于深入推行政务服务全域通办改革的通知（2021-04-21）",
    "taizhou-2021": "台建〔2021〕40号 台州市住建系统政务服务跨区域通办工作方案",
    "taizhou-2023": "台州市构建“一地签约、全市共享”机制工作方案（征求意见稿，2023）",
    "zhuji": "诸政办发〔2021〕12号 诸暨市推进政务服务“跨省通办”“全省通办”工作方案",
    "zaozhuang": "市中政办发〔2021〕7号 枣庄市市中区“跨省通办”和“全省通办”实施方案",
}
HEAD = """\
# Which test proves which sentence

One table for each notice. A row is met when it names tests and says nothing is open; it is met in part when both are
there, and not met when it only says what is open. The rows are kept in `traceability.json`; a test checks that every
named test exists and that no row is without an answer. Duties of organisation (meetings, training, publicity) are not
rows: no program keeps them.
"""


@dataclass(frozen=True)
class Sentence:
    """`says` quotes the notice; `tests` are node ids; `open` says what is missing, empty when nothing is."""

    notice: str
    paragraph: str
    says: str
    tests: tuple[str, ...]
    open: str

    @property
    def standing(self) -> str:
        if not self.open:
            return "met"
        return "in part" if self.tests else "not met"


def sentences() -> list[Sentence]:
    rows = json.loads(DATA.read_text(encoding="utf-8"))
    return [
        Sentence(row["notice"], row["paragraph"], row["says"], tuple(row["tests"]), row["open"])
        for row in rows
    ]


def traceability_page() -> str:
    rows = sentences()
    counts = {name: sum(row.standing == name for row in rows) for name in ("met", "in part", "not met")}
    summary = (
        f"{len(rows)} sentences: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + "."
    )
    parts = [HEAD, summary]
    for notice, title in NOTICES.items():
        table = ["| paragraph | sentence | standing | proved by | open |", "|---|---|---|---|---|"]
        table += [
            f"| §{row.paragraph} | {row.says} | {row.standing} | "
            f"{'<br>'.join(f'`{test}`' for test in row.tests)} | {row.open} |"
            for row in rows
            if row.notice == notice
        ]
        parts.append(f"## {notice}\n\n{title}\n\n" + "\n".join(table))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
