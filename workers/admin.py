"""Background jobs for administrators: what failed, and trying it again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from registry.actors import Actor
from registry.models import User
from storage.errors import Refused
from workers.models import Job
from workers.services import retry


@admin.register(Job)
class JobAdmin(admin.ModelAdmin[Job]):
    list_display = ("pk", "state", "reaction", "part", "event", "attempts", "last_error", "created_at")
    list_filter = ("state", "reaction")
    list_select_related = ("event",)
    actions = ("retry_failed",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    @admin.action(description="重新执行所选的失败任务", permissions=["view"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        assert isinstance(request.user, User)  # the admin site lets nobody else in
        for job in queryset:
            try:
                retry(job=job, actor=Actor.of(request.user), now=timezone.now())
            except Refused as refused:
                self.message_user(request, f"{job}：{refused.message}", messages.WARNING)
