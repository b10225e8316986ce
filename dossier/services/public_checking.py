"""Checking files for anybody, without an account: nothing is kept, and nobody can keep the machine busy."""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from dossier.models import Dossier, DossierRevision
from dossier.sealing import installation_trust
from dossier.sign import system_clock
from dossier.verify import Verdict
from dossier.verify.child import verify_foreign
from dossier.verify.words import Answer, Standing, in_plain_words
from registry.braking import Brake
from storage.errors import Refused
from storage.scratch import scratch

LARGEST = 200 << 20
BRAKE = Brake(
    "public-check",
    from_one=10,
    from_all=300,
    code="too-many-checks",
    words="核验次数过多，请 {minutes} 分钟后再试；大批文件请用离线核验工具。",
)
AT_ONCE = 2
"""Files parsed at the same time on one machine: each may take a gigabyte for a minute."""


class Busy(Refused):
    """All places are taken at this moment."""

    def __init__(self) -> None:
        super().__init__("checks-busy", "正在核验的文件较多，请过一分钟再试。", can_retry=True)


class TooLarge(Refused):
    """More than can be checked while somebody waits."""

    def __init__(self) -> None:
        super().__init__("file-too-large", "文件超过可在线核验的大小（200 MB），请使用离线核验工具。")


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict for programs and the answer for people."""

    verdict: Verdict
    answer: Answer


def check_for_anyone(*, content: Iterable[bytes], size: int, caller: str, now: datetime) -> Checked:
    """Verify a stranger's file in the limited child process; its only copy is gone when this returns.

    `caller` is a network address. Raises TooLarge, TooOften, Busy.
    """
    if size > LARGEST:
        raise TooLarge
    BRAKE.count(caller=caller, now=now)
    with parsing_place(), scratch("check") as folder:
        path = folder / "in-hand.pdf"
        with path.open("wb") as kept:
            kept.writelines(content)
        verdict = verify_foreign(path, trust=installation_trust(), moment=system_clock())
    return Checked(verdict, in_plain_words(verdict, _standing(verdict.sha256)))


@contextmanager
def parsing_place() -> Iterator[None]:
    """One of the places for parsing strangers' files, held by a lock that the system releases even when this process is killed."""
    folder = Path(settings.DATA_DIR) / "checks"
    folder.mkdir(exist_ok=True)
    for number in range(AT_ONCE):
        with (folder / f"place-{number}").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield
            return
    raise Busy


def _standing(sha256: str) -> Standing:
    if Dossier.objects.filter(sha256=sha256).exists():
        return Standing.CURRENT
    return Standing.EARLIER if DossierRevision.objects.filter(sha256=sha256).exists() else Standing.UNKNOWN
