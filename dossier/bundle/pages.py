"""The guide as a page to read: Markdown for a terminal, HTML for a browser."""

from collections.abc import Sequence
from html import escape

from dossier.bundle.guide import Facts, Step
from registry.time import to_the_minute

TITLE = ("如何自行核验这份卷宗", "How to verify this dossier yourself")
NEEDS = (
    (
        "需要：sha256sum、qpdf 11 以上、openssl 3。在解压后的文件夹里用 sh 依次执行；每一步都应成功（返回 0）。"
        "不需要本系统，也不需要网络。"
    ),
    (
        "You need sha256sum, qpdf 11 or newer and openssl 3. Run the steps in order with sh in the unpacked folder; every "
        "step must succeed (exit 0). Neither our system nor a network is needed."
    ),
)
LISTING = (
    ("dossier.pdf", "卷宗原件，字节未动", "the dossier as kept, byte for byte"),
    ("manifest.json", "卷宗清单：每页的校验值与来源", "every page's digest and source"),
    (
        "events.jsonl",
        "办件经过及其哈希链，不含个人信息",
        "the log of the case with its hash chain, no personal data",
    ),
    ("certificates/", "根证书与证书链", "roots and the chain"),
    ("revocation/", "当时的吊销列表与 OCSP 应答", "revocation lists and OCSP answers of the time"),
    ("signatures/", "签章（CMS）", "seals (CMS)"),
    ("timestamps/", "时间戳（RFC 3161）", "timestamps (RFC 3161)"),
    ("SHA256SUMS", "以上各项的校验值", "checksums of all of these"),
)
STYLE = (
    "body{font:16px/1.7 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;max-width:60em;margin:32px auto;"
    "padding:0 16px}pre{background:#f3f5f5;border:1px solid #d5dbdb;border-radius:6px;padding:12px;overflow-x:auto;"
    "font-size:13px;line-height:1.5}[lang=en]{color:#4d5a5a}h2{font-size:20px;margin-top:32px}"
    "td{padding:2px 16px 2px 0;vertical-align:top}"
)


def markdown_page(steps: Sequence[Step], facts: Facts) -> str:
    parts = [f"# {TITLE[0]}\n\n{TITLE[1]}\n", _about(facts), "", *NEEDS, ""]
    parts += [f"- `{name}` {chinese} / {english}" for name, chinese, english in LISTING]
    for number, step in enumerate(steps, 1):
        parts += [
            f"\n## {number}. {step.title[0]}\n",
            f"{step.title[1]}\n",
            step.text[0],
            "",
            step.text[1],
            "",
        ]
        parts += [f"```sh\n{step.commands}\n```"]
    return "\n".join(parts) + "\n"


def html_page(steps: Sequence[Step], facts: Facts) -> str:
    rows = "".join(
        f"<tr><td><code>{name}</code></td><td>{chinese}<br><span lang=en>{english}</span></td></tr>"
        for name, chinese, english in LISTING
    )
    parts = [
        f"<!doctype html><html lang=zh-Hans><meta charset=utf-8><title>{TITLE[0]}</title><style>{STYLE}</style>",
        f"<h1>{TITLE[0]}</h1><p lang=en>{TITLE[1]}</p><p>{escape(_about(facts))}</p>",
        f"<p>{NEEDS[0]}</p><p lang=en>{NEEDS[1]}</p><table>{rows}</table>",
    ]
    for number, step in enumerate(steps, 1):
        parts.append(
            f"<h2>{number}. {escape(step.title[0])}</h2><p lang=en>{escape(step.title[1])}</p><p>{escape(step.text[0])}</p>"
            f"<p lang=en>{escape(step.text[1])}</p><pre>{escape(step.commands)}</pre>"
        )
    return "\n".join(parts) + "\n"


def _about(facts: Facts) -> str:
    return (
        f"办件 {facts.case_number} 卷宗第 {facts.version} 版 / case {facts.case_number}, dossier version {facts.version}; "
        f"SHA-256 {facts.sha256}; {to_the_minute(facts.made_at)} (Asia/Shanghai)"
    )
