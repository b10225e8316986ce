"""How anybody checks the bundle with sha256sum, qpdf and openssl: every step in both languages, with its commands.

The commands are complete and carry this file's own numbers; the tests run exactly these.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dossier.bundle.evidence import Evidence, Signature

CHAIN_RULE = """previous=""
while IFS= read -r line; do
  entry=${line#*',"entry":'}; entry=${entry%\\}}
  hash=$(printf '%s%s' "$previous" "$entry" | sha256sum | cut -c1-64)
  case $line in
    "{\\"previous\\":\\"$previous\\",\\"hash\\":\\"$hash\\","*) previous=$hash ;;
    *) echo "BROKEN: $line"; exit 1 ;;
  esac
done < events.jsonl
echo "events: OK"
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guide tells of the dossier itself. `revisions` are (size in bytes, SHA-256) after each signature."""

    case_number: str
    version: int
    sha256: str
    revisions: tuple[tuple[int, str], ...]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to check."""

    key: str
    title: tuple[str, str]
    text: tuple[str, str]
    commands: str


def steps(facts: Facts, evidence: Evidence) -> tuple[Step, ...]:
    """In the order in which they are done; titles and texts are (Chinese, English)."""
    made = [_sums(), _trust(evidence), _structure(), _fields(evidence)]
    for signature in evidence.signatures:
        made.append(_bytes_of(signature))
        made += [_stamp(signature)] if signature.is_timestamp else list(_seal(signature, evidence))
    made += [_end(evidence), _events(), _file_in_log(facts)]
    return tuple(made)


def _sums() -> Step:
    return Step(
        "sums",
        ("文件齐全、与清单一致", "The files are those that were packed"),
        (
            "逐个核对校验值。这一步只防传输差错：能改文件的人也能改校验值，真正的证明在后面。",
            (
                "Compare the checksums. This finds accidents only: whoever can change a file can change its checksum too; "
                "the proof follows below."
            ),
        ),
        "mkdir -p work\nsha256sum -c SHA256SUMS",
    )


def _trust(evidence: Evidence) -> Step:
    lists = " revocation/crls.pem" if evidence.revocation_lists else ""
    return Step(
        "trust",
        ("根证书是不是您信任的", "Are these the roots that you trust?"),
        (
            (
                "下面列出包内根证书的指纹。请与行政服务中心公布的指纹核对：根证书如果不是从别处得到确认，"
                "后面的验证只说明文件前后一致，不说明是谁盖的章。然后把根证书和吊销列表放进一个文件备用。"
            ),
            (
                "The fingerprints of the roots in this bundle. Compare them with those that the service centre publishes: "
                "unless confirmed from elsewhere, the following shows that the file is consistent, not who sealed it. "
                "Then put roots and revocation lists into one file for use below."
            ),
        ),
        "openssl storeutl -noout -text -certs certificates/roots.pem | grep -E 'Subject:|Not After'\n"
        "openssl x509 -in certificates/roots.pem -noout -fingerprint -sha256\n"
        f"cat certificates/roots.pem{lists} > work/trust.pem",
    )


def _structure() -> Step:
    return Step(
        "structure",
        ("文件结构完好，清单就是文件里的清单", "The PDF is whole; the manifest is the one inside it"),
        (
            "清单逐页列出图像和内容的 SHA-256，见 manifest.json。",
            "The manifest lists the SHA-256 of every page's image and content, see manifest.json.",
        ),
        "qpdf --check dossier.pdf\n"
        "qpdf --show-attachment=manifest.json dossier.pdf > work/manifest.json\n"
        "cmp work/manifest.json manifest.json",
    )


