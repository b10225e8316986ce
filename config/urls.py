"""Every address of the product."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from config.api import api
from logistics.pushes import PREFIX, courier_push

urlpatterns = [
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path(f"{PREFIX}<str:path_token>", courier_push, name="courier_push"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("", include("config.pages.urls")),
]
