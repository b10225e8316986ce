"""SF Express (丰桥): orders, cancellation, routes by push and by query.

Unsettled in the public sources and therefore options of the account: `service_url` (production has two addresses; the
sandbox is another), `timestamp_unit` (ms by default, s in one official sample), `express_type`. A repeated order number
is said to give the first waybill by one source and an error by another, so whatever CREATE answers, SEARCH decides.
Route pushes carry no signature in any public sample: they are believed for their unguessable path, best together with
the account's list of allowed addresses. The older XML push is not read. The bodies of route queries and registrations, and
the codes by which SEARCH says that it knows no such order (`unknown_order_codes`), are from experience.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

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
from logistics.couriers.errors import (
    AnswerLost,
    BadAccount,
    BadAnswer,
    BadPush,
    CourierSaidNo,
    NotOffered,
    Unreachable,
)
from logistics.couriers.sf.digest import message_digest
from logistics.couriers.sf.wire import Answer, FeeAnswer, OrderWire, Push, Result, Route, RouteAnswers
from logistics.rules.tracking import Scan
from registry.time import local_day

SERVICE_URL = "https://sfapi.sf-express.com/std/service"
PAY_METHODS = {Payer.SENDER: 1, Payer.RECEIVER: 2, Payer.THIRD_PARTY: 3}
GOOD, RATE_LIMIT = "A1000", "A1005"
UNKNOWN_ORDER = "8018,8024"
UNDELIVERABLE = "3"
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass
class Sf:
    """Speaks for one monthly card. Account number: 月结卡号. Credentials: `partner_id`, `checkword`."""

    account: Account
    caller: Caller
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    code: str = "sf"
    creates_once: bool = True

    def __post_init__(self) -> None:
        missing = [name for name in ("partner_id", "checkword") if not self.account.credentials.get(name)]
        if missing:
            raise BadAccount(missing)

    def quote(self, order: Order) -> Quote:
        """Not offered by the services of the reference; the contract's tariff says it."""
        raise NotOffered("询价")

    def create(self, order: Order) -> Booking:
        """Creates, unless SEARCH knows the reference; whatever CREATE answers, SEARCH has the last word."""
        known = self.find(order.reference)
        if known is not None:
            return known
        refusal: CourierSaidNo | AnswerLost | None = None
        try:
            self._call("EXP_RECE_CREATE_ORDER", self._order(order), may_repeat=False)
        except (CourierSaidNo, AnswerLost) as fault:
            refusal = fault
        made = self.find(order.reference)
        if made is None:
            raise refusal or BadAnswer()
        return made

    def find(self, reference: str) -> Booking | None:
        """EXP_RECE_SEARCH_ORDER_RESP."""
        wish = {"orderId": reference, "searchType": "1"}
        try:
            found = self._ask("EXP_RECE_SEARCH_ORDER_RESP", wish, OrderWire)
        except CourierSaidNo as answer:
            unknown = self.account.options.get("unknown_order_codes", UNKNOWN_ORDER)
            if answer.carrier_code in unknown.split(","):
                return None
            raise
        if found.filter_result == UNDELIVERABLE:
            raise CourierSaidNo("顺丰表示收寄地址超出服务范围，请改用其他承运商。", carrier_code="filter3")
        return found.booking()

    def cancel(self, waybill_number: str, *, reference: str, reason: str) -> None:
        """EXP_RECE_UPDATE_ORDER with dealType 2."""
        wish = {
            "orderId": reference,
            "dealType": 2,
            "waybillNoInfoList": [{"waybillType": 1, "waybillNo": waybill_number}],
        }
        self._call("EXP_RECE_UPDATE_ORDER", wish)

    def label(self, waybill_number: str) -> LabelFile:
        """Not offered: labels are drawn here."""
        raise NotOffered("电子面单")

    def subscribe(self, subscription: Subscription) -> None:
        """EXP_RECE_REGISTER_ROUTE for one waybill."""
        wish = {
            "type": "2",
            "attributeNo": subscription.waybill_number,
            "checkPhoneNo": subscription.phone_tail,
        }
        self._call("EXP_RECE_REGISTER_ROUTE", wish)

    def query(self, subscription: Subscription) -> Report:
        """EXP_RECE_SEARCH_ROUTES."""
        wish = {
            "trackingType": "1",
            "trackingNumber": [subscription.waybill_number],
            "methodType": "1",
            "checkPhoneNo": subscription.phone_tail,
        }
        answers = self._ask("EXP_RECE_SEARCH_ROUTES", wish, RouteAnswers).answers
        try:
            scans = _once(
                route.scan()
                for answer in answers
                if answer.mailno == subscription.waybill_number
                for route in answer.routes
            )
        except ValueError:
            raise BadAnswer from None
        return Report(
            waybill_number=subscription.waybill_number, reference=subscription.reference, scans=scans
        )

    def verify(self, raw: RawRequest, *, now: datetime) -> Proof:
        """There is no signature; the path and the list of addresses stand in."""
        return Proof.PATH

    def delivery_key(self, raw: RawRequest) -> str:
        """Equal content is the same push."""
        return raw.digest

    def parse_push(self, raw: RawRequest) -> list[Report]:
        """Scans of one or more waybills."""
        routes: dict[tuple[str, str], list[Route]] = defaultdict(list)
        try:
            for route in Push.model_validate_json(raw.body).body.routes:
                routes[route.mailno, route.orderid].append(route)
            reports = [
                Report(waybill_number=number, reference=order, scans=_once(route.scan() for route in told))
                for (number, order), told in routes.items()
            ]
        except ValueError:
            raise BadPush("路由推送格式不符") from None
        if not reports or not all(report.waybill_number for report in reports):
            raise BadPush("缺少运单号")
        return reports

    def acknowledge(self, raw: RawRequest, *, accepted: bool, now: datetime) -> Acknowledgement:
        """0000 or 1000."""
        if accepted:
            return Acknowledgement('{"return_code":"0000","return_msg":"成功"}'.encode())
        return Acknowledgement('{"return_code":"1000","return_msg":"失败"}'.encode())

    def fetch_charges(self, month: date, *, waybills: Sequence[str] = ()) -> list[ChargeLine]:
        """EXP_RECE_QUERY_SFWAYBILL for each waybill: what stands for it now, dated with the day of asking.

        Months are not listed here (the statement comes as a file), and the answer names no date of its own.
        """
        if not waybills:
            raise NotOffered("按月查询账单")
        asked_on = local_day(self.clock())
        try:
            return [
                line
                for number in waybills
                for line in self._ask(
                    "EXP_RECE_QUERY_SFWAYBILL", {"trackingType": "2", "trackingNum": number}, FeeAnswer
                ).lines(charged_on=asked_on)
            ]
        except ValueError:
            raise BadAnswer from None

    def _order(self, order: Order) -> dict[str, object]:
        wish: dict[str, object] = {
            "orderId": order.reference,
            "language": "zh-CN",
            "cargoDetails": [{"name": order.contents, "count": 1}],
            "contactInfoList": [_contact(1, order.sender), _contact(2, order.receiver)],
            "payMethod": PAY_METHODS[order.payment.payer],
            "expressTypeId": int(self.account.options.get("express_type", "1")),
            "parcelQty": 1,
            "totalWeight": order.weight_g / 1000,
            "isDocall": 1,
            "remark": order.remark[:100],
        }
        if order.payment.settling is Settling.MONTHLY:
            wish["monthlyCard"] = order.payment.account  # must not be sent for cash
        return wish

    def _ask(self, service: str, wish: object, shape: type[Shape]) -> Shape:
        try:
            return shape.model_validate(self._call(service, wish))
        except ValidationError:
            raise BadAnswer from None

    def _call(self, service: str, wish: object, *, may_repeat: bool = True) -> Mapping[str, object]:
        data = json.dumps(wish, ensure_ascii=False, separators=(",", ":"))
        seconds = self.clock().timestamp()
        in_seconds = self.account.options.get("timestamp_unit", "ms") == "s"
        timestamp = str(int(seconds if in_seconds else seconds * 1000))
        fields = {
            "partnerID": self.account.credentials["partner_id"],
            "requestID": str(uuid.uuid4()),
            "serviceCode": service,
            "timestamp": timestamp,
            "msgDigest": message_digest(data, timestamp, self.account.credentials["checkword"]),
            "msgData": data,
        }
        url = self.account.options.get("service_url", SERVICE_URL)
        response = self.caller.send(
            self.caller.client.build_request("POST", url, data=fields), may_repeat=may_repeat
        )
        try:
            answer = Answer.model_validate_json(response.content)
            if answer.code == GOOD:
                return _inside(Result.model_validate_json(answer.data))
        except ValidationError:
            raise BadAnswer from None
        if answer.code == RATE_LIMIT:
            raise Unreachable
        raise CourierSaidNo(
            f"顺丰拒绝了请求（{answer.code[:10]}），请管理员核对账户配置。", carrier_code=answer.code[:10]
        )


def _inside(result: Result) -> Mapping[str, object]:
    if result.success and result.error_code in ("", "S0000"):
        return result.data
    raise CourierSaidNo(
        f"顺丰拒绝了请求（{result.error_code[:20]}），请核对寄件信息。", carrier_code=result.error_code[:20]
    )


def _once(scans: Iterable[Scan]) -> tuple[Scan, ...]:
    return tuple({scan.key: scan for scan in scans}.values())


def _contact(kind: int, party: Party) -> dict[str, object]:
    return {
        "contactType": kind,
        "company": party.organisation,
        "contact": party.name,
        "mobile": party.phone,
        "country": "CN",
        "province": party.province,
        "city": party.city,
        "county": party.county,
        "address": party.address,
    }
