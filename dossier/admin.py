"""Dossiers as the administrator sees them: that they exist and who took a copy, never what is in them."""

from django.contrib import admin
from django.http import HttpRequest

from dossier.models import Dossier, DossierDownload


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Looking only: every change goes through a service."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Dossier)
class DossierAdmin(ReadOnly):
    list_display = ("handling", "version", "state", "page_count", "signature_count", "level", "signed_at")
    list_filter = ("state", "level")
    list_select_related = ("handling",)
    fields = (*list_display, "sha256", "size", "stamp_ends_at", "renewal_tried_at")


@admin.register(DossierDownload)
class DossierDownloadAdmin(ReadOnly):
    list_display = ("dossier", "actor_label", "purpose", "stamped", "at")
    list_select_related = ("dossier",)
