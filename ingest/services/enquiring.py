"""Progress without an account: an applicant's case by its number and the last four digits of the phone, guarded against guessing.

No such case and a wrong tail get the same answer, after the same queries and the same decryption.
"""

import hmac
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.core import signing
from django.db import transaction
from django.db.models import F

from ingest.models import Case, EnquiryBrake
from registry.actors import Actor
from registry.braking import Brake
from registry.events import record
from registry.models import Slip
from registry.paper.kinds import SlipKind
from registry.time import local
from registry.tokens import Purpose, check
from storage.encryption import blind_index, decrypt, encrypt
from storage.errors import Refused

BRAKE = Brake(
    "progress",
    from_one=20,
    from_all=1000,
    code="progress_too_many",
    words="查询次数过多，请 {minutes} 分钟后再试。",
)
WRONG_TAILS_A_DAY = 5
"""After so many wrong tails a number, or a slip, is shut until midnight: ten thousand tails take more than five years."""
TAIL = 4
TICKET_HOLDS = timedelta(hours=1)
_TICKETS = signing.Signer(salt="tongban.progress.ticket")
SHORTEST_PHONE, LONGEST_PHONE = 10, 11
"""Digits of a whole number: a mobile has eleven, a desk telephone with its area code ten or more."""
APPLICANT = Actor(kind="applicant", id="", label="申请人（自助查询）")
FOR_APPLICANTS = (
    SlipKind.RECEIPT.value,
    SlipKind.ACCEPTANCE.value,
    SlipKind.NOTICE.value,
    SlipKind.SHORTFALL.value,
    SlipKind.REFUSAL.value,
    SlipKind.DELIVERY_PROOF.value,
)


class NoMatch(Refused):
    """No such case, or not this tail: nobody learns which."""

    def __init__(self) -> None:
        super().__init__(
            "progress_no_match",
            "没有查到。请核对办件编号和收件时登记的手机号后四位；没有登记手机号的，请带收件凭证到收件窗口查询。",
        )


class Unreadable(Refused):
    """The code of a link is not one of a slip of ours."""

    def __init__(self) -> None:
        super().__init__(
            "progress_code",
            "这个二维码打不开。请重新扫描收件凭证上的二维码，或用办件编号和手机号后四位查询。",
        )


class StaleTicket(Refused):
    """The page stood open for too long, or its form was not ours."""

    def __init__(self) -> None:
        super().__init__("progress_ticket", "页面打开太久了，请重新输入办件编号和手机号后四位。")


class LockedOut(Refused):
    """Too many wrong tails today."""

    def __init__(self) -> None:
        super().__init__(
            "progress_locked",
            "今天核对不符的次数过多，为保护申请人的信息，明天才能再查。急用的请带收件凭证到收件窗口查询。",
        )


def look_up(*, number: str, tail: str, caller: str, now: datetime) -> Case:
    """The case of a number whose phone ends in `tail`; the look is recorded.

    `caller` is a network address. Raises NoMatch, LockedOut, TooOften.
    """
    wanted = "".join(number.split()).upper()
    _check_form(tail)
    BRAKE.count(caller=caller, now=now)
    return _opened(wanted, brake=f"case:{wanted}", tail=tail, now=now)


def look_up_by_slip(*, token: str, tail: str, caller: str, now: datetime) -> Case:
    """The same by the code on a slip, which stands for the number. Guessing by numbers does not shut who has the slip."""
    _check_form(tail)
    BRAKE.count(caller=caller, now=now)
    slip = _slip_of(token)
    return _opened(slip.case_number, brake=f"slip:{slip.code}", tail=tail, now=now)


def ticket_of(case: Case, *, now: datetime) -> str:
    """For the forms of a page that was opened by the tail: who sends it back within the hour need not type it again.

    It is signed, names the case by its key alone, and stands in no address.
    """
    return _TICKETS.sign_object({"case": case.pk, "at": int(now.timestamp())})


def look_up_by_ticket(*, ticket: str, caller: str, now: datetime) -> Case:
    """The case of a ticket that we gave out within the hour. Raises StaleTicket, TooOften."""
    BRAKE.count(caller=caller, now=now)
    try:
        told = _TICKETS.unsign_object(ticket)
    except signing.BadSignature as fault:
        raise StaleTicket from fault
    if not 0 <= now.timestamp() - told["at"] <= TICKET_HOLDS.total_seconds():
        raise StaleTicket
    return Case.objects.select_related("item", "window").get(pk=told["case"])


