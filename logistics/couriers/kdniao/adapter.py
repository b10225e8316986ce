"""kdniao: subscribe to a waybill of any carrier, take its pushes, ask again when they stop.

Options of the account: `subscribe_url`, `query_url`, `subscribe_type` (8008; 1008 is the basic service) and `query_type`
(8002; 1002 and 8001 are other tiers). How often a push is repeated is not published. Values are sometimes encoded twice,
so a push is verified as it came and once more decoded.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from urllib.parse import unquote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

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
from logistics.couriers.errors import BadAccount, BadAnswer, BadPush, CourierSaidNo, Forged, NotOffered
from logistics.couriers.kdniao.codes import kind_of
from logistics.couriers.wall_clock import as_carriers_write, expected_time, shanghai_time
from logistics.rules.tracking import Scan, TrackingKind, scan_key

SUBSCRIBE_URL = "https://api.kdniao.com/api/dist"
QUERY_URL = "https://api.kdniao.com/Ebusiness/EbusinessOrderHandle.aspx"
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]


def data_sign(data: str, app_key: str) -> str:
    """Base64 of the 32 lower-case hexadecimal characters of MD5(data + key): 44 characters."""
    digest = hashlib.md5((data + app_key).encode(), usedforsecurity=False).hexdigest()
    return base64.b64encode(digest.encode("ascii")).decode("ascii")


class Wire(BaseModel):
    """Unknown fields are ignored; `null` reads as empty, numbers as text."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Trace(Wire):
    """One line; `action` is the StateEx of that line where the tier gives it."""

    time: Text = Field(alias="AcceptTime")
    words: Text = Field("", alias="AcceptStation")
    place: Text = Field("", alias="Location")
    action: Text = Field("", alias="Action")


class Tracked(Wire):
    """The full list of one waybill, oldest first."""

    number: Text = Field(alias="LogisticCode")
    reference: Text = Field("", alias="OrderCode")
    success: bool = Field(default=True, alias="Success")
    state: Text = Field("", alias="State")
    state_ex: Text = Field("", alias="StateEx")
    expected: Text = Field("", alias="EstimatedDeliveryTime")
    traces: Annotated[list[Trace], BeforeValidator(lambda value: value or [])] = Field(
        default_factory=list, alias="Traces"
    )

    def report(self) -> Report:
        """As a report; ValueError for a time without a known form."""
        newest = max((trace.time for trace in self.traces), default="")
        overall = self.state_ex or self.state
        scans = {
            scan.key: scan
            for trace in self.traces
            for scan in [_scan(trace, overall if trace.time == newest else "")]
        }
        return Report(
            waybill_number=self.number,
            reference=self.reference,
            scans=tuple(scans.values()),
            snapshot=bool(scans),
            ended=kind_of(overall) in (TrackingKind.DELIVERED, TrackingKind.RETURNED) if overall else False,
            expected_at=expected_time(self.expected),
        )


class Pushed(Wire):
    """`RequestData` of a push (types 101 and 102)."""

    data: list[Tracked] = Field(alias="Data")


class Reply(Wire):
    """Answer to a subscription."""

    success: bool = Field(alias="Success")


