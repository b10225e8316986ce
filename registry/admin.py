"""The directory as the administrator edits it. Cases and their contents are not here on purpose."""

from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from registry.actors import Actor
from registry.events import record
from registry.keys import check_key, make_key, revoke_key
from registry.models import (
    Agreement,
    ApiKey,
    CatalogueBatch,
    Contact,
    Grant,
    ItemOffice,
    MaterialRequirement,
    Office,
    Region,
    Seal,
    ServiceCentre,
    ServiceItem,
    User,
    Window,
)
from registry.permissions import KEY_SCOPES, may
from storage.errors import Refused

S = TypeVar("S", bound=Model)


def _actor(request: HttpRequest) -> Actor:
    assert isinstance(request.user, User)  # the admin site lets nobody else in
    return Actor.of(request.user)


class Asked(admin.ModelAdmin[S]):
    """Opens to whoever may do `act` by the table of rights, whatever Django's own flags say of them."""

    act = "directory.edit"

    def has_view_permission(self, request: HttpRequest, obj: S | None = None) -> bool:
        return self._may(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: S | None = None) -> bool:
        return self._may(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: S | None = None) -> bool:
        return self._may(request) and super().has_delete_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request) and super().has_module_permission(request)

    def _may(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may(Actor.of(request.user), self.act)


class Told(Asked[S]):
    """What is added, changed and removed stands in the audit trail: which row and which fields, never what was typed."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        with transaction.atomic():  # where several rows are removed at once
            return super().changelist_view(request, extra_context)

    def log_addition(self, request: HttpRequest, obj: S, message: Any) -> Any:
        record(kind="directory.row_added", actor=_actor(request), subject=obj, now=timezone.now())
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: S, message: Any) -> Any:
        told = {"fields": _fields(message)}
        record(
            kind="directory.row_changed", actor=_actor(request), subject=obj, now=timezone.now(), data=told
        )
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            record(kind="directory.row_removed", actor=_actor(request), subject=obj, now=timezone.now())
        return super().log_deletions(request, queryset)


def _fields(message: Any) -> list[str]:
    """The fields in what Django notes of a change: one entry for the row, one for each row below it."""
    if not isinstance(message, list):
        return []
    return [field for entry in message for note in entry.values() for field in note.get("fields", ())]


class ItemOfficeInline(admin.TabularInline[ItemOffice, ServiceItem]):
    model = ItemOffice
    extra = 0
    autocomplete_fields = ["office"]


class RequirementInline(admin.TabularInline[MaterialRequirement, ServiceItem]):
    model = MaterialRequirement
    extra = 0


@admin.register(ServiceItem)
class ServiceItemAdmin(Told[ServiceItem]):
    list_display = [
        "code",
        "version",
        "name",
        "region",
        "scope",
        "effective_from",
        "effective_to",
        "negative",
    ]
    list_filter = ["scope", "negative", "region"]
    search_fields = ["code", "name"]
    inlines = [ItemOfficeInline, RequirementInline]


@admin.register(User)
class PersonAdmin(Told[User], UserAdmin[User]):
    act = "account.edit"
    list_display = ["username", "last_name", "first_name", "role", "window", "office", "centre", "is_active"]
    list_filter = ["role", "is_active"]
    fieldsets = [*(UserAdmin.fieldsets or []), ("岗位", {"fields": ["role", "window", "office", "centre"]})]
    add_fieldsets = [
        *UserAdmin.add_fieldsets,
        ("岗位", {"fields": ["role", "window", "office", "centre"]}),
    ]

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            return super().user_change_password(request, *args, **kwargs)


@admin.register(Region)
class RegionAdmin(Told[Region]):
    list_display = ["code", "name", "level", "parent"]
    search_fields = ["code", "name"]


@admin.register(ServiceCentre)
class CentreAdmin(Told[ServiceCentre]):
    list_display = ["code", "name", "region"]
    search_fields = ["code", "name"]


@admin.register(Office)
class OfficeAdmin(Told[Office]):
    list_display = ["code", "name", "level", "region", "centre"]
    list_filter = ["level"]
    search_fields = ["code", "name"]


@admin.register(Window)
class WindowAdmin(Told[Window]):
    list_display = ["code", "name", "place", "region", "centre", "active"]
    search_fields = ["code", "name"]


class OnlyShown(Asked[S]):
    """Rows that are made, ended and told by their own pages: here they are looked at, so that no change goes untold."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: S | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: S | None = None) -> bool:
        return False


@admin.register(Agreement)
class AgreementAdmin(OnlyShown[Agreement]):
    list_display = ["region_a", "region_b", "signed_on", "effective_to", "shared_citywide"]


@admin.register(Grant)
class GrantAdmin(OnlyShown[Grant]):
    act = "grant.edit"
    list_display = [
        "office",
        "right",
        "window",
        "region",
        "item",
        "effective_from",
        "effective_to",
        "revoked_at",
    ]
    list_filter = ["right", "office"]


@admin.register(Seal)
class SealAdmin(Told[Seal]):
    pass


@admin.register(Contact)
class ContactAdmin(Told[Contact]):
    pass


@admin.register(CatalogueBatch)
class BatchAdmin(Told[CatalogueBatch]):
    pass


class KeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        label="权限范围",
        choices=[(scope, scope) for scope in sorted(KEY_SCOPES)],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or self.cleaned_data
        if "scopes" in chosen:
            try:
                check_key(scopes=chosen["scopes"], window=chosen.get("window"), office=chosen.get("office"))
            except Refused as refused:
                raise forms.ValidationError(refused.message) from refused
        return chosen


@admin.register(ApiKey)
class ApiKeyAdmin(OnlyShown[ApiKey]):
    """A key is made here and revoked here; nothing about it can be changed."""

    act = "account.edit"
    form = KeyForm
    fields = ["name", "scopes", "window", "office"]
    list_display = ["name", "prefix", "scopes", "window", "office", "created_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        key, secret = make_key(
            name=obj.name,
            scopes=obj.scopes,
            window=obj.window,
            office=obj.office,
            actor=_actor(request),
            now=timezone.now(),
        )
        obj.pk = key.pk
        self.message_user(request, f"密钥只在这里显示一次，请交给对接方保管：{secret}", messages.WARNING)

    @admin.action(description="撤销所选的密钥", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            try:
                revoke_key(key=key, actor=_actor(request), now=timezone.now())
            except Refused as refused:
                self.message_user(request, f"{key}：{refused.message}", messages.WARNING)
