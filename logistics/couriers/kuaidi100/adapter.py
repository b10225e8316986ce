"""kuaidi100: subscribe to a waybill of any carrier, take its pushes, ask again when they stop.

Unsettled in the public sources and therefore options of the account: the addresses (`poll_url`, `query_url`), the
subscription's level of detail (`resultv2`, 4 by default; 8 adds the expected arrival, which needs a contract for it; the
older document lists 2 and 6 too) and whether https
callbacks are enabled (by default kuaidi100 calls plain http; ask for https in the contract). The spacing of its
repetitions differs between documents (30 or 35 minutes, 3 times), so `query` is used after two hours of silence.
The reply codes of the query service are from experience, not from a cited page.

A subscription tells the account's salt of its day. Which one it was is not noted: any honoured one proves a push, and a
replaced one ends on its day (docs/decisions/0137).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import httpx
from pydantic import ValidationError

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
from logistics.couriers.errors import (
    BadAccount,
    BadAnswer,
    BadPush,
    CourierSaidNo,
    Forged,
    NotOffered,
    Unreachable,
)
from logistics.couriers.kuaidi100.wire import Listing, Push, SubscribeAnswer
from logistics.couriers.wall_clock import expected_time

POLL_URL = "https://poll.kuaidi100.com/poll"
QUERY_URL = "https://poll.kuaidi100.com/poll/query.do"
LONGEST_SALT = 32
ALREADY_FOLLOWED = "501"
NOTHING_FOUND = frozenset({"500"})
BUSY_CODES = frozenset({"501", "502"})


def push_sign(param: str, salt: str) -> str:
    """UPPER(MD5(param + salt)) over the decoded form value exactly as it came."""
    return hashlib.md5((param + salt).encode(), usedforsecurity=False).hexdigest().upper()


def query_sign(param: str, key: str, customer: str) -> str:
    """UPPER(MD5(param + key + customer))."""
    return push_sign(param + key, customer)


@dataclass
class Kuaidi100:
    """Speaks for one account. Credentials: `key`, `salt` (1–32 characters), and `customer` for queries."""

    account: Account
    caller: Caller
    code: str = "kuaidi100"
    creates_once: bool = True

    def __post_init__(self) -> None:
        missing = [name for name in ("key", "salt", "customer") if not self.account.credentials.get(name)]
        if len(self.account.credentials.get("salt", "")) > LONGEST_SALT:
            missing.append("salt")
        if missing:
            raise BadAccount(missing)

    def quote(self, order: Order) -> Quote:
        """Not offered."""
        raise NotOffered("询价")

    def create(self, order: Order) -> Booking:
        """Not offered: its ordering service knows no 到付 by the receiver's account."""
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
        """Asks to be told; "already followed" counts as done. At most four a month for one number."""
        param = {
            "company": subscription.company,
            "number": subscription.waybill_number,
            "from": subscription.from_city,
            "to": subscription.to_city,
            "key": self.account.credentials["key"],
            "parameters": {
                "callbackurl": subscription.callback_url,
                "salt": self.account.credentials["salt"],
                "resultv2": self.account.options.get("resultv2", "4"),
                "autoCom": "0",
                "interCom": "0",
                "phone": subscription.phone_tail,
            },
        }
        fields = {"schema": "json", "param": _compact(param)}
        response = self._post(self.account.options.get("poll_url", POLL_URL), fields)
        try:
            answer = SubscribeAnswer.model_validate_json(response.content)
        except ValidationError:
            raise BadAnswer from None
        if answer.result or answer.return_code == ALREADY_FOLLOWED:
            return
        raise _refusal(answer.return_code)

    def query(self, subscription: Subscription) -> Report:
        """The full list as kuaidi100 has it; no scans when it has found nothing yet."""
        param = _compact(
            {
                "com": subscription.company,
                "num": subscription.waybill_number,
                "phone": subscription.phone_tail,
                "from": subscription.from_city,
                "to": subscription.to_city,
                "resultv2": self.account.options.get("resultv2", "4"),
                "show": "0",
                "order": "desc",
            }
        )
        secrets = self.account.credentials
        fields = {
            "customer": secrets["customer"],
            "sign": query_sign(param, secrets["key"], secrets["customer"]),
            "param": param,
        }
        response = self._post(self.account.options.get("query_url", QUERY_URL), fields)
        try:
            listing = Listing.model_validate_json(response.content)
            scans = listing.scans()
        except (ValidationError, ValueError):
            raise BadAnswer from None
        if not listing.result and listing.return_code not in NOTHING_FOUND:
            if listing.return_code in BUSY_CODES:
                raise Unreachable
            raise _refusal(listing.return_code)
        if scans and listing.nu != subscription.waybill_number:
            raise BadAnswer
        return Report(
            waybill_number=subscription.waybill_number,
            reference=subscription.reference,
            scans=scans,
            snapshot=bool(scans),
            expected_at=expected_time(listing.arrival_time),
        )

    def verify(self, raw: RawRequest, *, now: datetime) -> Proof:
        """Compares the sign with those of every honoured salt. A push without a sign is refused: we always set a salt."""
        try:
            fields = raw.form()
        except UnicodeDecodeError:
            raise Forged("正文编码不符") from None
        param, sign = fields.get("param", ""), fields.get("sign", "")
        if not param or not sign:
            raise Forged("缺少签名")
        salts = self.account.accepted("salt", now=now)
        fits = [hmac.compare_digest(push_sign(param, salt).encode(), sign.encode()) for salt in salts]
        if not any(fits):
            raise Forged("签名不符")
        return Proof.SIGNED

    def delivery_key(self, raw: RawRequest) -> str:
        """There is no id: equal content is the same push."""
        return raw.digest

    def parse_push(self, raw: RawRequest) -> list[Report]:
        """One waybill with its full list."""
        try:
            report = Push.model_validate_json(raw.form().get("param", "")).report()
        except ValidationError as error:
            raise BadPush(
                "、".join(str(fault["loc"][0]) if fault["loc"] else "正文" for fault in error.errors()[:5])
            ) from None
        except ValueError:
            raise BadPush("时间格式或编码不符") from None
        if not report.waybill_number:
            raise BadPush("缺少运单号")
        return [report]

    def acknowledge(self, raw: RawRequest, *, accepted: bool, now: datetime) -> Acknowledgement:
        """Only this exact success body stops the repetitions."""
        if accepted:
            return Acknowledgement('{"result":true,"returnCode":"200","message":"成功"}'.encode())
        return Acknowledgement('{"result":false,"returnCode":"500","message":"失败"}'.encode())

    def _post(self, url: str, fields: dict[str, str]) -> httpx.Response:
        request = self.caller.client.build_request("POST", url, data=fields)
        response = self.caller.send(request, may_repeat=True)
        if not response.is_success:
            raise BadAnswer
        return response


def _compact(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refusal(code: str) -> CourierSaidNo | Unreachable:
    if code == "500":
        return Unreachable()
    if code in ("600", "601"):
        return CourierSaidNo("快递100 不接受本账户的授权码或授权已到期，请管理员核对。", carrier_code=code)
    if code in ("700", "701", "702"):
        return CourierSaidNo("快递100 不认可运单号或快递公司，请核对后重新登记。", carrier_code=code)
    return CourierSaidNo(f"快递100 拒绝了请求（{code[:10]}）。", carrier_code=code[:10])
