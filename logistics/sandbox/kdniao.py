"""The sandbox as kdniao: subscriptions and queries for waybills of any carrier, pushes of full lists."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import Field, TypeAdapter

from logistics.couriers.kdniao.adapter import data_sign
from logistics.couriers.neutral.wire import EventWire
from logistics.couriers.wall_clock import as_carriers_write
from logistics.rules.tracking import TrackingKind as Kind
from logistics.sandbox.http import Answer, Request, Route, as_json, route
from logistics.sandbox.pushing import Push
from logistics.sandbox.wires import Filled, Wire, compact
from logistics.sandbox.world import Contract, Shipment, Unknown, World

SUBSCRIBE, QUERY = ("1008", "8008"), ("1002", "8001", "8002")
STATES: dict[Kind, str] = {
    Kind.ORDERED: "10",
    Kind.COLLECTED: "1",
    Kind.IN_TRANSIT: "2",
    Kind.ARRIVED_CITY: "201",
    Kind.OUT_FOR_DELIVERY: "202",
    Kind.AT_LOCKER: "211",
    Kind.DELIVERED: "301",
    Kind.FAILED_ATTEMPT: "405",
    Kind.REFUSED: "404",
    Kind.RETURNING: "407",
    Kind.RETURNED: "406",
    Kind.CUSTOMS: "6",
    Kind.DAMAGED: "414",
    Kind.CANCELLED: "415",
    Kind.EXCEPTION: "4",
    Kind.LOST: "4",
}
"""Our vocabulary as StateEx. kdniao has no state for a loss: only "问题件"."""


class Wish(Wire):
    """RequestData of a subscription or a query. SF waybills are followed only with four digits of a telephone."""

    company: Filled = Field(alias="ShipperCode")
    number: Filled = Field(alias="LogisticCode")
    phone: str = Field("", alias="CustomerName")

    @property
    def complete(self) -> bool:
        """Whether kdniao would follow it."""
        return self.company != "SF" or len(self.phone) == 4


class KdniaoDesk:
    """Answers the two addresses. A contract's name is the EBusinessID; its secret: `app_key`."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [
            route("POST", "/kdniao/api/dist", "subscribe", self.subscribe),
            route("POST", "/kdniao/Ebusiness/EbusinessOrderHandle.aspx", "query", self.query),
        ]

    def subscribe(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Follows a waybill; a second time changes nothing."""
        contract, wish = self._read(request, SUBSCRIBE)
        if contract is None or wish is None or not wish.complete:
            return self._reply(contract, taken=False)
        with self.world.locked() as world:
            shipment = world.adopt(wish.number, company=wish.company.lower())
            shipment.watchers[contract.key] = wish.company.lower()
        return self._reply(contract, taken=True)

    def query(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """The full list, oldest first."""
        contract, wish = self._read(request, QUERY)
        if contract is None or wish is None or not wish.complete:
            return self._reply(contract, taken=False)
        try:
            with self.world.locked() as world:
                shipment = world.shipment(wish.number)
                return as_json(_tracked(shipment, contract, company=wish.company.lower()))
        except Unknown:
            return self._reply(contract, taken=False)

    def _read(self, request: Request, kinds: tuple[str, ...]) -> tuple[Contract | None, Wish | None]:
        fields = request.fields()
        contract = self.world.contracts.get(("kdniao", fields.get("EBusinessID", "")))
        data = fields.get("RequestData", "")
        if contract is None:
            return None, None
        sign = data_sign(data, contract.secrets["app_key"])
        if not hmac.compare_digest(sign.encode(), fields.get("DataSign", "").encode()):
            return None, None
        if fields.get("RequestType") not in kinds or fields.get("DataType") != "2":
            return contract, None
        try:
            return contract, Wish.model_validate_json(data)
        except ValueError:
            return contract, None

    def _reply(self, contract: Contract | None, *, taken: bool) -> Answer:
        return as_json(
            {
                "EBusinessID": contract.name if contract else "",
                "UpdateTime": as_carriers_write(self.world.clock()),
                "Success": taken,
                "Reason": "" if taken else "非法参数",
            }
        )


def kdniao_push(shipment: Shipment, event: EventWire, contract: Contract) -> Push:
    """The full list after an event, signed."""
    content = {
        "EBusinessID": contract.name,
        "PushTime": as_carriers_write(event.at),
        "Count": "1",
        "Data": [_tracked(shipment, contract, company=shipment.watchers[contract.key])],
    }
    data = compact(content)

    def form(key: str) -> bytes:
        fields = {"RequestData": data, "RequestType": "102", "DataSign": data_sign(data, key)}
        return urlencode(fields).encode()

    key = contract.secrets["app_key"]
    return Push(
        url=contract.push_url,
        headers={"content-type": "application/x-www-form-urlencoded;charset=utf-8"},
        body=form(key),
        forged=form(key + "-"),
        accepts=_taken,
    )


def _tracked(shipment: Shipment, contract: Contract, *, company: str) -> dict[str, object]:
    known = company == shipment.company
    traces = [
        {
            "AcceptTime": as_carriers_write(event.at),
            "AcceptStation": event.words,
            "Location": event.place,
            "Action": STATES.get(event.kind, "2"),
            "Remark": "",
        }
        for event in (_told(shipment) if known else [])
    ]
    state = str(traces[-1]["Action"]) if traces else "0"
    expected = shipment.expected_at()
    return {
        "EBusinessID": contract.name,
        "OrderCode": shipment.reference,
        "ShipperCode": company.upper(),
        "LogisticCode": shipment.number,
        "Success": bool(traces),
        "Reason": "" if traces else "暂无轨迹信息",
        "State": state[0],
        "StateEx": state,
        "Location": str(traces[-1]["Location"]) if traces else "",
        "EstimatedDeliveryTime": as_carriers_write(expected) if expected and traces else "",
        "Traces": traces,
    }


def _told(shipment: Shipment) -> list[EventWire]:
    """What stands, and a line for each correction: what was taken back is left out."""
    held = {event.id for event in shipment.held()}
    told = [one for one in shipment.events if one.id in held or one.kind is Kind.REVERSAL]
    return sorted(told, key=lambda event: (event.at, event.id))


def _taken(answer: bytes) -> bool:
    try:
        return TypeAdapter(dict[str, object]).validate_json(answer).get("Success") is True
    except ValueError:
        return False