def open_by_slip(*, token: str, phone: str, caller: str, now: datetime) -> Case:
    """The case of a slip's code for handing out what a tail is too little for: the whole phone number is asked, which no
    slip shows. Raises as `look_up_by_slip` does.
    """
    digits = _digits(phone)
    if not SHORTEST_PHONE <= len(digits) <= LONGEST_PHONE:
        raise Refused("progress_phone", "请输入收件时登记的完整手机号。")
    BRAKE.count(caller=caller, now=now)
    slip = _slip_of(token)
    return _opened(slip.case_number, brake=f"slip:{slip.code}", tail=digits, now=now)


def glance(*, token: str, caller: str, now: datetime) -> Case:
    """The case of a slip's code, for showing its stage and nothing else; the look is recorded. Raises Unreadable, TooOften."""
    BRAKE.count(caller=caller, now=now)
    case = Case.objects.filter(number=_slip_of(token).case_number).first()
    if case is None:
        raise Unreadable
    with transaction.atomic():
        record(kind="progress.stage_seen", actor=APPLICANT, subject=case, now=now, case_number=case.number)
    return case


def _check_form(tail: str) -> None:
    if not (len(tail) == TAIL and tail.isascii() and tail.isdigit()):
        raise Refused("progress_tail", "请输入收件时登记的手机号后四位数字。")


def _opened(number: str, *, brake: str, tail: str, now: datetime) -> Case:
    held = _take_try(brake, now)
    row = Case.objects.filter(number=number).values_list("pk", "applicant_phone").first()
    key, phone = row or (0, decrypt(_decoy()))
    fits = hmac.compare_digest(_digits(phone)[-len(tail) :].encode(), tail.encode())
    if not (fits and key):
        _tell_when_shut(held, now)
        raise NoMatch
    with transaction.atomic():
        EnquiryBrake.objects.filter(pk=held.pk, count__gt=0).update(count=F("count") - 1)
        case = Case.objects.select_related("item", "window").get(pk=key)
        record(kind="progress.looked_at", actor=APPLICANT, subject=case, now=now, case_number=number)
    return case


def _digits(phone: str) -> str:
    """The digits of a number without the country's code, as a person writes it."""
    return "".join(char for char in phone if char.isascii() and char.isdigit())[-LONGEST_PHONE:]


def _slip_of(token: str) -> Slip:
    """The slip, handed to an applicant, that bears this code. Packing lists travel among strangers and open nothing."""
    try:
        identifier = check(token, purpose=Purpose.SLIP).identifier
    except Refused as fault:
        raise Unreadable from fault
    slip = Slip.objects.filter(code=identifier, kind__in=FOR_APPLICANTS).exclude(case_number="").first()
    if slip is None:
        raise Unreadable
    return slip


def _take_try(name: str, now: datetime) -> EnquiryBrake:
    """One of the day's tries, given back when it was right. Raises LockedOut when none is left."""
    tomorrow = local(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    EnquiryBrake.objects.filter(until__lte=now).delete()
    with transaction.atomic():
        brake, _ = EnquiryBrake.objects.get_or_create(
            name=blind_index(f"progress:{name}"), until=tomorrow.astimezone(UTC)
        )
        left = EnquiryBrake.objects.filter(pk=brake.pk, count__lt=WRONG_TAILS_A_DAY)
        if not left.update(count=F("count") + 1):
            raise LockedOut
    return brake


def _tell_when_shut(brake: EnquiryBrake, now: datetime) -> None:
    """The last wrong try is an entry of the audit, whether there is such a case or not."""
    brake.refresh_from_db()
    if brake.count >= WRONG_TAILS_A_DAY:
        with transaction.atomic():
            record(kind="progress.locked", actor=APPLICANT, subject=brake, now=now)


@lru_cache(maxsize=1)
def _decoy() -> str:
    """A phone that belongs to nobody, encrypted: opened where there is no case, so that this takes as long."""
    return encrypt("00000000000")
