"""问题反馈单, the questions and answers that come of them, the handbook's editions, and the case collection."""

from datetime import date

from django.db import models
from django.db.models import Q

from ingest.models.cases import Case
from registry.actors import Actor
from registry.models import Office, ServiceItem, Slip, Window
from registry.permissions import Reach
from registry.rules.handbook import Edition, EntryState, ExampleState
from registry.rules.problems import ProblemKind, ProblemState, is_overdue
from storage.encryption import EncryptedTextField


class Problem(models.Model):
    """One 问题反馈单: who reported it, who owes the answer, and by when. What was written stands in its entries."""

    number = models.CharField("编号", max_length=20, unique=True)
    kind = models.CharField("类型", max_length=12, choices=ProblemKind.choices())
    state = models.CharField("状态", max_length=10, choices=ProblemState.choices(), default=ProblemState.OPEN)
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="problems", verbose_name="办件"
    )
    item = models.ForeignKey(
        ServiceItem, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="事项"
    )
    reporter_window = models.ForeignKey(
        Window, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="反馈窗口"
    )
    reporter_office = models.ForeignKey(
        Office, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="反馈部门"
    )
    owner_window = models.ForeignKey(
        Window, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="责任窗口"
    )
    owner_office = models.ForeignKey(
        Office, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="责任部门"
    )
    due_on = models.DateField("答复期限")
    created_at = models.DateTimeField("反馈时间")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    solved_at = models.DateTimeField("解决时间", null=True, blank=True)
    overdue_told_at = models.DateTimeField("超期告知时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "问题反馈单"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ProblemState.values()), name="ingest_problem_state"),
            models.CheckConstraint(
                condition=Q(owner_window__isnull=True, owner_office__isnull=False)
                | Q(owner_window__isnull=False, owner_office__isnull=True),
                name="ingest_problem_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(reporter_window__isnull=True) | Q(reporter_office__isnull=True),
                name="ingest_problem_one_reporter",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on", "id"],
                condition=Q(state__in=[ProblemState.OPEN.value, ProblemState.REOPENED.value]),
                name="ingest_problem_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            mine = Q(reporter_window_id=actor.window_id) | Q(owner_window_id=actor.window_id)
            return mine if actor.window_id is not None else Q(pk__in=())
        if reach == Reach.OWN_OFFICE:
            mine = Q(reporter_office_id=actor.office_id) | Q(owner_office_id=actor.office_id)
            return mine if actor.office_id is not None else Q(pk__in=())
        return Q(pk__in=())

    @property
    def owner(self) -> str:
        owner = self.owner_window or self.owner_office
        return owner.name if owner else ""

    @property
    def reporter(self) -> str:
        reporter = self.reporter_window or self.reporter_office
        return reporter.name if reporter else "申请人评价"

    def is_owned_by(self, actor: Actor) -> bool:
        """Whether the actor's window or office owes the answer."""
        return _is_of(actor, self.owner_window_id, self.owner_office_id)

    def is_reported_by(self, actor: Actor) -> bool:
        """Whether the actor's window or office reported it; nobody's did after a bad grade."""
        return _is_of(actor, self.reporter_window_id, self.reporter_office_id)

    def is_late(self, today: date) -> bool:
        return is_overdue(state=self.state, due_on=self.due_on, today=today)


def _is_of(actor: Actor, window_id: int | None, office_id: int | None) -> bool:
    of_window = window_id is not None and window_id == actor.window_id
    return of_window or (office_id is not None and office_id == actor.office_id)


class ProblemEntry(models.Model):
    """What was written on a report: the question, each answer, each reason. Rows are added, never changed."""

    class Act(models.TextChoices):
        ASKED = "asked", "反馈"
        PASSED_ON = "passed_on", "转办"
        ANSWERED = "answered", "答复"
        SOLVED = "solved", "确认解决"
        REOPENED = "reopened", "重新打开"

    problem = models.ForeignKey(
        Problem, on_delete=models.PROTECT, related_name="entries", verbose_name="反馈单"
    )
    act = models.CharField("动作", max_length=10, choices=Act.choices)
    words = EncryptedTextField("内容", blank=True)
    by = models.CharField("办理人", max_length=100)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "反馈单记录"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.problem_id}/{self.act}"


class HandbookEntry(models.Model):
    """A question and its answer, out of a solved report; an editor decides whether the handbook holds it."""

    problem = models.OneToOneField(
        Problem, on_delete=models.PROTECT, related_name="handbook_entry", verbose_name="反馈单"
    )
    item = models.ForeignKey(
        ServiceItem, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="事项"
    )
    kind = models.CharField("类型", max_length=12, choices=ProblemKind.choices())
    question = models.TextField("问题")
    answer = models.TextField("解答")
    state = models.CharField("状态", max_length=8, choices=EntryState.choices(), default=EntryState.DRAFT)
    edited_by = models.CharField("审定人", max_length=100, blank=True)
    edited_at = models.DateTimeField("审定时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "手册问答"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=EntryState.values()), name="ingest_entry_state")
        ]

    def __str__(self) -> str:
        return self.question[:40]


class Example(models.Model):
    """一集: a closed case told as an example. The words are somebody's own and name nobody."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="example", verbose_name="办件")
    title = models.CharField("标题", max_length=60)
    situation = models.TextField("情况")
    solution = models.TextField("做法")
    effect = models.TextField("成效")
    place = models.CharField("提出单位", max_length=100)
    state = models.CharField(
        "状态", max_length=10, choices=ExampleState.choices(), default=ExampleState.PROPOSED
    )
    proposed_by = models.CharField("提出人", max_length=100)
    proposed_at = models.DateTimeField("提出时间")
    decided_by = models.CharField("审定人", max_length=100, blank=True)
    decided_at = models.DateTimeField("审定时间", null=True, blank=True)
    reason = models.CharField("不收录的理由", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "通办案例"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ExampleState.values()), name="ingest_example_state")
        ]

    def __str__(self) -> str:
        return self.title


class HandbookEdition(models.Model):
    """One published edition. Its words are those of its slip and change no more."""

    year = models.PositiveSmallIntegerField("年份")
    month = models.PositiveSmallIntegerField("月份")
    slip = models.OneToOneField(
        Slip, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="文书"
    )
    published_by = models.CharField("出版人", max_length=100)
    published_at = models.DateTimeField("出版时间")

    class Meta:
        verbose_name = verbose_name_plural = "手册版次"
        ordering = ["-year", "-month"]
        constraints = [
            models.UniqueConstraint(fields=["year", "month"], name="ingest_edition_once"),
            models.CheckConstraint(condition=Q(month__in=[5, 11]), name="ingest_edition_month"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def label(self) -> str:
        return Edition(self.year, self.month).label

    @property
    def key(self) -> str:
        return Edition(self.year, self.month).key
