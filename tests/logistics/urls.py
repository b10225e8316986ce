"""The endpoints of this room alone, at their real addresses, with refusals answered as the product does."""

from django.urls import NoReverseMatch, path, reverse
from ninja import NinjaAPI

import config.api
import config.urls
from logistics.api import router

try:
    reverse("api:courier_push", urlconf="config.urls", kwargs={"path_token": "x"})
except NoReverseMatch:
    room = NinjaAPI(urls_namespace="api")
    room.add_router("", router)
    room._exception_handlers.update(config.api.api._exception_handlers)
    urlpatterns = [path("api/v1/", room.urls)]
else:
    urlpatterns = config.urls.urlpatterns
