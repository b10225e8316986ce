"""Timestamps renewed before they expire, so that a dossier never stops proving itself (archive refresh)."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import F, Q

from dossier.models import Dossier, DossierState, Occasion
from dossier.sealing import installation_trust, timestamper
from dossier.services.countersigning import NotCountersignable, grow
from dossier.sign import renew_timestamp
from dossier.verify import Verdict
from registry.actors import SYSTEM, Actor
from storage.errors import Refused

log = logging.getLogger("tongban.dossier")
TRY_AGAIN = timedelta(days=1)
"""How long a dossier rests after an attempt, so that one that always fails does not keep the others waiting."""


class NotExtended(Refused):
    """The timestamp service still stamps with the certificate whose end is the reason for renewing."""


def renew(*, dossier: Dossier, actor: Actor, now: datetime) -> Dossier:
    """Add a document timestamp that lasts longer than the last one.

    Nothing is kept when the new stamp would not last longer. Raises NotCountersignable for a dossier without
    document timestamps, NotExtended, SealingFailed, NotSound, and what the store raises.
    """
    ends = dossier.stamp_ends_at
    if ends is None:
        raise NotCountersignable("level-without-stamps", "这份卷宗的签章级别不含文件时间戳，无需续加。")
    trust, service = installation_trust(), timestamper()

    def extend(source: Path, target: Path) -> None:
        renew_timestamp(source=source, target=target, timestamper=service, trust=trust)

    def lasts_longer(verdict: Verdict) -> None:
        if verdict.stamp_ends_at is None or verdict.stamp_ends_at <= ends:
            raise NotExtended(
                "stamp-not-longer",
                "时间戳服务的证书没有更新，续加不能延长有效期；请管理员联系时间戳服务机构。",
                can_retry=True,
            )

    return grow(dossier, trust, extend, Occasion.RENEWED, actor, now, accept=lasts_longer)


def renew_due(*, now: datetime, within: timedelta, at_most: int) -> int:
    """Renew up to `at_most` dossiers whose last timestamp ends `within` this time; returns how many were.

    Those that end first come first. A refusal is logged by its code and the dossier rests for a day.
    """
    renewed = 0
    for dossier in _due(now, within)[:at_most]:
        if not _claim(dossier, now):
            continue
        try:
            renew(dossier=dossier, actor=SYSTEM, now=now)
        except Refused as refusal:
            log.error("timestamp of dossier %s was not renewed: %s", dossier.pk, refusal.code)  # noqa: TRY400
        else:
            renewed += 1
    return renewed


def _due(now: datetime, within: timedelta) -> list[Dossier]:
    rows = Dossier.objects.filter(_rested(now), state=DossierState.SIGNED, stamp_ends_at__lte=now + within)
    return list(
        rows.select_related("stored", "handling__case").order_by(
            F("renewal_tried_at").asc(nulls_first=True), "stamp_ends_at", "pk"
        )
    )


def _claim(dossier: Dossier, now: datetime) -> bool:
    """Two rounds at once share the work: whoever writes the attempt down first makes it."""
    return bool(Dossier.objects.filter(_rested(now), pk=dossier.pk).update(renewal_tried_at=now))


def _rested(now: datetime) -> Q:
    return Q(renewal_tried_at__isnull=True) | Q(renewal_tried_at__lte=now - TRY_AGAIN)
