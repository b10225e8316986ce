"""One piece of work that an event asks for, and how far it has come."""

from django.db import models
from django.db.models import Q

from registry.models import Event
from registry.terms import Term


class JobState(Term):
    QUEUED = "queued", "待处理"
    RUNNING = "running", "处理中"
    DONE = "done", "已完成"
    FAILED = "failed", "失败"


class Job(models.Model):
    """Made together with the mark that its event was relayed; at most one per event, reaction and part.

    While it runs, `lease` names the process that claimed it, and the claim ends at `lease_until` unless renewed.
    Nothing personal is kept here: `part` is a number of a row, `last_error` a code.
    """

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="jobs", verbose_name="事件")
    reaction = models.CharField("任务", max_length=60)
    part = models.CharField("部分", max_length=40, blank=True)
    state = models.CharField("状态", max_length=8, choices=JobState.choices(), default=JobState.QUEUED)
    attempts = models.PositiveSmallIntegerField("已尝试", default=0)
    next_try_at = models.DateTimeField("下次执行")
    sent_at = models.DateTimeField("送出时间", null=True, blank=True)
    lease = models.CharField("租约", max_length=32, blank=True)
    lease_until = models.DateTimeField("租约到期", null=True, blank=True)
    last_error = models.CharField("最近错误", max_length=80, blank=True)
    created_at = models.DateTimeField("创建时间")
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "reaction", "part"], name="workers_job_once"),
            models.CheckConstraint(condition=Q(state__in=JobState.values()), name="workers_job_state"),
            models.CheckConstraint(
                condition=Q(state=JobState.RUNNING.value, lease_until__isnull=False)
                | (~Q(state=JobState.RUNNING.value) & Q(lease_until__isnull=True)),
                name="workers_job_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(state=JobState.QUEUED.value), name="workers_job_queued"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state=JobState.RUNNING.value), name="workers_job_running"
            ),
            models.Index(fields=["reaction", "part"], name="workers_job_part"),
        ]

    def __str__(self) -> str:
        return f"{self.reaction}#{self.pk}"