def _fields(evidence: Evidence) -> Step:
    return Step(
        "fields",
        ("文件里有哪些签章", "Which signatures the file has"),
        (
            f"应有 {len(evidence.signatures)} 处签章和文件时间戳，每处的对象号见下列各步。",
            f"There should be {len(evidence.signatures)} signatures and document timestamps; their objects are named below.",
        ),
        "qpdf --json --json-key=acroform dossier.pdf > work/fields.json\n"
        + "\n".join(
            f'grep \'"value": "{item.object_number} 0 R"\' work/fields.json' for item in evidence.signatures
        )
        + f'\ntest "$(grep -c \'"value": "[0-9]* 0 R"\' work/fields.json)" = {len(evidence.signatures)}',
    )


def _bytes_of(signature: Signature) -> Step:
    number, (_, length, start, rest) = signature.number, signature.ranges
    what = ("文件时间戳", "document timestamp") if signature.is_timestamp else ("签章", "seal")
    ranges = " ".join(str(value) for value in signature.ranges)
    return Step(
        f"bytes-{number}",
        (
            f"第 {number} 处（{what[0]}）：取出签名和它覆盖的字节",
            f"No. {number} ({what[1]}): the signature and the bytes it covers",
        ),
        (
            f"签名在对象 {signature.object_number} 里。/ByteRange 说它覆盖文件的前 {signature.end} 字节，只除去签名本身所在的空隙。",
            (
                f"It lies in object {signature.object_number}. /ByteRange says that it covers the first {signature.end} bytes of "
                "the file, without the gap that holds the signature itself."
            ),
        ),
        f"qpdf --show-object={signature.object_number} dossier.pdf > work/{number}.txt\n"
        f"grep -q '/ByteRange \\[ {ranges} \\]' work/{number}.txt\n"
        f"hex=$(sed -n 's/.*\\/Contents <\\([0-9a-f]*\\)>.*/\\1/p' work/{number}.txt)\n"
        f'openssl asn1parse -genstr "FORMAT:HEX,OCT:$hex" -noout -out work/{number}.octets\n'
        f"tail -c +{_header_of(signature) + 1} work/{number}.octets | head -c {len(signature.content)} "
        f"| cmp - {signature.name}\n"
        f"head -c {length} dossier.pdf > work/{number}.bytes\n"
        f"tail -c +{start + 1} dossier.pdf | head -c {rest} >> work/{number}.bytes",
    )


def _header_of(signature: Signature) -> int:
    """Length of the DER header that openssl puts before the octets: tag, and length in short or long form."""
    _, gap_starts, gap_ends, _ = signature.ranges
    octets = (gap_ends - gap_starts - 2) // 2
    return 2 if octets < 128 else 2 + (octets.bit_length() + 7) // 8


def _seal(signature: Signature, evidence: Evidence) -> Iterator[Step]:
    number = signature.number
    revocation = " -crl_check_all" if evidence.revocation_lists and signature.checked_at else ""
    yield Step(
        f"seal-{number}",
        (
            f"第 {number} 处：“{signature.signer}”的签章有效",
            f"No. {number}: the seal of “{signature.signer}” holds",
        ),
        (
            "签名值、证书链"
            + ("、吊销状态" if revocation else "")
            + "一并验证，时间取上一层时间戳所证明的时刻。"
            "应显示 CMS Verification successful。",
            "Signature, chain"
            + (" and revocation" if revocation else "")
            + " are checked as of the time that the "
            "timestamp above proves. Expect: CMS Verification successful.",
        ),
        f"openssl cms -verify -binary -inform DER -in {signature.name} -content work/{number}.bytes \\\n"
        f"  -CAfile work/trust.pem -certfile certificates/chain.pem -purpose any{revocation}{_moment(signature.checked_at)} \\\n"
        f"  -out work/{number}.verified\n"
        f"cmp work/{number}.verified work/{number}.bytes",
    )
    if signature.token and signature.value:
        (token, token_length), (value, value_length) = signature.token, signature.value
        yield Step(
            f"time-{number}",
            (f"第 {number} 处：盖章时间有时间戳证明", f"No. {number}: a timestamp proves when it was sealed"),
            (
                "签章里带有对签名值的时间戳。应显示 Verification: OK。",
                "The seal carries a timestamp over its own value. Expect: Verification: OK.",
            ),
            f"tail -c +{token + 1} {signature.name} | head -c {token_length} | cmp - timestamps/{number}-signature.tst\n"
            f"tail -c +{value + 1} {signature.name} | head -c {value_length} > work/{number}.value\n"
            + _ask_stamp(f"timestamps/{number}-signature.tst", f"work/{number}.value", signature.checked_at)
            + f"\n{_print_time(f'timestamps/{number}-signature.tst')}",
        )


