"""Verification of a stranger's file in a process of its own, with little memory and little time."""

import json
import os
import resource
import subprocess
import sys
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dossier.trust import Trust
from dossier.verify import Status, Verdict, verify
from dossier.verify.bytes import measure
from dossier.verify.verdict import Expected, verdict_from_json

MEMORY = 1 << 30
CPU_SECONDS = 60
ROOT = Path(__file__).resolve().parent.parent.parent


def verify_foreign(
    path: Path,
    *,
    trust: Trust,
    moment: datetime,
    expected: Expected | None = None,
    memory: int = MEMORY,
    cpu_seconds: int = CPU_SECONDS,
) -> Verdict:
    """`verify` inside limits: a file that exhausts them, or crashes its parser, is invalid, and we go on living."""
    expected = expected or Expected()
    question = {
        "path": str(path.resolve()),
        "moment": moment.astimezone(UTC).isoformat(),
        "roots": [b64encode(item).decode() for item in trust.roots],
        "others": [b64encode(item).decode() for item in trust.others],
        "lists": [b64encode(item).decode() for item in (trust.revocation_lists or (lambda _: ()))(moment)],
        "expected": [expected.sha256, expected.size, expected.signature_count, expected.case_number],
        "limits": [memory, cpu_seconds],
    }
    environment = {
        key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR") if key in os.environ
    }
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "dossier.verify.child"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            timeout=cpu_seconds * 2,
            check=True,
        ).stdout
        return verdict_from_json(json.loads(answer))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError) as error:
        sha256, size = measure(path)
        reason = "文件过于复杂或含有破坏性内容，解析时超出了允许的内存和时间，不予认可。"
        return Verdict(Status.INVALID, (reason,), sha256=sha256, size=size, details=(type(error).__name__,))


def main() -> None:
    question: dict[str, Any] = json.load(sys.stdin)
    memory, cpu_seconds = question["limits"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    lists = _decoded(question["lists"])
    trust = Trust(
        roots=_decoded(question["roots"]),
        others=_decoded(question["others"]),
        revocation_lists=(lambda _: lists) if lists else None,
    )
    verdict = verify(
        Path(str(question["path"])),
        trust=trust,
        moment=datetime.fromisoformat(str(question["moment"])),
        expected=Expected(*question["expected"]),
    )
    json.dump(verdict.as_json(), sys.stdout, ensure_ascii=False)


def _decoded(items: list[str]) -> tuple[bytes, ...]:
    return tuple(b64decode(item) for item in items)


if __name__ == "__main__":
    main()
