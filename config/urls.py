"""Every address of the product."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from config import installable
from config.api import api
from logistics.pushes import PREFIX, courier_push

admin.site.site_header = admin.site.site_title = "通办"
admin.site.index_title = "目录"

urlpatterns = [
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path(f"{PREFIX}<str:path_token>", courier_push, name="courier_push"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("parcels/hand-over/manifest.webmanifest", installable.manifest, name="hand_over_manifest"),
    path("parcels/hand-over/worker.js", installable.worker, name="hand_over_worker"),
    path("parcels/hand-over/offline/", installable.offline, name="hand_over_offline"),
    path("", include("config.pages.urls")),
]