def _stamp(signature: Signature) -> Step:
    number = signature.number
    last = signature.checked_at is None
    return Step(
        f"stamp-{number}",
        (f"第 {number} 处：文件时间戳有效", f"No. {number}: the document timestamp holds"),
        (
            "应显示 Verification: OK。" + ("这是最新的时间戳，它的证书今天必须仍然有效。" if last else ""),
            "Expect: Verification: OK."
            + (" It is the newest one: its certificate must be good today." if last else ""),
        ),
        _ask_stamp(signature.name, f"work/{number}.bytes", signature.checked_at)
        + f"\n{_print_time(signature.name)}",
    )


def _ask_stamp(token: str, data: str, moment: datetime | None) -> str:
    return (
        f"openssl ts -verify -token_in -in {token} -data {data} \\\n"
        f"  -CAfile certificates/roots.pem -untrusted certificates/chain.pem{_moment(moment)}"
    )


def _print_time(token: str) -> str:
    return f"openssl ts -reply -token_in -token_out -in {token} -text | grep 'Time stamp:'"


def _moment(moment: datetime | None) -> str:
    return f" -attime {int(moment.timestamp())}" if moment else ""


def _end(evidence: Evidence) -> Step:
    last = evidence.signatures[-1]
    return Step(
        "end",
        ("最后一处签名之后没有别的内容", "Nothing follows the last signature"),
        (
            "最后一处覆盖的字节数应等于文件大小；否则末尾有不受保护的内容。",
            "What the last one covers must be the size of the file; otherwise its end is not protected.",
        ),
        f'test "$(wc -c < dossier.pdf | tr -d " ")" = {last.end}\n'
        f"grep -q '/ByteRange \\[ {' '.join(str(value) for value in last.ranges)} \\]' work/{last.number}.txt",
    )


def _events() -> Step:
    return Step(
        "events",
        ("办件经过没有被改动", "The log of the case was not changed"),
        (
            (
                "events.jsonl 每行一件事。规则：本行 hash = SHA-256（上一行 hash 的 64 个字符 + 本行 entry 后的原文）；第一行之前为空。"
                "改动、删除或插入任何一行，其后的每一行都对不上。"
            ),
            (
                "events.jsonl holds one event a line. The rule: hash = SHA-256 of the 64 characters of the hash before (nothing "
                "for the first line) followed by the text of entry as it stands. Whoever changes, removes or inserts a line "
                "breaks every line after it."
            ),
        ),
        CHAIN_RULE.strip(),
    )


def _file_in_log(facts: Facts) -> Step:
    lines = []
    for size, digest in facts.revisions:
        lines.append(f'test "$(head -c {size} dossier.pdf | sha256sum | cut -c1-64)" = {digest}')
        lines.append(f'grep -q \'"sha256":"{digest}"\' events.jsonl')
    return Step(
        "file-in-log",
        ("办件经过里记着这份文件", "The log knows this file"),
        (
            "每次盖章后文件的 SHA-256 都记在经过里；后来的签章只在末尾追加，所以文件的前若干字节就是当时的文件。",
            (
                "The SHA-256 of the file after each signature stands in the log. Later signatures only append, so the first "
                "bytes of the file are the file as it was then."
            ),
        ),
        "\n".join(lines),
    )
