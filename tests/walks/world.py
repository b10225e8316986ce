"""A small world for random walks: one item that one office decides or three together, and everybody who might act."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ingest.models import Case, Handling
from ingest.rules import IdentityPerson
from ingest.services.answering import answer_points
from ingest.services.identifying import identify_by_sight
from logistics.models import Parcel
from logistics.rules.parcels import OPEN
from registry.actors import Actor
from registry.granting import give_grant
from registry.models import Grant, ItemOffice, MaterialRequirement, Office, ServiceItem, Window
from registry.rules.questionnaire import Answer
from registry.terms import Right, Role, Scope
from registry.time import local_day
from storage.models import Kind
from storage.services import store_bytes
from tests.cast import NOW, Cast, assemble, person
from tests.ingest.paper import hand_in
from tests.logistics.road import neutral_account

PROMISED_DAYS = 5
NOWHERE = "http://127.0.0.1:9"
"""Couriers are not asked here: waybills are written by hand."""


@dataclass(frozen=True)
class World:
    """The Zhuji window, three offices of Taizhou, and by name whoever tries to do something."""

    cast: Cast
    window: Window
    offices: tuple[Office, ...]
    item: ServiceItem
    people: Mapping[str, Actor]


def build() -> World:
    """Needs the database and the object store. Nobody is granted anything but what this world gives."""
    cast = assemble()
    offices = (cast.taizhou, cast.wenling, Office.objects.get(code="331082-zjj"))
    item = ServiceItem.objects.create(
        code="WALK-1",
        name="行走事项",
        region=cast.taizhou.region,
        scope=Scope.PROVINCE.value,
        effective_from=local_day(NOW),
        modes=[],
        stars=5,
        unified_platform=True,
        promised_days=PROMISED_DAYS,
        review_points=[{"code": "q1", "question": "申请表已签名", "expect": True}],
    )
    for office in offices:
        ItemOffice.objects.create(item=item, office=office, region=office.region)
    for position, (name, form, deferrable) in enumerate(
        [("申请表", "copy", False), ("资质证书", "original", True)], start=1
    ):
        MaterialRequirement.objects.create(
            item=item,
            position=position,
            name=name,
            form=form,
            mailed=form == "original",
            deferrable=deferrable,
        )
    Grant.objects.all().delete()
    for place in (cast.zhuji, *offices):
        place.phone, place.address = "0575-87000000", f"{place.region.full_name}一号"
        place.save()
    neutral_account(cast, NOWHERE)
    store_bytes(content=b"%PDF-1.7 issued", kind=Kind.RESULT, media_type="application/pdf", now=NOW)
    world = World(cast, cast.zhuji, offices, item, _people(cast, offices))
    for office in offices:
        grant(world, office, list(Right), NOW)
    return world


def _people(cast: Cast, offices: tuple[Office, ...]) -> Mapping[str, Actor]:
    def key(name: str, scope: str, **at: int) -> Actor:
        return Actor("integration", name, name, Role.INTEGRATION.value, scopes=frozenset({scope}), **at)

    return {
        "clerk": cast.clerk,
        "other clerk": cast.other_clerk,
        "first officer": cast.officer,
        "second officer": cast.other_officer,
        "third officer": person("third-officer", Role.OFFICER, office=offices[2]),
        "finance": cast.finance,
        "administrator": cast.administrator,
        "auditor": cast.auditor,
        "platform": key("platform-key", "platform", window_id=cast.zhuji.pk),
        "reader": key("reader-key", "reader", window_id=cast.zhuji.pk),
        "archive": key("archive-key", "archive", office_id=cast.taizhou.pk),
    }


def grant(world: World, office: Office, rights: list[Right], now: datetime) -> None:
    """The office entrusts these rights to the Zhuji window from today on."""
    give_grant(
        office=office,
        rights=rights,
        window=world.window,
        region=None,
        item=None,
        effective_from=local_day(now),
        effective_to=None,
        reason="协议",
        actor=world.cast.administrator,
        now=now,
    )


def gather(case: Case, world: World, now: datetime, *, answers: bool) -> None:
    """The window gathers what is missing: pages, and with `answers` the questionnaire and a look at who came."""
    for material in case.materials.select_related("requirement"):
        lacking = material.requirement.minimum_pages - material.pages.count()
        if lacking > 0:
            hand_in(material, pages=lacking)
    if not answers:
        return
    clerk = world.cast.clerk
    answer_points(case=case, answers={"q1": Answer(value=True, reason="")}, actor=clerk, now=now)
    if not case.identity_checks.exists():
        identify_by_sight(
            case=case,
            person=IdentityPerson.AGENT,
            document="居民身份证",
            reason="读卡器故障",
            actor=clerk,
            now=now,
        )


def officer_of(handling: Handling, world: World) -> Actor:
    """Who decides for this handling's office."""
    return officer_at(handling.office_id, world)


def officer_at(office_id: int, world: World) -> Actor:
    """The officer of this office."""
    return next(
        actor for actor in world.people.values() if actor.office_id == office_id and actor.role == "officer"
    )


def rightful(deed: str, handling: Handling, world: World) -> Actor:
    """Somebody who may do this if anybody may."""
    case = handling.case
    if deed in {"send", "bag", "archive"} and not case.originals.filter(place="window").exists():
        lying = case.originals.filter(place="office").exclude(parcel_items__holds=True).order_by("pk").first()
        return officer_at(lying.place_id, world) if lying else world.cast.clerk
    if deed in {"arrive", "come_back", "unbag"}:
        parcel = Parcel.objects.filter(items__original__case=case, state__in=OPEN).order_by("pk").first()
        if parcel is None:
            return world.cast.clerk
        kind, pk = (
            (parcel.receiver_kind, parcel.receiver_id)
            if deed == "arrive"
            else (parcel.sender_kind, parcel.sender_id)
        )
        return officer_at(pk, world) if kind == "office" else world.cast.clerk
    if deed == "fetch":
        return world.people["platform"]
    at_the_office = {
        "pre_review",
        "supplement",
        "refuse",
        "decide",
        "reject",
        "receive_papers",
        "attach",
        "void",
        "archive",
    }
    if deed in at_the_office or (deed == "accept" and handling.case.mode != "window_accept"):
        return officer_of(handling, world)
    return world.cast.clerk
