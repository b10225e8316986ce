"""The five couriers of a simulated world, each with an account of every paying centre, and what they say to us.

From the neutral courier, EMS and SF we order; kuaidi100 and kdniao follow numbers that were written by hand.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from config.simulation.clock import Clock
from config.simulation.people import OFFICES
from config.simulation.wire import HOME
from logistics.couriers.neutral.wire import EventWire
from logistics.models import Carrier, CarrierAccount
from logistics.postage.contracts import add_tariff
from logistics.sandbox.admin import PUSHES
from logistics.sandbox.pushing import Push, kuaidi100_pushes, neutral_push
from logistics.sandbox.tariff import sample_tariff
from logistics.sandbox.world import Contract, Shipment, Unknown
from logistics.sandbox.world import World as CourierWorld
from logistics.services.accounts import add_account, add_carrier, callback_url
from registry.actors import SYSTEM
from registry.models import Office, ServiceCentre
from registry.time import local_day

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 — signs pushes of the sandbox alone
Says = tuple[str, Callable[[datetime], Push]]
"""A push under way: its label, and what makes it at the moment it is sent."""


@dataclass(frozen=True)
class Line:
    """A courier we speak with. `company`: whose waybills it carries. `follows`: it carries what others made."""

    code: str
    name: str
    adapter: str
    company: str = ""
    follows: bool = False


LINES = (
    Line("neutral", "中性速递", "neutral"),
    Line("ems", "邮政特快", "ems", "ems"),
    Line("sf", "顺丰速运", "sf", "sf"),
    Line("postal", "邮政速递", "kuaidi100", "ems", follows=True),
    Line("yto", "圆通速递", "kdniao", "yto", follows=True),
)


@dataclass(frozen=True)
class Couriers:
    """Those from whom waybills are ordered, and those who follow what was written by hand."""

    ordered: tuple[Carrier, ...]
    followed: tuple[Carrier, ...]

    def neutral(self) -> Carrier:
        """The one whose pushes name each event by an id of its own."""
        return self.ordered[0]

    def follows(self, carrier_id: int) -> Carrier | None:
        """The follower of that key."""
        return next((one for one in self.followed if one.pk == carrier_id), None)


def engage(courier: CourierWorld, url: str, clock: Clock) -> Couriers:
    """Five carriers, and an account of every paying centre with each, known on both sides."""
    carriers = {
        line.code: add_carrier(
            code=line.code,
            name=line.name,
            adapter=line.adapter,
            company=line.company,
            actor=SYSTEM,
            now=clock.now(),
        )
        for line in LINES
    }
    codes = sorted({office.centre.code for office in Office.objects.filter(code__in=OFFICES)})
    for centre in ServiceCentre.objects.filter(code__in=codes).order_by("code"):
        for line in LINES:
            _account(courier, url, clock, line, carriers[line.code], centre)
    return Couriers(
        ordered=tuple(carriers[line.code] for line in LINES if not line.follows),
        followed=tuple(carriers[line.code] for line in LINES if line.follows),
    )


def told(courier: CourierWorld, shipment: Shipment, event: EventWire) -> Iterator[Says]:
    """The pushes with which whoever follows a waybill is told of one event, each in its own words."""
    label = f"{shipment.number} {event.kind.value}"
    if shipment.callback_url and shipment.api_key in courier.accounts:
        yield label, partial(_signed, courier, shipment, event)
    for follower in shipment.followers:
        for listed in kuaidi100_pushes(shipment, follower):
            yield f"{label} list", partial(_unchanged, listed)
    for key in sorted(shipment.watchers):
        contract = courier.contracts[key]
        push = PUSHES[contract.interface](shipment, event, contract)
        if push is not None:  # this courier has a word for it
            yield f"{label} {contract.interface}", partial(_unchanged, push)


def shipment_of(courier: CourierWorld, couriers: Couriers, carrier_id: int, number: str) -> Shipment | None:
    """The courier's own record; one that it never heard of through us it makes when the bag is handed in."""
    follower = couriers.follows(carrier_id)
    if follower is not None:
        return courier.adopt(number, company=follower.company)
    try:
        return courier.shipment(number)
    except Unknown:
        return None


def _signed(courier: CourierWorld, shipment: Shipment, event: EventWire, at: datetime) -> Push:
    secrets = courier.accounts[shipment.api_key]
    return neutral_push(shipment, event, secrets=secrets, timestamp=int(at.timestamp()))


def _unchanged(push: Push, at: datetime) -> Push:
    return push


def _account(
    courier: CourierWorld, url: str, clock: Clock, line: Line, carrier: Carrier, centre: ServiceCentre
) -> None:
    number = f"{line.code.upper()}-{centre.code}"
    account = add_account(
        carrier=carrier,
        centre=centre,
        number=number,
        credentials=_credentials(line.adapter, centre.code),
        options=_addresses(line.adapter, url),
        actor=SYSTEM,
        now=clock.now(),
    )
    if line.adapter == "sf":  # nothing is signed: where a push comes from has to do
        CarrierAccount.objects.filter(pk=account.pk).update(allowed_addresses=[HOME])
    _introduce(courier, line.adapter, number, centre.code, callback_url(account))
    tariff = sample_tariff(carrier=carrier.code, centre_id=centre.pk, day=local_day(clock.now()))
    add_tariff(tariff=tariff, actor=SYSTEM, now=clock.now())


def _credentials(adapter: str, code: str) -> dict[str, str]:
    sixteen = base64.b64encode(hashlib.sha256(code.encode()).digest()[:16]).decode()
    return {
        "neutral": {"api_key": f"key-{code}", "webhook_secret": SECRET},
        "ems": {"key": sixteen, "authorization": f"auth-{code}"},
        "sf": {"partner_id": f"P-{code}", "checkword": f"check-{code}"},
        "kuaidi100": {"key": f"kd-{code}", "customer": f"customer-{code}", "salt": "salt-A1"},
        "kdniao": {"customer_id": f"K-{code}", "app_key": f"app-{code}"},
    }[adapter]


def _addresses(adapter: str, url: str) -> dict[str, str]:
    return {
        "neutral": {"base_url": url},
        "ems": {"base_url": f"{url}/ems/open"},
        "sf": {"service_url": f"{url}/sf/service"},
        "kuaidi100": {"poll_url": f"{url}/poll", "query_url": f"{url}/poll/query.do"},
        "kdniao": {
            "subscribe_url": f"{url}/kdniao/api/dist",
            "query_url": f"{url}/kdniao/Ebusiness/EbusinessOrderHandle.aspx",
        },
    }[adapter]


def _introduce(courier: CourierWorld, adapter: str, number: str, code: str, push_url: str) -> None:
    """The account at the courier's end, as its console would have it."""
    secrets = _credentials(adapter, code)
    if adapter == "neutral":
        courier.accounts[secrets["api_key"]] = [SECRET]
        return
    if adapter == "kuaidi100":
        courier.kuaidi100_keys[secrets["key"]] = secrets["customer"]
        return
    names: Mapping[str, tuple[str, dict[str, str]]] = {
        "ems": (number, secrets),
        "sf": (secrets.get("partner_id", ""), {"checkword": secrets.get("checkword", ""), "card": number}),
        "kdniao": (secrets.get("customer_id", ""), secrets),
    }
    name, held = names[adapter]
    contract = Contract(adapter, name, held, push_url)
    courier.contracts[contract.key] = contract
