"""Endpoints of 全程网办 for the platform that filed a case: which papers its applicant sends where, and telling that they left."""

from datetime import date

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema, Status

from ingest.models import Case
from ingest.services.awaiting import awaited
from logistics.models import Carrier, Parcel
from logistics.rules.parcels import Party
from logistics.services.announcing import CourierWord, announce, call_off, correct_number
from logistics.services.papers_owed import PaperSent, PapersOwed, papers_owed
from registry.actors import Actor
from registry.auth import actor_of, session_or_key
from registry.permissions import visible, yours
from storage.errors import Refused

router = Router(tags=["申请人寄送"], auth=session_or_key)


class CourierIn(Schema):
    """`carrier` is a code of those listed, or empty and `company` its name; `number` as it stands on the waybill."""

    carrier: str = Field(default="", max_length=40)
    company: str = Field(default="", max_length=60)
    number: str = Field(max_length=60)


class SentIn(CourierIn):
    """`papers`: positions of the checklist that are in the envelope; without it all that are waited for."""

    papers: list[int] | None = Field(default=None, max_length=100)


class PointOut(Schema):
    """Where the office receives; telephone and address are empty while nobody has registered them."""

    office: str
    phone: str
    address: str


class CarrierOut(Schema):
    code: str
    name: str


class PaperOut(Schema):
    """`due` only where it was promised for a day (容缺)."""

    position: int
    name: str
    due: date | None


class PaperParcelOut(Schema):
    """`state` is that of a parcel; `says` is the same in words, or the courier's latest."""

    parcel: str
    carrier: str
    number: str
    state: str
    says: str
    papers: list[int]


class PapersOut(Schema):
    """`payer` is the centre that bears the postage, empty when the applicant does; then any courier may be named.

    `owed` still lie with the applicant, `sent` have left or arrived. Without a `point` nothing is to be sent.
    """

    point: PointOut | None
    payer: str
    term: str
    carriers: list[CarrierOut]
    owed: list[PaperOut]
    sent: list[PaperParcelOut]


@router.get("/cases/{number}/papers", response=PapersOut, summary="申请人须寄送的纸质材料")
def see_papers(request: HttpRequest, number: str) -> PapersOut:
    case = _case(actor_of(request), number)
    return _shown(papers_owed(case=case, now=timezone.now()))


@router.post("/cases/{number}/papers", response={201: PapersOut}, summary="登记申请人已寄出")
def tell_sent(request: HttpRequest, number: str, body: SentIn) -> Status[PapersOut]:
    """The applicant has sent them. The same courier and number told again make no second parcel."""
    actor, now = actor_of(request), timezone.now()
    case = _case(actor, number)
    announce(case=case, papers=_papers(case, body.papers), told=_told(body), actor=actor, now=now)
    return Status(201, _shown(papers_owed(case=case, now=now)))


@router.post("/cases/{number}/papers/{parcel}/number", response=PapersOut, summary="改正运单号")
def correct(request: HttpRequest, number: str, parcel: str, body: CourierIn) -> PapersOut:
    """Until a courier has told of the parcel."""
    actor, now = actor_of(request), timezone.now()
    case = _case(actor, number)
    correct_number(parcel=_parcel(case, parcel), told=_told(body), actor=actor, now=now)
    return _shown(papers_owed(case=case, now=now))


@router.delete("/cases/{number}/papers/{parcel}", response=PapersOut, summary="撤销寄出登记")
def not_sent(request: HttpRequest, number: str, parcel: str) -> PapersOut:
    """It was not sent after all: the papers lie with the applicant again. Safe to repeat."""
    actor, now = actor_of(request), timezone.now()
    case = _case(actor, number)
    call_off(parcel=_parcel(case, parcel), actor=actor, now=now)
    return _shown(papers_owed(case=case, now=now))


def _case(actor: Actor, number: str) -> Case:
    """Only who may announce sees an address to send to: a case of the key's own window."""
    rows = visible(actor, "parcel.announce", Case.objects.select_related("item", "window__region"))
    return yours(rows.filter(number=number))


def _parcel(case: Case, number: str) -> Parcel:
    own = Parcel.objects.filter(sender_kind=Party.APPLICANT.value, sender_id=case.pk)
    return yours(own.filter(number=number))


def _papers(case: Case, positions: list[int] | None) -> list[int]:
    """The originals at these positions that are waited for. A position without one is for the rule to refuse."""
    lying = {original.material.position: original.pk for original in awaited(case) if original.material}
    if positions is None:
        return list(lying.values())
    return [lying.get(position, 0) for position in positions]


def _told(body: CourierIn) -> CourierWord:
    carrier = Carrier.objects.filter(code=body.carrier, active=True).first() if body.carrier else None
    if body.carrier and carrier is None:
        raise Refused("unknown_code", "没有这个快递公司代码；不在列表里的，请改填名称。")
    return CourierWord(body.number, carrier, body.company)


def _shown(papers: PapersOwed | None) -> PapersOut:
    if papers is None:
        return PapersOut(point=None, payer="", term="", carriers=[], owed=[], sent=[])
    point = papers.point
    return PapersOut(
        point=PointOut(
            office=papers.office,
            phone=point.phone if point else "",
            address=point.address if point else "",
        ),
        payer=papers.payer,
        term=papers.term,
        carriers=[CarrierOut(code=carrier.code, name=carrier.name) for carrier in papers.carriers],
        owed=[
            PaperOut(position=paper.position, name=paper.original.name, due=paper.due)
            for paper in papers.owed
        ],
        sent=[_sent(sent) for sent in papers.sent],
    )


def _sent(sent: PaperSent) -> PaperParcelOut:
    parcel = sent.parcel
    return PaperParcelOut(
        parcel=parcel.number,
        carrier=parcel.told_carrier,
        number=parcel.told_number,
        state=parcel.state,
        says=sent.says,
        papers=list(sent.positions),
    )
