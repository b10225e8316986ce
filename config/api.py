"""The one API object: routers of the rooms, authentication by key, refusals as JSON."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from config.middleware import status_of
from dossier.api import router as dossier_router
from ingest.api import router as ingest_router
from ingest.telling.rules import HANDLING_KINDS, WORDS
from ingest.tus import router as tus_router
from logistics.api import router as logistics_router
from logistics.handover_api import router as handover_router
from logistics.papers_api import router as papers_router
from storage.errors import Refused

IDEMPOTENCY_KEY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "调用方为本次请求起的唯一名称。相同名称、相同内容的请求只生效一次，三天内重复得到同一应答；"
    "内容不同答 422，前一次仍在处理答 409。仅对接口密钥有效。",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


_NUMBERED: dict[str, Any] = {
    "number": {"type": "string"},
    "sequence": {"type": "integer"},
    "url": {"type": "string", "format": "uri"},
}


def _told(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    """The schema of a webhook's body whose `data` has these properties."""
    return {
        "type": "object",
        "required": ["type", "timestamp", "version", "data"],
        "properties": {
            "type": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
            "version": {"type": "integer"},
            "data": {
                "type": "object",
                "required": required,
                "properties": {**_NUMBERED, **properties},
            },
        },
    }


TOLD = _told(
    {
        "state": {"type": "string"},
        "grade": {"type": "string", "description": "只随 rating.given：五级评价"},
        "concern": {"type": "string", "description": "只随 rating.given：评价对象"},
    },
    required=["number", "state", "sequence", "url"],
)
TOLD_OF_HANDLING = _told(
    {
        "handling": {
            "type": "object",
            "required": ["office", "name"],
            "properties": {
                "office": {"type": "string", "description": "审批部门代码"},
                "name": {"type": "string", "description": "审批部门名称，与办件接口所列相同"},
                "state": {"type": "string", "description": "该环节此后的状态；不改变状态的事件不带"},
                "deadline": {
                    "type": "string",
                    "format": "date",
                    "description": "承诺办结日期，随有期限的事件",
                },
            },
        }
    },
    required=["number", "handling", "sequence", "url"],
)
WEBHOOKS: dict[str, Any] = {
    kind: {
        "post": {
            "summary": words,
            "description": "Standard Webhooks 签名（webhook-id、webhook-timestamp、webhook-signature）；以 2xx 应答为送达，"
            "重试时编号不变；应答中的 Retry-After（秒或 HTTP 日期）在一天之内照办。",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": TOLD_OF_HANDLING if kind in HANDLING_KINDS else TOLD}
                },
            },
            "responses": {"2XX": {"description": "已收到"}},
        }
    }
    for kind, words in WORDS.items()
}


class DescribedAPI(NinjaAPI):
    """Tells in its description what the door does for every endpoint alike."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        for operations in schema["paths"].values():
            posting = operations.get("post")
            if posting and posting.get("security"):
                posting["parameters"] = [*posting.get("parameters", ()), IDEMPOTENCY_KEY]
        return schema


api = DescribedAPI(
    title="通办", version="1", urls_namespace="api", docs_url="/docs", openapi_extra={"webhooks": WEBHOOKS}
)

api.add_router("", ingest_router)
api.add_router("/uploads", tus_router)
api.add_router("", dossier_router)
api.add_router("", logistics_router)
api.add_router("", handover_router)
api.add_router("", papers_router)


@api.exception_handler(Refused)
def refused(request: HttpRequest, fault: Refused) -> HttpResponse:
    body = {"code": fault.code, "message": fault.message, "can_retry": fault.can_retry}
    return api.create_response(request, body, status=status_of(fault))
