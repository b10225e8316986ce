"""The directory as the administrator edits it. Cases and their contents are not here on purpose."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

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


class ItemOfficeInline(admin.TabularInline[ItemOffice, ServiceItem]):
    model = ItemOffice
    extra = 0
    autocomplete_fields = ["office"]


class RequirementInline(admin.TabularInline[MaterialRequirement, ServiceItem]):
    model = MaterialRequirement
    extra = 0


@admin.register(ServiceItem)
class ServiceItemAdmin(admin.ModelAdmin[ServiceItem]):
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
class PersonAdmin(UserAdmin[User]):
    list_display = ["username", "last_name", "first_name", "role", "window", "office", "centre", "is_active"]
    list_filter = ["role", "is_active"]
    fieldsets = [*(UserAdmin.fieldsets or []), ("岗位", {"fields": ["role", "window", "office", "centre"]})]
    add_fieldsets = [
        *UserAdmin.add_fieldsets,
        ("岗位", {"fields": ["role", "window", "office", "centre"]}),
    ]


@admin.register(Region)
class RegionAdmin(admin.ModelAdmin[Region]):
    list_display = ["code", "name", "level", "parent"]
    search_fields = ["code", "name"]


@admin.register(ServiceCentre)
class CentreAdmin(admin.ModelAdmin[ServiceCentre]):
    list_display = ["code", "name", "region"]
    search_fields = ["code", "name"]


@admin.register(Office)
class OfficeAdmin(admin.ModelAdmin[Office]):
    list_display = ["code", "name", "level", "region", "centre"]
    list_filter = ["level"]
    search_fields = ["code", "name"]


@admin.register(Window)
class WindowAdmin(admin.ModelAdmin[Window]):
    list_display = ["code", "name", "place", "region", "centre", "active"]
    search_fields = ["code", "name"]


@admin.register(Agreement)
class AgreementAdmin(admin.ModelAdmin[Agreement]):
    list_display = ["region_a", "region_b", "signed_on", "effective_to", "shared_citywide"]


@admin.register(Grant)
class GrantAdmin(admin.ModelAdmin[Grant]):
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


admin.site.register([Seal, Contact, CatalogueBatch])


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    list_display = ["name", "prefix", "scopes", "window", "office", "revoked_at"]
    readonly_fields = ["prefix", "digest", "created_at"]
