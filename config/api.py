"""The one API object: routers of the rooms, authentication by key, refusals as JSON."""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from config.middleware import status_of
from dossier.api import router as dossier_router
from ingest.api import router as ingest_router
from logistics.api import router as logistics_router
from storage.errors import Refused

api = NinjaAPI(title="通办", version="1", urls_namespace="api", docs_url="/docs")

api.add_router("", ingest_router)
api.add_router("", dossier_router)
api.add_router("", logistics_router)


@api.exception_handler(Refused)
def refused(request: HttpRequest, fault: Refused) -> HttpResponse:
    body = {"code": fault.code, "message": fault.message, "can_retry": fault.can_retry}
    return api.create_response(request, body, status=status_of(fault))
