"""The sandbox as SF (丰桥): one address for every service, route pushes without any signature.

An order number ordered again is refused as a repetition (one of the two behaviours that the sources tell of). Kinds that
SF has no agreed code for are not told, and a scan that was taken back simply stands no longer in a route query.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field, TypeAdapter

from logistics.couriers.base import Payer
from logistics.couriers.neutral.wire import EventWire, OrderWire, PartyWire
from logistics.couriers.sf.digest import message_digest
from logistics.couriers.wall_clock import as_carriers_write
from logistics.rules.tracking import TrackingKind as Kind
from logistics.sandbox.http import Answer, Request, Route, as_json, route
from logistics.sandbox.pushing import Push
from logistics.sandbox.wires import Wire, Written, compact, order_of, yuan
from logistics.sandbox.world import Contract, Shipment, Unknown, World

GOOD, INPUT, DIGEST = "A1000", "A1001", "A1006"
REPEATED, NO_SUCH_ORDER, COLLECTED, NO_SUCH_WAYBILL = "8016", "8018", "8037", "8024"
ACTS = {
    "EXP_RECE_CREATE_ORDER": "create",
    "EXP_RECE_SEARCH_ORDER_RESP": "find",
    "EXP_RECE_UPDATE_ORDER": "cancel",
    "EXP_RECE_REGISTER_ROUTE": "subscribe",
    "EXP_RECE_SEARCH_ROUTES": "query",
    "EXP_RECE_QUERY_SFWAYBILL": "charges",
}
CODES: dict[Kind, str] = {
    Kind.COLLECTED: "50",
    Kind.IN_TRANSIT: "36",
    Kind.ARRIVED_CITY: "31",
    Kind.OUT_FOR_DELIVERY: "44",
    Kind.AT_LOCKER: "125",
    Kind.DELIVERED: "80",
    Kind.FAILED_ATTEMPT: "70",
    Kind.RETURNING: "99",
    Kind.EXCEPTION: "99",
    Kind.LOST: "8000",
    Kind.DAMAGED: "8000",
}
REASONS: dict[Kind, str] = {Kind.LOST: "6", Kind.DAMAGED: "2"}
PAYERS = {1: Payer.SENDER, 2: Payer.RECEIVER, 3: Payer.THIRD_PARTY}
METHODS = {payer: str(code) for code, payer in PAYERS.items()}


class Refusal(Exception):
    """An inner error code."""


class Contact(Wire):
    """One entry of contactInfoList: 1 sends, 2 receives."""

    kind: Literal[1, 2] = Field(alias="contactType")
    company: str = ""
    contact: Written
    mobile: Written
    province: str = ""
    city: str = ""
    county: str = ""
    address: Written

    def party(self) -> PartyWire:
        """As the sandbox keeps it."""
        return PartyWire(
            name=self.contact,
            phone=self.mobile,
            province=self.province,
            city=self.city,
            county=self.county,
            address=self.address,
            organisation=self.company,
        )


class OrderBody(Wire):
    """msgData of CREATE_ORDER."""

    reference: str = Field(alias="orderId", min_length=1, max_length=64)
    contacts: list[Contact] = Field(alias="contactInfoList", min_length=2, max_length=2)
    card: str = Field("", alias="monthlyCard")
    method: Literal[1, 2, 3] = Field(alias="payMethod")
    product: int = Field(alias="expressTypeId", ge=1)
    pieces: int = Field(alias="parcelQty", ge=1, le=307)
    weight_kg: float = Field(alias="totalWeight", gt=0)
    remark: str = Field("", max_length=100)

    def order(self) -> OrderWire:
        """As the sandbox keeps it."""
        ends = {contact.kind: contact.party() for contact in self.contacts}
        return order_of(
            reference=self.reference,
            sender=ends[1],
            receiver=ends[2],
            payer=PAYERS[self.method],
            account=self.card,
            weight_g=round(self.weight_kg * 1000),
        )


class SfDesk:
    """Answers the service address. A contract's secrets: `checkword`; `card` is its monthly card."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.services: dict[str, Callable[[World, Contract, object], object]] = {
            "EXP_RECE_CREATE_ORDER": _create,
            "EXP_RECE_SEARCH_ORDER_RESP": _search,
            "EXP_RECE_UPDATE_ORDER": _update,
            "EXP_RECE_REGISTER_ROUTE": _register,
            "EXP_RECE_SEARCH_ROUTES": _routes,
            "EXP_RECE_QUERY_SFWAYBILL": _fees,
        }

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [route("POST", "/sf/service", _act, self.serve)]

    def serve(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """Checks the digest and does what is asked."""
        fields = request.fields()
        contract = self.world.contracts.get(("sf", fields.get("partnerID", "")))
        if contract is None or not _signed(contract, fields):
            return _outer(DIGEST)
        service = self.services.get(fields.get("serviceCode", ""))
        if service is None or not 0 < len(fields.get("requestID", "")) <= 40:
            return _outer(INPUT)
        try:
            with self.world.locked() as world:
                data = service(world, contract, json.loads(fields["msgData"]))
        except Refusal as refusal:
            return _inner({"success": False, "errorCode": str(refusal), "errorMsg": "", "msgData": None})
        except Unknown:
            return _inner({"success": False, "errorCode": NO_SUCH_WAYBILL, "errorMsg": "", "msgData": None})
        except (ValueError, KeyError, TypeError):
            return _outer(INPUT)
        return _inner({"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": data})


def sf_push(shipment: Shipment, event: EventWire, contract: Contract) -> Push | None:
    """One scan; None when SF has no code for it."""
    told = _route(event)
    if told is None:
        return None
    body = {
        "Body": {
            "WaybillRoute": [
                {"id": event.id, "mailno": shipment.number, "orderid": shipment.reference, **told}
            ]
        }
    }
    return Push(
        url=contract.push_url,
        headers={"content-type": "application/json; charset=utf-8"},
        body=compact(body).encode(),
        accepts=_taken,
    )


def _act(request: Request) -> str:
    return ACTS.get(request.fields().get("serviceCode", ""), "other")


def _signed(contract: Contract, fields: Mapping[str, str]) -> bool:
    digest = message_digest(
        fields.get("msgData", ""), fields.get("timestamp", ""), contract.secrets["checkword"]
    )
    return hmac.compare_digest(digest.encode(), fields.get("msgDigest", "").encode())


def _outer(code: str, data: str = "") -> Answer:
    return as_json(
        {"apiResultCode": code, "apiErrorMsg": "", "apiResponseID": "sandbox", "apiResultData": data}
    )


def _inner(result: object) -> Answer:
    return _outer(GOOD, compact(result))


def _create(world: World, contract: Contract, wish: object) -> object:
    body = OrderBody.model_validate(wish)
    if body.card and body.card != contract.secrets["card"]:
        raise ValueError("not the card of this contract")
    shipment, new = world.place(body.order(), api_key=contract.owner, form="SF10{:011d}")
    if not new:
        raise Refusal(REPEATED)
    return _found(shipment)


def _search(world: World, contract: Contract, wish: object) -> object:
    told = TypeAdapter(dict[str, str]).validate_python(wish)
    found = world.ordered(told["orderId"], api_key=contract.owner)
    if not found or found[0].cancelled:
        raise Refusal(NO_SUCH_ORDER)
    return _found(found[0])


class Update(Wire):
    """msgData of UPDATE_ORDER."""

    reference: str = Field(alias="orderId", min_length=1)
    deal: Literal[2] = Field(alias="dealType")


def _update(world: World, contract: Contract, wish: object) -> object:
    body = Update.model_validate(wish)
    found = world.ordered(body.reference, api_key=contract.owner)
    if not found:
        raise Refusal(NO_SUCH_ORDER)
    if not world.cancel(found[0]):
        raise Refusal(COLLECTED)
    return {**_found(found[0]), "resStatus": 2}


class Registration(Wire):
    """msgData of REGISTER_ROUTE; type 2 names a waybill."""

    kind: Literal["2"] = Field(alias="type")
    number: str = Field(alias="attributeNo")
    phone: str = Field("", alias="checkPhoneNo")


def _register(world: World, contract: Contract, wish: object) -> object:
    body = Registration.model_validate(wish)
    shipment = _permitted(world, contract, body.number, body.phone)
    shipment.watchers[contract.key] = ""
    return {"attributeNo": body.number}


class RouteQuestion(Wire):
    """msgData of SEARCH_ROUTES; trackingType 1 names waybills."""

    kind: Literal["1"] = Field(alias="trackingType")
    numbers: list[str] = Field(alias="trackingNumber", min_length=1, max_length=10)
    phone: str = Field("", alias="checkPhoneNo")


def _routes(world: World, contract: Contract, wish: object) -> object:
    question = RouteQuestion.model_validate(wish)
    answers = []
    for number in question.numbers:
        held = _permitted(world, contract, number, question.phone).held()
        told = [one for one in map(_route, held) if one is not None]
        answers.append({"mailNo": number, "routes": told})
    return {"routeResps": answers}


class FeeQuestion(Wire):
    """msgData of QUERY_SFWAYBILL; trackingType 2 names a waybill."""

    kind: Literal["2"] = Field(alias="trackingType")
    number: str = Field(alias="trackingNum")


def _fees(world: World, contract: Contract, wish: object) -> object:
    shipment = world.own(FeeQuestion.model_validate(wish).number, api_key=contract.owner)
    order = shipment.order
    collected = any(event.kind is Kind.COLLECTED for event in shipment.held())
    fees = []
    if order is not None and collected:
        fees.append(
            {
                "type": "1",
                "name": "运费",
                "value": float(yuan(world.prices.amount_fen(order))),
                "paymentTypeCode": METHODS[order.payment.payer],
                "settlementTypeCode": "2" if order.payment.account else "1",
                "customerAcctCode": order.payment.account,
            }
        )
    weight = world.prices.billed_weight_g(order) / 1000 if order else 0
    return {
        "waybillInfo": {
            "waybillNo": shipment.number,
            "orderId": shipment.reference,
            "meterageWeightQty": weight,
        },
        "waybillFeeList": fees,
    }


def _permitted(world: World, contract: Contract, number: str, phone: str) -> Shipment:
    """A waybill of this contract, or of another's whose sender's or receiver's last four digits are known."""
    shipment = world.shipment(number)
    if shipment.api_key == contract.owner:
        return shipment
    ends = [shipment.order.sender.phone, shipment.order.receiver.phone] if shipment.order else []
    if len(phone) < 4 or not any(end.endswith(phone[-4:]) for end in ends):
        raise Unknown(number)
    return shipment


def _found(shipment: Shipment) -> dict[str, object]:
    return {
        "orderId": shipment.reference,
        "filterResult": 2,
        "waybillNoInfoList": [{"waybillType": 1, "waybillNo": shipment.number}],
    }


def _route(event: EventWire) -> dict[str, str] | None:
    code = CODES.get(event.kind, "")
    if not code:
        return None
    return {
        "acceptTime": as_carriers_write(event.at),
        "acceptAddress": event.place,
        "remark": event.words,
        "opCode": code,
        "reasonCode": REASONS.get(event.kind, ""),
        "reasonName": "",
    }


def _taken(answer: bytes) -> bool:
    try:
        return TypeAdapter(dict[str, str]).validate_json(answer).get("return_code") == "0000"
    except ValueError:
        return False
