"""The sandbox as China Post EMS: one sealed address for everything, one sealed scan a push.

Where the documents are silent it plays the worse courier: the same order number ordered again makes a second waybill.
Kinds that EMS has no code for are not told.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field, TypeAdapter

from logistics.couriers.base import Payer
from logistics.couriers.ems.envelope import seal, unseal
from logistics.couriers.neutral.wire import EventWire, OrderWire, PartyWire
from logistics.couriers.wall_clock import as_carriers_write, shanghai_time
from logistics.rules.tracking import TrackingKind as Kind
from logistics.sandbox.http import Answer, Request, Route, as_json, route
from logistics.sandbox.pushing import Push
from logistics.sandbox.wires import Filled, Wire, Written, compact, label_pdf, order_of, yuan
from logistics.sandbox.world import Contract, Shipment, Unknown, World

DONE, WRONG = "00000", "B00001"
ACTS = {
    "020003": "create",
    "020006": "cancel",
    "010004": "label",
    "040001": "query",
    "050005": "quote",
}
CODES: dict[Kind, str] = {
    Kind.COLLECTED: "203",
    Kind.IN_TRANSIT: "305",
    Kind.ARRIVED_CITY: "713",
    Kind.OUT_FOR_DELIVERY: "702",
    Kind.DELIVERED: "704",
    Kind.FAILED_ATTEMPT: "705",
    Kind.REFUSED: "705",
    Kind.RETURNING: "708",
    Kind.RETURNED: "711",
    Kind.AT_LOCKER: "747",
    Kind.LOST: "987",
    Kind.CANCELLED: "801",
    Kind.EXCEPTION: "013",
}
REASONS: dict[Kind, str] = {Kind.FAILED_ATTEMPT: "2", Kind.REFUSED: "7"}
UNDONE: dict[str, str] = {"203": "207", "702": "742", "704": "743", "705": "744"}
PAYERS = {"1": Payer.SENDER, "2": Payer.RECEIVER, "3": Payer.THIRD_PARTY, "4": Payer.RECEIVER}


class Contact(Wire):
    """Sender or receiver."""

    name: Written
    mobile: Written
    prov: str = ""
    city: str = ""
    county: str = ""
    address: Written

    def party(self) -> PartyWire:
        """As the sandbox keeps it."""
        return PartyWire(
            name=self.name,
            phone=self.mobile,
            province=self.prov,
            city=self.city,
            county=self.county,
            address=self.address,
        )


class OrderBody(Wire):
    """One order of 020003: what the documents mark as needed is needed here."""

    created: Filled = Field(alias="createdTime")
    user: Filled = Field(alias="ecommerceUserId")
    sender_no: Filled = Field(alias="senderNo")
    reference: Filled = Field(alias="logisticsOrderNo")
    contents: Literal["1", "2", "3", "4"] = Field(alias="contentsAttribute")
    product: Literal["1", "2", "3", "9", "10", "11"] = Field(alias="bizProductNo")
    payment: Literal["1", "2", "3", "4"] = Field(alias="paymentMode")
    weight: int = Field(gt=0)
    length: int = 0
    width: int = 0
    height: int = 0
    sender: Contact
    receiver: Contact

    def order(self) -> OrderWire:
        """As the sandbox keeps it; only payment by the receiver at the door is cash."""
        return order_of(
            reference=self.reference,
            sender=self.sender.party(),
            receiver=self.receiver.party(),
            payer=PAYERS[self.payment],
            account="" if self.payment == "2" else self.sender_no,
            weight_g=self.weight,
            sides_mm=(self.length * 10, self.width * 10, self.height * 10),
        )


class EmsDesk:
    """Answers the open platform's one address. A contract's secrets: `key`, `authorization`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.services: dict[str, Callable[[World, Contract, object], object]] = {
            "020003": _create,
            "020006": _cancel,
            "010004": _label,
            "040001": _track,
            "050005": _estimate,
        }

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [route("POST", "/ems/open", _act, self.serve)]

    def serve(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Opens the envelope and does what it asks."""
        fields = request.fields()
        contract = self.world.contracts.get(("ems", fields.get("senderNo", "")))
        if contract is None or not _known(contract, fields):
            return _answer(WRONG, "授权码错误")
        service = self.services.get(fields.get("apiCode", ""))
        text = _opened(fields.get("logitcsInterface", ""), contract.secrets["key"])
        if service is None or not text or (fields.get("msgType"), fields.get("version")) != ("0", "V1.0.0"):
            return _answer(WRONG, "报文错误")
        try:
            shanghai_time(fields.get("timeStamp", ""))
            with self.world.locked() as world:
                return _answer(DONE, "成功", service(world, contract, json.loads(text)))
        except (Unknown, ValueError, KeyError, TypeError):
            return _answer(WRONG, "数据校验不通过")


def ems_push(shipment: Shipment, event: EventWire, contract: Contract) -> Push | None:
    """One scan, sealed without the key as suffix; None when EMS has no code for it."""
    operation = _operation(shipment, event)
    if operation is None:
        return None
    serial = hashlib.sha256(event.id.encode()).hexdigest()[:32]
    body = {
        "logitcsInterface": seal(compact(operation), contract.secrets["key"], suffix=False),
        "method": "040002",
        "msgType": "0",
        "senderNo": contract.name,
        "serialNo": serial,
        "timeStamp": as_carriers_write(event.at),
        "version": "v1.0.0",
    }
    another_key = base64.b64encode(hashlib.sha256(contract.secrets["key"].encode()).digest()[:16]).decode()
    forged = body | {"logitcsInterface": seal(compact(operation), another_key, suffix=False)}
    return Push(
        url=contract.push_url,
        headers={"content-type": "application/json; charset=utf-8"},
        body=compact(body).encode(),
        forged=compact(forged).encode(),
        accepts=lambda answer: _taken(answer, serial),
    )


def _act(request: Request) -> str:
    return ACTS.get(request.fields().get("apiCode", ""), "other")


def _known(contract: Contract, fields: Mapping[str, str]) -> bool:
    told = fields.get("authorization", "").encode()
    return hmac.compare_digest(contract.secrets["authorization"].encode(), told)


def _opened(sealed: str, key: str) -> str:
    """The JSON inside, or empty. Requests carry the key's text behind it: sealing again shows whether it was there."""
    try:
        text = unseal(sealed, key)
    except ValueError:
        return ""
    return text if hmac.compare_digest(seal(text, key).encode(), sealed.encode()) else ""


def _answer(code: str, message: str, body: object = None) -> Answer:
    return as_json(
        {
            "serialNo": "",
            "retCode": code,
            "retMsg": message,
            "retBody": "" if body is None else compact(body),
            "success": code == DONE,
        }
    )


def _create(world: World, contract: Contract, wish: object) -> object:
    (body,) = TypeAdapter(list[OrderBody]).validate_python(wish)
    if body.sender_no != contract.name:
        raise ValueError("another customer's number")
    before = len(world.ordered(body.reference, api_key=contract.owner))
    shipment, _ = world.place(body.order(), api_key=contract.owner, again=before)
    shipment.watchers[contract.key] = ""
    return {
        "logisticsOrderNo": shipment.reference,
        "waybillNo": shipment.number,
        "routeCode": f"{shipment.number[2:5]}-{shipment.number[5:7]}",
        "packageCode": shipment.number[5:9],
        "packageCodeName": "",
        "markDestinationCode": "",
        "markDestinationName": body.receiver.city,
    }


def _cancel(world: World, contract: Contract, wish: object) -> object:
    told = TypeAdapter(dict[str, str]).validate_python(wish)
    shipment = world.own(told["waybillNo"], api_key=contract.owner)
    if told["logisticsOrderNo"] != shipment.reference or not told["cancelReason"]:
        raise ValueError("not this order")
    if not world.cancel(shipment):
        raise ValueError("collected already")
    return {"waybillNo": shipment.number}


def _label(world: World, contract: Contract, wish: object) -> object:
    told = TypeAdapter(dict[str, str]).validate_python(wish)
    if told["type"] not in ("129", "149", "179"):
        raise ValueError("no such paper")
    shipment = world.own(told["waybillNo"], api_key=contract.owner)
    return {"content": base64.b64encode(label_pdf(shipment.number)).decode()}


def _track(world: World, contract: Contract, wish: object) -> object:
    told = TypeAdapter(dict[str, str]).validate_python(wish)
    shipment = world.own(told["waybillNo"], api_key=contract.owner)
    operations = (_operation(shipment, event) for event in shipment.events)
    return {"responseItems": [operation for operation in operations if operation is not None]}


def _estimate(world: World, contract: Contract, wish: object) -> object:
    told = TypeAdapter(dict[str, object]).validate_python(wish)
    weight = TypeAdapter(int).validate_python(told["weight"])
    fee = yuan(world.prices.weight_fen(weight))
    return {"realFee": fee, "totalFee": fee, "standardFee": fee}


def _operation(shipment: Shipment, event: EventWire) -> dict[str, str] | None:
    code = CODES.get(event.kind, "")
    if event.kind is Kind.REVERSAL:
        undone = next((one for one in shipment.events if one.id == event.reverses), None)
        code = UNDONE.get(CODES.get(undone.kind, ""), "") if undone else ""
    if not code:
        return None
    return {
        "waybillNo": shipment.number,
        "orderNo": shipment.reference,
        "opTime": as_carriers_write(event.at),
        "opCode": code,
        "opName": event.kind.label,
        "opDesc": event.words,
        "opOrgName": event.place,
        "opOrgCity": event.place,
        "attemptDeliveryCode": REASONS.get(event.kind, ""),
    }


def _taken(answer: bytes, serial: str) -> bool:
    try:
        told = TypeAdapter(dict[str, str]).validate_json(answer)
    except ValueError:
        return False
    return (told.get("serialNo"), told.get("code")) == (serial, DONE)
