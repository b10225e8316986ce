"""争议函: all disputed differences of a statement as one sealed letter and one workbook for the carrier."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from logistics.models import Discrepancy, DisputeLetter, Statement
from logistics.rules.checks import Code, stake_of
from logistics.rules.disputes import DiscrepancyState
from registry import events
from registry.actors import Actor
from registry.calendar import current_calendar
from registry.models import ServiceCentre
from registry.paper.issue import issue
from registry.paper.kinds import SlipKind
from registry.paper.slips import Dispute, DisputedLine
from registry.permissions import NotYours, check_may
from registry.sheets.workbooks import Formula, Money, Sheet, make_workbook
from registry.time import local_day
from registry.workdays import add_workdays
from storage.errors import Refused
from storage.models import Kind, StoredObject
from storage.services import store_bytes

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ANSWER_WITHIN_WORKDAYS = 10
LONGEST_LETTER = 1000
"""Differences printed; the workbook holds every one."""
_HEADER = (
    "序号",
    "账单行",
    "运单号",
    "差异",
    "我方数据",
    "账单数据",
    "涉及金额（元）",
    "争议金额（元）",
    "理由",
    "承运商答复",
    "同意冲减（元）",
)


@dataclass(frozen=True)
class Claim:
    """One disputed difference; `claimed_fen` is its part of the line, so that a line is never claimed twice."""

    row: int
    waybill: str
    code: str
    ours: str
    theirs: str
    stake_fen: int
    claimed_fen: int
    reason: str


def claims_of(statement: Statement) -> list[Claim]:
    """Everything disputed in a statement, in its order."""
    found = statement.discrepancies.filter(state=DiscrepancyState.DISPUTED.value).select_related("line")
    claimed: dict[int, int] = {}
    claims = []
    for one in found.order_by("row", "code"):
        amount = _claimable(one, claimed.get(one.row, 0))
        claimed[one.row] = claimed.get(one.row, 0) + amount
        claims.append(
            Claim(
                one.row,
                one.waybill_number,
                one.code,
                one.ours,
                one.theirs,
                one.stake_fen,
                amount,
                one.reason,
            )
        )
    return claims


def write_dispute(*, statement: Statement, actor: Actor, now: datetime) -> DisputeLetter:
    """Write the carrier a letter about all that is disputed now. While nothing changed, the letter that is there.

    The event `dispute.written` leads to the seal. Raises Refused when nothing is disputed.
    """
    check_may(actor, "dispute.write", statement)
    with transaction.atomic():
        statement = (
            Statement.objects.select_for_update(of=("self",))
            .select_related("carrier", "centre")
            .get(pk=statement.pk)
        )
        if statement.centre is None:
            raise Refused("statement_without_centre", "这份对账单还没有归属的中心，不能出具争议函。")
        claims = claims_of(statement)
        if not claims:
            raise Refused("nothing_disputed", "这份对账单没有已提出异议的差异，请先对差异提出异议。")
        letter = statement.letters.filter(digest=_digest(claims)).first()
        if letter is None:
            letter = _write(statement, statement.centre, claims, actor=actor, now=now)
    keep_dispute_workbook(letter=letter, now=now)
    return DisputeLetter.objects.select_related("slip", "workbook", "paper").get(pk=letter.pk)


def keep_dispute_workbook(*, letter: DisputeLetter, now: datetime) -> StoredObject:
    """Make and store the XLSX once; whoever asks again gets the stored one."""
    if letter.workbook is not None:
        return letter.workbook
    stored = store_bytes(content=dispute_workbook(letter), kind=Kind.SETTLEMENT, media_type=XLSX, now=now)
    DisputeLetter.objects.filter(pk=letter.pk, workbook__isnull=True).update(workbook=stored)
    return stored


def dispute_workbook(letter: DisputeLetter) -> bytes:
    """Sheets 争议明细, with two columns for the carrier's answers, and 说明. The same letter gives the same bytes."""
    return make_workbook(
        [
            Sheet("争议明细", _rows(letter), widths=(8, 8, 20, 18, 30, 30, 16, 16, 36, 24, 16)),
            Sheet("说明", _notes(letter), widths=(20, 80)),
        ],
        made_at=letter.written_at,
    )


