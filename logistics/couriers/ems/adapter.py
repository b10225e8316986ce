"""EMS (中国邮政): orders, labels, tracking and postage of contract customers.

Settled in the contract and therefore options of the account: `base_url`; `product` (1 特快专递) and `product_collect`
(3 特快到付); `payment_collect` (4 收件人集中付费, to be confirmed; 2 is the receiver at the door); `contents` (1 文件);
`label_type` (149 = 76 × 149 mm). Pushes (040002) are switched on by EMS, so subscribing is nothing to do here; how often
EMS repeats a push and whether pushes carry the key suffix is not published: both forms are read. Whether a repeated
order number gives the same waybill is not published either, so an order whose answer was lost is never repeated: a
person looks it up and registers the number. The shape of the label answer is from experience.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from logistics.couriers.base import (
    Account,
    Acknowledgement,
    Booking,
    ChargeLine,
    LabelFile,
    Order,
    Party,
    Payer,
    Proof,
    Quote,
    RawRequest,
    Report,
    Settling,
    Subscription,
)
from logistics.couriers.calling import Caller
from logistics.couriers.ems.envelope import key_bytes, seal, unseal
from logistics.couriers.ems.wire import (
    Answer,
    Created,
    Estimate,
    LabelBody,
    Operation,
    Operations,
    PushEnvelope,
)
from logistics.couriers.errors import (
    AnswerLost,
    BadAccount,
    BadAnswer,
    BadPush,
    CourierSaidNo,
    FateUnknown,
    Forged,
    NotOffered,
    Unreachable,
)
from logistics.couriers.wall_clock import as_carriers_write

BASE_URL = "https://api.ems.com.cn/amp-prod-api/f/amp/api/open"
DONE, BUSY = "00000", "S00001"
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass
class Ems:
    """Speaks for one contract. Account number: 协议客户号. Credentials: `key` (Base64, 16 bytes), `authorization`."""

    account: Account
    caller: Caller
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    code: str = "ems"
    creates_once: bool = False

    def __post_init__(self) -> None:
        missing = [name for name in ("key", "authorization") if not self.account.credentials.get(name)]
        if not self.account.number:
            missing.append("number")
        try:
            key_bytes(self.account.credentials.get("key", ""))
        except ValueError:
            missing.append("key")
        if missing:
            raise BadAccount(sorted(set(missing)))

    def quote(self, order: Order) -> Quote:
        """050005: an estimate in yuan, given as fen."""
        body = {
            "productCode": self._product(order),
            "weight": str(order.weight_g),
            "senderInfo": _address(order.sender),
            "receiveInfo": _address(order.receiver),
        }
        fee = self._ask("050005", body, Estimate).total_fee
        try:
            return Quote(amount_fen=int((Decimal(fee) * 100).to_integral_value()))
        except InvalidOperation:
            raise BadAnswer from None

    def create(self, order: Order) -> Booking:
        """020003, once. A lost answer raises FateUnknown."""
        try:
            made = self._ask("020003", [self._order(order)], Created, may_repeat=False)
        except AnswerLost:
            raise FateUnknown from None
        if made.order_no != order.reference or not made.waybill_no:
            raise BadAnswer
        routing = {
            "route_code": made.route_code,
            "package_code": made.package_code,
            "package_name": made.package_name,
            "mark_code": made.mark_code,
            "mark_name": made.mark_name,
        }
        return Booking(
            waybill_number=made.waybill_no.split(",")[0].strip(),
            reference=order.reference,
            routing={name: value for name, value in routing.items() if value},
        )

    def find(self, reference: str) -> Booking | None:
        """Not offered: EMS answers by waybill number only."""
        raise NotOffered("按寄件编号查单")

    def cancel(self, waybill_number: str, *, reference: str, reason: str) -> None:
        """020006."""
        self._send(
            "020006", {"logisticsOrderNo": reference, "waybillNo": waybill_number, "cancelReason": reason}
        )

    def label(self, waybill_number: str) -> LabelFile:
        """010004 as PDF."""
        body = {
            "waybillNo": waybill_number,
            "type": self.account.options.get("label_type", "149"),
            "getURL": "0",
            "isReturn": "0",
        }
        try:
            content = base64.b64decode(self._ask("010004", body, LabelBody).content, validate=True)
        except binascii.Error:
            raise BadAnswer from None
        if not content.startswith(b"%PDF"):
            raise BadAnswer
        return LabelFile(media_type="application/pdf", content=content)

    def subscribe(self, subscription: Subscription) -> None:
        """Nothing to do: the contract says where EMS pushes."""

    def query(self, subscription: Subscription) -> Report:
        """040001: every scan so far, reversals among them."""
        body = {"waybillNo": subscription.waybill_number, "direction": "0"}
        try:
            scans = tuple(item.scan() for item in self._ask("040001", body, Operations).items)
        except ValueError:
            raise BadAnswer from None
        return Report(
            waybill_number=subscription.waybill_number,
            reference=subscription.reference,
            scans=tuple({scan.key: scan for scan in scans}.values()),
        )

    def verify(self, raw: RawRequest, *, now: datetime) -> Proof:
        """Only who has the key can seal a text that reads as JSON: weaker than a signature, but no more is offered."""
        self._opened(raw, keys=self.account.accepted("key", now=now))
        return Proof.SIGNED

    def delivery_key(self, raw: RawRequest) -> str:
        """The serial number together with the content, which a repetition shares."""
        try:
            return hashlib.sha256(_envelope(raw).sealed.encode()).hexdigest()
        except Forged:
            return raw.digest

    def parse_push(self, raw: RawRequest) -> list[Report]:
        """One scan."""
        keys = [
            self.account.credentials["key"],
            *(old.credentials.get("key", "") for old in self.account.retired),
        ]
        try:
            report = self._opened(raw, keys=[key for key in keys if key]).report()
        except (Forged, ValueError):
            raise BadPush("加密内容或时间格式不符") from None
        if not report.waybill_number:
            raise BadPush("缺少运单号")
        return [report]

    def acknowledge(self, raw: RawRequest, *, accepted: bool, now: datetime) -> Acknowledgement:
        """The serial number back, with 00000 or S00001."""
        try:
            serial, sender = _envelope(raw).serial_no, _envelope(raw).sender_no
        except Forged:
            serial, sender = "", ""
        body = {"serialNo": serial, "code": DONE if accepted else BUSY, "codeMessage": "", "senderNo": sender}
        return Acknowledgement(_compact(body).encode())

    def fetch_charges(self, month: date, *, waybills: Sequence[str] = ()) -> list[ChargeLine]:
        """Not offered: the statement comes as a file."""
        raise NotOffered("账单查询")

    def _opened(self, raw: RawRequest, *, keys: list[str]) -> Operation:
        sealed = _envelope(raw).sealed
        for key in keys:
            try:
                return Operation.model_validate_json(unseal(sealed, key))
            except ValueError:  # also ValidationError and UnicodeDecodeError: this key did not seal it
                continue
        raise Forged("密文无法解开")

    def _product(self, order: Order) -> str:
        if order.payment.payer is Payer.RECEIVER:
            return self.account.options.get("product_collect", "3")
        return self.account.options.get("product", "1")

    def _order(self, order: Order) -> dict[str, object]:
        collect = self.account.options.get("payment_collect", "4")
        cash = order.payment.settling is Settling.CASH and order.payment.payer is Payer.RECEIVER
        payment = {Payer.SENDER: "1", Payer.RECEIVER: "2" if cash else collect, Payer.THIRD_PARTY: "3"}
        return {
            "createdTime": as_carriers_write(self.clock()),
            "ecommerceUserId": order.reference,
            "senderNo": self.account.number,
            "logisticsOrderNo": order.reference,
            "oneBillFlag": "0",
            "contentsAttribute": self.account.options.get("contents", "1"),
            "bizProductNo": self._product(order),
            "weight": str(order.weight_g),
            "length": str(-(-order.length_mm // 10)),
            "width": str(-(-order.width_mm // 10)),
            "height": str(-(-order.height_mm // 10)),
            "deliverType": "2",
            "pickupType": "1",
            "paymentMode": payment[order.payment.payer],
            "note": order.remark,
            "sender": _contact(order.sender),
            "receiver": _contact(order.receiver),
            "cargos": [{"cargoName": order.contents, "cargoQuantity": "1"}],
        }

    def _ask(self, api: str, body: object, shape: type[Shape], *, may_repeat: bool = True) -> Shape:
        answer = self._send(api, body, may_repeat=may_repeat)
        try:
            content = json.loads(answer.ret_body)
            # Orders go out as a list and may come back as one.
            return shape.model_validate(content[0] if isinstance(content, list) and content else content)
        except ValueError:
            raise BadAnswer from None

    def _send(self, api: str, body: object, *, may_repeat: bool = True) -> Answer:
        fields = {
            "apiCode": api,
            "senderNo": self.account.number,
            "authorization": self.account.credentials["authorization"],
            "msgType": "0",
            "timeStamp": as_carriers_write(self.clock()),
            "version": "V1.0.0",
            "logitcsInterface": seal(_compact(body), self.account.credentials["key"]),
        }
        url = self.account.options.get("base_url", BASE_URL)
        request = self.caller.client.build_request("POST", url, data=fields)
        response = self.caller.send(request, may_repeat=may_repeat)
        try:
            answer = Answer.model_validate_json(response.content)
        except ValidationError:
            raise BadAnswer from None
        if answer.ret_code == BUSY:
            raise Unreachable if may_repeat else AnswerLost
        if answer.ret_code != DONE:
            raise CourierSaidNo(
                f"EMS 拒绝了请求（{answer.ret_code[:20]}），请核对寄件信息或账户配置。",
                carrier_code=answer.ret_code[:20],
            )
        return answer


def _envelope(raw: RawRequest) -> PushEnvelope:
    try:
        return TypeAdapter(PushEnvelope).validate_json(raw.body)
    except ValidationError:
        raise Forged("不是 EMS 推送格式") from None


def _contact(party: Party) -> dict[str, str]:
    return {"name": party.name, "mobile": party.phone, **_address(party)}


def _address(party: Party) -> Mapping[str, str]:
    return {"prov": party.province, "city": party.city, "county": party.county, "address": party.address}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
