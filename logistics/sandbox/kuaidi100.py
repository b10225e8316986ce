"""The sandbox as kuaidi100: subscriptions and queries for waybills of any carrier."""

import hmac
import json
from collections.abc import Mapping

from logistics.couriers.kuaidi100.adapter import query_sign
from logistics.sandbox.http import Answer, Request, Route, as_json, route
from logistics.sandbox.pushing import kuaidi100_listing
from logistics.sandbox.world import Follower, Unknown, World

MOST_SUBSCRIPTIONS = 4


class Kuaidi100Desk:
    """Answers `/poll` and `/poll/query.do` as the public documents describe them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """What it answers to."""
        return [
            route("POST", "/poll", "subscribe", self.poll),
            route("POST", "/poll/query.do", "query", self.query),
        ]

    def poll(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """A subscription; while a number is followed under a company, another is ignored, whatever address it names."""
        try:
            wish = json.loads(request.fields()["param"])
            settings = wish["parameters"]
            number, company, url = wish["number"], wish["company"], settings["callbackurl"]
        except (KeyError, ValueError, TypeError):
            return _poll_answer("700", "数据错误")
        if wish.get("key") not in self.world.kuaidi100_keys:
            return _poll_answer("600", "您不是合法的订阅者")
        if not 6 <= len(number) <= 32 or not company:
            return _poll_answer("700", "数据错误")
        with self.world.locked() as world:
            shipment = world.adopt(number)
            known = [one for one in shipment.followers if one.company == company]
            if known or len(shipment.followers) >= MOST_SUBSCRIPTIONS:
                return _poll_answer("501", "重复订阅")
            shipment.followers.append(
                Follower(company=company, callback_url=url, salt=settings.get("salt", ""))
            )
        return _poll_answer("200", "提交成功")

    def query(self, request: Request, parts: Mapping[str, str]) -> Answer:
        """The full list, signed for by the asker."""
        fields = request.fields()
        param, customer = fields.get("param", ""), fields.get("customer", "")
        key = next((key for key, owner in self.world.kuaidi100_keys.items() if owner == customer), "")
        sign = query_sign(param, key, customer)
        if not key or not hmac.compare_digest(sign.encode(), fields.get("sign", "").encode()):
            return as_json({"result": False, "returnCode": "503", "message": "验证签名失败"})
        try:
            wish = json.loads(param)
            with self.world.locked() as world:
                shipment = world.shipment(wish["num"])
                listing = kuaidi100_listing(shipment, company=shipment.company)
        except (KeyError, ValueError, TypeError):
            return as_json({"result": False, "returnCode": "400", "message": "提交的数据不完整"})
        except Unknown:
            listing = {"data": []}
        if not listing["data"]:
            return as_json({"result": False, "returnCode": "500", "message": "查询无结果，请隔段时间再查"})
        return as_json(listing)


def _poll_answer(code: str, message: str) -> Answer:
    return as_json({"result": code == "200", "returnCode": code, "message": message})