def attach_dispute_paper(
    *, letter: DisputeLetter, stored: StoredObject, actor: Actor, now: datetime
) -> DisputeLetter:
    """Add the sealed paper, once."""
    if actor.kind != "system":
        raise NotYours
    with transaction.atomic():
        attached = DisputeLetter.objects.filter(pk=letter.pk, paper__isnull=True).update(paper=stored)
        letter = DisputeLetter.objects.select_related("slip").get(pk=letter.pk)
        if attached:
            events.record(
                kind="dispute.signed",
                actor=actor,
                subject=letter,
                now=now,
                data={"number": letter.slip.number, "sha256": stored.sha256},
            )
    return letter


def _claimable(one: Discrepancy, before_fen: int) -> int:
    if one.line is None:
        return one.stake_fen
    return stake_of(one.line.amount_fen - before_fen, [one.stake_fen])


def _digest(claims: Sequence[Claim]) -> str:
    text = json.dumps([asdict(claim) for claim in claims], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _write(
    statement: Statement, centre: ServiceCentre, claims: Sequence[Claim], *, actor: Actor, now: datetime
) -> DisputeLetter:
    revision = statement.letters.count() + 1
    slip = issue(
        kind=SlipKind.DISPUTE,
        subject=statement,
        revision=revision,
        data=_paper(statement, centre, claims, now=now),
        actor=actor,
        now=now,
        centre=centre,
    )
    letter = DisputeLetter.objects.create(
        statement=statement,
        revision=revision,
        slip=slip,
        lines=[asdict(claim) for claim in claims],
        digest=_digest(claims),
        claimed_fen=sum(claim.claimed_fen for claim in claims),
        written_at=now,
        written_by=actor.label,
    )
    events.record(
        kind="dispute.written",
        actor=actor,
        subject=letter,
        now=now,
        data={
            "number": slip.number,
            "month": statement.month,
            "carrier": statement.carrier.code,
            "differences": len(claims),
            "claimed_fen": letter.claimed_fen,
        },
    )
    return letter


def _paper(statement: Statement, centre: ServiceCentre, claims: Sequence[Claim], *, now: datetime) -> Dispute:
    return Dispute(
        issuer=centre.name,
        centre=centre.name,
        carrier=statement.carrier.name,
        month=statement.month,
        statement_lines=statement.line_count,
        statement_amount=statement.amount_fen,
        statement_sha256=statement.sha256,
        lines=tuple(
            DisputedLine(
                row=claim.row,
                waybill=claim.waybill,
                difference=Code(claim.code).label,
                ours=claim.ours,
                theirs=claim.theirs,
                stake=claim.stake_fen,
                claimed=claim.claimed_fen,
                reason=claim.reason,
            )
            for claim in claims[:LONGEST_LETTER]
        ),
        further=len(claims[LONGEST_LETTER:]),
        further_claimed=sum(claim.claimed_fen for claim in claims[LONGEST_LETTER:]),
        total=sum(claim.claimed_fen for claim in claims),
        answer_by=add_workdays(local_day(now), ANSWER_WITHIN_WORKDAYS, current_calendar()).day,
        enquiry_phone=centre.phone,
    )


def _rows(letter: DisputeLetter) -> Iterator[tuple[object, ...]]:
    yield _HEADER
    for number, row in enumerate(letter.lines, start=1):
        claim = Claim(**row)
        yield (
            number,
            claim.row,
            claim.waybill,
            Code(claim.code).label,
            claim.ours,
            claim.theirs,
            Money(claim.stake_fen),
            Money(claim.claimed_fen),
            claim.reason,
        )
    last = len(letter.lines) + 1
    totals = (Formula(f"=SUM({column}2:{column}{last})", money=True) for column in ("H", "K"))
    yield ("合计", *[""] * 6, next(totals), "", "", next(totals))


def _notes(letter: DisputeLetter) -> Iterator[tuple[object, ...]]:
    statement = letter.statement
    yield ("争议函", letter.slip.number)
    yield ("中心", statement.centre.name if statement.centre else "")
    yield ("承运商", statement.carrier.name)
    yield ("账期", statement.month)
    yield ("账单原文件 SHA-256", statement.sha256)
    yield ("填写方法", "请在“承运商答复”“同意冲减”两列逐条填写；同意的差异在下期账单以红冲行冲减。")
