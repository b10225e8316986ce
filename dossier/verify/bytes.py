"""What can be said of a file by its bytes alone: is it this one, does it begin and end as it should."""

import hashlib
import re
from pathlib import Path

from dossier.verify.verdict import Expected

TAIL = 2048
ENDING = re.compile(rb"startxref[\r\n ]+\d+[\r\n ]+%%EOF(\r\n|\r|\n)?\Z")


def measure(path: Path) -> tuple[str, int]:
    """SHA-256 and size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def differences(expected: Expected, *, sha256: str, size: int) -> list[str]:
    """Why this is not the file that was kept on record; empty when it is, or when nothing is known."""
    if expected.sha256 is not None and sha256 != expected.sha256:
        if expected.size is not None and size < expected.size:
            return ["文件比存档的短：后加的签章或时间戳被截去，或内容残缺。"]
        if expected.size is not None and size > expected.size:
            return ["文件比存档的长：存档之后被追加了内容。"]
        return ["文件与存档的校验值不一致：内容被替换或改动。"]
    if expected.size is not None and size != expected.size:
        return ["文件大小与存档不一致。"]
    return []


def malformations(path: Path) -> list[str]:
    """A PDF begins at its first byte and ends at its last %%EOF: anything around it is not covered by anybody."""
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, path.stat().st_size - TAIL))
        tail = file.read()
    problems = []
    if not head.startswith(b"%PDF-"):
        problems.append("文件开头不是 PDF，前面夹带了其他内容。")
    if b"%%EOF" not in tail:
        problems.append("文件末尾不完整，可能被截断或追加了内容。")
    elif not ENDING.search(tail):
        problems.append("最后一处签章之后被追加了不受签章保护的内容。")
    return problems