@dataclass
class Kdniao:
    """Speaks for one customer. Credentials: `customer_id` (EBusinessID), `app_key`."""

    account: Account
    caller: Caller
    code: str = "kdniao"
    creates_once: bool = True

    def __post_init__(self) -> None:
        missing = [name for name in ("customer_id", "app_key") if not self.account.credentials.get(name)]
        if missing:
            raise BadAccount(missing)

    def quote(self, order: Order) -> Quote:
        """Not offered."""
        raise NotOffered("询价")

    def create(self, order: Order) -> Booking:
        """Not offered here: its e-waybill service needs each carrier's own contract."""
        raise NotOffered("下单")

    def find(self, reference: str) -> Booking | None:
        """Not offered."""
        raise NotOffered("按寄件编号查单")

    def cancel(self, waybill_number: str, *, reference: str, reason: str) -> None:
        """Not offered."""
        raise NotOffered("取消运单")

    def label(self, waybill_number: str) -> LabelFile:
        """Not offered."""
        raise NotOffered("电子面单")

    def fetch_charges(self, month: date, *, waybills: Sequence[str] = ()) -> list[ChargeLine]:
        """Not offered."""
        raise NotOffered("账单")

    def subscribe(self, subscription: Subscription) -> None:
        """Asks to be told; the address is set in kdniao's console, `Callback` comes back with each push."""
        wish = {
            "ShipperCode": subscription.company.upper(),
            "LogisticCode": subscription.waybill_number,
            "OrderCode": subscription.reference,
            "CustomerName": subscription.phone_tail,
        }
        options = self.account.options
        content = self._send(
            options.get("subscribe_url", SUBSCRIBE_URL), options.get("subscribe_type", "8008"), wish
        )
        try:
            taken = Reply.model_validate_json(content).success
        except ValidationError:
            raise BadAnswer from None
        if not taken:
            raise CourierSaidNo("快递鸟不接受订阅，请核对运单号与快递公司。")

    def query(self, subscription: Subscription) -> Report:
        """The full list as kdniao has it."""
        wish = {
            "ShipperCode": subscription.company.upper(),
            "LogisticCode": subscription.waybill_number,
            "OrderCode": subscription.reference,
            "CustomerName": subscription.phone_tail,
        }
        options = self.account.options
        content = self._send(options.get("query_url", QUERY_URL), options.get("query_type", "8002"), wish)
        try:
            tracked = Tracked.model_validate_json(content)
            report = tracked.report()
        except ValueError:
            raise BadAnswer from None
        if not tracked.success or report.waybill_number != subscription.waybill_number:
            raise CourierSaidNo("快递鸟查不到该运单，请核对运单号与快递公司。")
        return report

    def verify(self, raw: RawRequest, *, now: datetime) -> Proof:
        """Compares the sign of the value as it came and decoded once more, for every honoured key."""
        readings = _readings(raw)
        if not readings:
            raise Forged("缺少签名")
        keys = self.account.accepted("app_key", now=now)
        fits = [
            hmac.compare_digest(data_sign(data, key).encode(), sign.encode())
            for data, sign in readings
            for key in keys
        ]
        if not any(fits):
            raise Forged("签名不符")
        return Proof.SIGNED

    def delivery_key(self, raw: RawRequest) -> str:
        """There is no id: equal content is the same push."""
        return raw.digest

    def parse_push(self, raw: RawRequest) -> list[Report]:
        """Full lists of one or more waybills."""
        for data, _ in _readings(raw):
            try:
                reports = [tracked.report() for tracked in Pushed.model_validate_json(data).data]
            except ValueError:
                continue
            if all(report.waybill_number for report in reports):
                return reports
        raise BadPush("推送格式不符")

    def acknowledge(self, raw: RawRequest, *, accepted: bool, now: datetime) -> Acknowledgement:
        """Our customer number, the time at Shanghai, and whether it was taken."""
        body = {
            "EBusinessID": self.account.credentials["customer_id"],
            "UpdateTime": as_carriers_write(now),
            "Success": accepted,
            "Reason": "",
        }
        return Acknowledgement(_compact(body).encode())

    def _send(self, url: str, kind: str, wish: Mapping[str, str]) -> bytes:
        data = _compact(wish)
        fields = {
            "EBusinessID": self.account.credentials["customer_id"],
            "RequestType": kind,
            "RequestData": data,
            "DataSign": data_sign(data, self.account.credentials["app_key"]),
            "DataType": "2",
        }
        response = self.caller.send(
            self.caller.client.build_request("POST", url, data=fields), may_repeat=True
        )
        if not response.is_success:
            raise BadAnswer
        return response.content


def _readings(raw: RawRequest) -> list[tuple[str, str]]:
    """Data and sign as the form gives them, and decoded once more where that makes a difference.

    A `+` in Base64 that was not encoded arrives as a space; no other space can stand in a sign.
    """
    try:
        fields = raw.form()
    except UnicodeDecodeError:
        return []
    data, sign = fields.get("RequestData", ""), fields.get("DataSign", "").replace(" ", "+")
    if not data or not sign:
        return []
    again = (unquote(data), unquote(sign))
    return [(data, sign)] if again == (data, sign) else [(data, sign), again]


def _scan(trace: Trace, overall: str) -> Scan:
    code = trace.action or overall
    return Scan(
        key=scan_key(trace.time, trace.words),
        kind=kind_of(code) if code else TrackingKind.IN_TRANSIT,
        at=shanghai_time(trace.time),
        words=trace.words[:500],
        place=trace.place[:200],
        code=code[:40],
    )


def _compact(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
