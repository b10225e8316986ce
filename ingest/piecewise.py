"""An upload that comes in pieces: begun, continued after an interruption, and taken in once, by the service of plain uploads."""

import errno
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from ingest.models import Arrival, Case, Material, SourceFile, Stack
from ingest.spool import OffsetTaken, Spool, TooManyPieces
from ingest.stacks import receive_stack
from ingest.uploads import receive_file
from registry.actors import Actor
from registry.models import Window
from registry.permissions import NotYours, check_may, yours
from storage.errors import Refused
from storage.scratch import scratch

MOST_OPEN = 20
"""Unfinished uploads of one person or key; the oldest gives way to the next."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
T = TypeVar("T", SourceFile, Stack)


class OffsetDiffers(Refused):
    """The piece does not continue what is here. `offset` is the byte that should come next."""

    def __init__(self, offset: int) -> None:
        super().__init__("offset_differs", "这一段与已收到的内容接不上，请先查询已收到多少再继续。")
        self.offset = offset


@dataclass(frozen=True)
class Checksum:
    """What the sender says of a piece: an algorithm of `hashlib` and the digest."""

    algorithm: str
    digest: bytes


class _Checked:
    """The blocks of a piece as they pass by, and whether they were what the sender says of them."""

    def __init__(self, blocks: Iterator[bytes], checksum: Checksum | None) -> None:
        self._blocks = blocks
        self._checksum = checksum
        self._counted = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            if self._counted is not None:
                self._counted.update(block)
            yield block

    def is_sound(self) -> bool:
        if self._checksum is None or self._counted is None:
            return True
        return hmac.compare_digest(self._counted.digest(), self._checksum.digest)


def check_size(size: int) -> None:
    """Raises Refused for a file that is larger than this installation takes."""
    if size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES >> 20
        raise Refused("file_too_large", f"单个文件不能超过 {limit} MB，请分成几份扫描后再上传。")


def begin(*, length: int, original_name: str, actor: Actor, now: datetime) -> Arrival:
    """Make room for an upload of `length` bytes. Whoever may upload may begin."""
    check_may(actor, "case.upload")
    check_size(length)
    key = secrets.token_hex(16)
    Spool(_root() / key).open()  # first, so that no row is ever without its folder
    with transaction.atomic():
        mine = Arrival.objects.filter(owner_kind=actor.kind, owner_id=actor.id, sha256="")
        given_up = list(mine.order_by("-created_at", "-pk")[MOST_OPEN - 1 :])
        Arrival.objects.filter(pk__in=[one.pk for one in given_up]).delete()
        arrival = Arrival.objects.create(
            key=key,
            owner_kind=actor.kind,
            owner_id=actor.id,
            original_name=Path(original_name).name,
            length=length,
            created_at=now,
            expires_at=now + _keeping(),
        )
    for one in given_up:
        _spool(one).discard()
    return arrival


def find(*, key: str, actor: Actor, now: datetime) -> Arrival:
    """The actor's own upload. Raises NotYours for others', and for those whose time is over."""
    check_may(actor, "case.upload")
    return yours(
        Arrival.objects.filter(key=key, owner_kind=actor.kind, owner_id=actor.id, expires_at__gt=now)
    )


def offset_of(arrival: Arrival) -> int:
    """How many bytes are here."""
    return arrival.length if arrival.sha256 else _spool(arrival).offset


def take_piece(
    *, arrival: Arrival, at: int, size: int, blocks: Iterator[bytes], checksum: Checksum | None, now: datetime
) -> int:
    """Keep the next piece of at most `size` bytes, beginning at byte `at`; answers how many bytes are here now.

    Raises OffsetDiffers; Refused when the piece reaches beyond the announced length, is not what its checksum says
    (then nothing of it is kept), or finds no room.
    """
    if arrival.sha256:
        raise OffsetDiffers(arrival.length)
    if at + size > arrival.length:
        raise Refused("file_too_large", "收到的内容比开始时说明的更长，请重新上传这个文件。")
    passing = _Checked(blocks, checksum)
    offset = _put(arrival, at, passing)
    if not passing.is_sound():
        raise Refused("checksum_differs", "这一段在传输中发生了变化，没有收下，请重新发送。", can_retry=True)
    arrival.expires_at = now + _keeping()
    Arrival.objects.filter(pk=arrival.pk).update(expires_at=arrival.expires_at)
    return offset


def _put(arrival: Arrival, at: int, passing: _Checked) -> int:
    """The spool's refusals in words."""
    try:
        return _spool(arrival).put(at, iter(passing), accept=passing.is_sound)
    except OffsetTaken as taken:
        raise OffsetDiffers(taken.offset) from taken
    except TooManyPieces as many:
        raise Refused("too_many_pieces", "上传被分成了过多的小段，请用更大的分段重新上传。") from many
    except FileNotFoundError as gone:  # given up by another request of the same person
        raise NotYours from gone
    except OSError as fault:
        if fault.errno in _FULL:
            raise Refused(
                "spool_full", "服务器暂存空间已满，请稍后再试或联系管理员。", can_retry=True
            ) from fault
        raise


