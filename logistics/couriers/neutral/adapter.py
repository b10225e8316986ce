"""The neutral courier: orders, labels, tracking and charges as JSON; pushes after Standard Webhooks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import quote as escaped

import httpx
from pydantic import BaseModel, ValidationError

from logistics.couriers import standard_webhooks
from logistics.couriers.base import (
    Account,
    Acknowledgement,
    Booking,
    ChargeLine,
    LabelFile,
    Order,
    Proof,
    Quote,
    RawRequest,
    Report,
    Subscription,
)
from logistics.couriers.calling import Caller
from logistics.couriers.errors import AnswerLost, BadAccount, BadAnswer, BadPush, CourierSaidNo
from logistics.couriers.neutral.wire import (
    BookingsWire,
    BookingWire,
    ChargesWire,
    ErrorWire,
    OrderWire,
    PushWire,
    QuoteWire,
    SubscriptionWire,
    TrackingWire,
)

Shape = TypeVar("Shape", bound=BaseModel)
LABEL_TYPES = frozenset({"application/pdf", "image/png"})
MOST_PAGES = 500


@dataclass
class NeutralCourier:
    """Speaks for one account. Credentials: `api_key`, `webhook_secret` (whsec_…). Options: `base_url`."""

    account: Account
    caller: Caller
    code: str = "neutral"
    creates_once: bool = True

    def __post_init__(self) -> None:
        missing = [name for name in ("api_key", "webhook_secret") if not self.account.credentials.get(name)]
        if not self.account.options.get("base_url"):
            missing.append("base_url")
        if not missing and not _usable(self.account):
            missing.append("webhook_secret")
        if missing:
            raise BadAccount(missing)

    def quote(self, order: Order) -> Quote:
        """The courier's price."""
        body = OrderWire.of(order).model_dump(mode="json")
        return self._ask(QuoteWire, "POST", "/v1/quotes", json_body=body, may_repeat=True).value()

    def create(self, order: Order) -> Booking:
        """A waybill; after a lost answer the courier is asked for the reference before anything is sent again."""
        body = OrderWire.of(order).model_dump(mode="json")
        for last in (False, True):
            try:
                made = self._ask(
                    BookingWire,
                    "POST",
                    "/v1/orders",
                    json_body=body,
                    may_repeat=False,
                    headers={"idempotency-key": order.reference},
                ).value()
            except AnswerLost:
                found = self.find(order.reference)
                if found is not None:
                    return found
                if last:
                    raise
            else:
                if made.reference != order.reference:
                    raise BadAnswer
                return made
        raise AssertionError("unreachable: the second round returns or raises")

    def find(self, reference: str) -> Booking | None:
        """The live order of a reference, or the cancelled one when there is no other."""
        answer = self._ask(BookingsWire, "GET", f"/v1/orders?reference={escaped(reference, safe='')}")
        orders = [order.value() for order in answer.orders if order.reference == reference]
        return min(orders, key=lambda order: order.cancelled, default=None)

    def cancel(self, waybill_number: str, *, reference: str, reason: str) -> None:
        """Cancels; the courier answers the same for a second time."""
        path = f"/v1/orders/{escaped(waybill_number, safe='')}/cancel"
        self._ask(BookingWire, "POST", path, json_body={"reason": reason}, may_repeat=True)

    def label(self, waybill_number: str) -> LabelFile:
        """The courier's label as PDF or PNG."""
        response = self._send("GET", f"/v1/orders/{escaped(waybill_number, safe='')}/label", may_repeat=True)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        if media_type not in LABEL_TYPES or not response.content:
            raise BadAnswer
        return LabelFile(media_type=media_type, content=response.content)

    def subscribe(self, subscription: Subscription) -> None:
        """Names our address for one waybill; replaces an earlier one."""
        path = f"/v1/orders/{escaped(subscription.waybill_number, safe='')}/subscription"
        self._send(
            "PUT",
            path,
            json_body=SubscriptionWire(url=subscription.callback_url).model_dump(),
            may_repeat=True,
        )

    def query(self, subscription: Subscription) -> Report:
        """All events so far."""
        path = f"/v1/tracking/{escaped(subscription.waybill_number, safe='')}"
        report = self._ask(TrackingWire, "GET", path).value()
        if report.waybill_number != subscription.waybill_number:
            raise BadAnswer
        return report

    def verify(self, raw: RawRequest, *, now: datetime) -> Proof:
        """Checks the signature with the current and the still honoured secrets."""
        secrets = self.account.accepted("webhook_secret", now=now)
        standard_webhooks.verify(raw.headers, raw.body, secrets=secrets, now=now)
        return Proof.SIGNED

    def delivery_key(self, raw: RawRequest) -> str:
        """The message id, which repetitions share."""
        return raw.headers.get("webhook-id", "")[:200] or raw.digest

    def parse_push(self, raw: RawRequest) -> list[Report]:
        """One waybill with one or more events."""
        try:
            return [PushWire.model_validate_json(raw.body).data.value()]
        except ValidationError as error:
            raise BadPush(fields_at_fault(error)) from None

    def acknowledge(self, raw: RawRequest, *, accepted: bool, now: datetime) -> Acknowledgement:
        """200 when kept, 400 when not: the status is the answer, the body is for people."""
        return Acknowledgement(
            body=json.dumps({"accepted": accepted}).encode("ascii"), status=200 if accepted else 400
        )

    def fetch_charges(self, month: date, *, waybills: Sequence[str] = ()) -> list[ChargeLine]:
        """All lines of a month, page by page."""
        lines: list[ChargeLine] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            query = f"month={month:%Y-%m}" + (f"&cursor={escaped(cursor, safe='')}" if cursor else "")
            page = self._ask(ChargesWire, "GET", f"/v1/charges?{query}")
            lines.extend(line.value() for line in page.lines)
            cursor = page.next
            if not cursor:
                return lines
        raise BadAnswer

    def _ask(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        *,
        json_body: object = None,
        may_repeat: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Shape:
        response = self._send(method, path, json_body=json_body, may_repeat=may_repeat, headers=headers)
        try:
            return shape.model_validate_json(response.content)
        except ValidationError:
            raise BadAnswer from None  # the details would repeat what the courier sent

    def _send(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        may_repeat: bool,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        request = self.caller.client.build_request(
            method,
            self.account.options["base_url"].rstrip("/") + path,
            json=json_body,
            headers={**(headers or {}), "authorization": f"Bearer {self.account.credentials['api_key']}"},
        )
        response = self.caller.send(request, may_repeat=may_repeat)
        if response.is_success:
            return response
        raise _said_no(response)


def _usable(account: Account) -> bool:
    secrets = [account.credentials, *(old.credentials for old in account.retired)]
    try:
        return all(
            standard_webhooks.key_of(one["webhook_secret"]) for one in secrets if one.get("webhook_secret")
        )
    except ValueError:
        return False


def _said_no(response: httpx.Response) -> CourierSaidNo:
    try:
        code = ErrorWire.model_validate_json(response.content).code[:40]
    except ValidationError:
        code = ""
    if response.status_code in (401, 403):
        return CourierSaidNo("承运商不接受本账户的接口密钥，请管理员核对账户配置。", carrier_code=code)
    if response.status_code == 404:
        return CourierSaidNo("承运商没有这个运单，请核对运单号。", carrier_code=code)
    return CourierSaidNo(
        f"承运商拒绝了请求（{code or response.status_code}），请核对寄件信息。", carrier_code=code
    )


def fields_at_fault(error: ValidationError) -> str:
    """Which fields are wrong and how, without the values: those may be personal data."""
    return "；".join(
        f"{'.'.join(str(part) for part in fault['loc']) or '正文'} {fault['type']}"
        for fault in error.errors()[:5]
    )