def abandon(*, arrival: Arrival) -> None:
    """The sender does not want it any more."""
    Arrival.objects.filter(pk=arrival.pk).delete()
    _spool(arrival).discard()


def finish_file(
    *, arrival: Arrival, case: Case, material: Material | None, actor: Actor, now: datetime
) -> SourceFile:
    """Take the whole file into a case, as a plain upload does. Asked again, the same file."""

    def take(path: Path) -> SourceFile:
        return receive_file(
            case=case,
            material=material,
            path=path,
            original_name=arrival.original_name,
            actor=actor,
            now=now,
        )

    return _finish(
        arrival, take, lambda digest: SourceFile.objects.filter(case=case, sha256=digest).first(), now
    )


def finish_stack(*, arrival: Arrival, window: Window, actor: Actor, now: datetime) -> Stack:
    """Take the whole file in as a scanned stack. Asked again, the same stack."""

    def take(path: Path) -> Stack:
        return receive_stack(
            window=window, path=path, original_name=arrival.original_name, actor=actor, now=now
        )

    return _finish(
        arrival, take, lambda digest: Stack.objects.filter(window=window, sha256=digest).first(), now
    )


def sweep_uploads(*, now: datetime) -> int:
    """Forget uploads whose time is over, and folders that nobody knows any more; answers how many went."""
    over = list(Arrival.objects.filter(expires_at__lte=now))
    for arrival in over:
        abandon(arrival=arrival)
    root = settings.SPOOL_DIR
    if not root.is_dir():
        return len(over)
    known = set(Arrival.objects.values_list("key", flat=True))
    long_ago = (now - _keeping()).timestamp()
    lost = [entry for entry in root.iterdir() if entry.name not in known and _is_older(entry, long_ago)]
    for folder in lost:
        Spool(folder).discard()
    return len(over) + len(lost)


def _is_older(entry: Path, moment: float) -> bool:
    try:
        return entry.lstat().st_mtime < moment
    except FileNotFoundError:
        return False  # swept by somebody else meanwhile


def _finish(
    arrival: Arrival, take: Callable[[Path], T], taken_before: Callable[[str], T | None], now: datetime
) -> T:
    """The service of plain uploads recognises bytes that it has, so that dying anywhere here takes nothing in twice."""
    if arrival.sha256:
        return _as_before(taken_before(arrival.sha256))
    with scratch("whole") as folder:
        path = folder / "file"
        if _spool(arrival).assemble(path) != arrival.length:
            return _as_before(_by_another(arrival, taken_before))
        taken = take(path)
    Arrival.objects.filter(pk=arrival.pk).update(sha256=taken.sha256, expires_at=now + _keeping())
    _spool(arrival).discard()
    return taken


def _by_another(arrival: Arrival, taken_before: Callable[[str], T | None]) -> T | None:
    """What another request made of the same upload while we looked. Raises Refused when bytes are still missing."""
    digest = Arrival.objects.filter(pk=arrival.pk).values_list("sha256", flat=True).first()
    if not digest:
        raise Refused("upload_unfinished", "文件还没有传完，请从断开的地方继续上传。")
    return taken_before(digest)


def _as_before(taken: T | None) -> T:
    if taken is None:
        raise Refused("upload_used", "这个上传已经收到别处，请重新选择文件上传。")
    return taken


def _spool(arrival: Arrival) -> Spool:
    return Spool(settings.SPOOL_DIR / arrival.key)


def _root() -> Path:
    root: Path = settings.SPOOL_DIR
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def _keeping() -> timedelta:
    return timedelta(hours=settings.UPLOAD_KEEP_HOURS)
