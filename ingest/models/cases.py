"""办件 and 办理环节: an application and the part of it that each office decides."""

from datetime import date

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from ingest.rules import ENDED, CaseState, HandlingState
from registry.actors import Actor
from registry.models import Office, ServiceItem, Window
from registry.permissions import Reach
from registry.terms import Delivery, Mode
from storage.encryption import EncryptedTextField

NO_DEADLINE = date(9999, 12, 31)
"""Where lists sort what has no deadline."""
ON_THE_DESK = Q(
    state__in=[HandlingState.PENDING.value, HandlingState.PRE_REVIEW.value, HandlingState.ACCEPTED.value]
) | Q(unsent=True)
"""Handlings with which an office has something to do."""


def overdue(today: date) -> Q:
    """Handlings whose promise is over: what `Handling.is_late` says, as a condition."""
    running = Q(paused_on__isnull=True, deadline__lt=today)
    return Q(decided_at__isnull=True) & (running | Q(paused_on__gt=F("deadline")))


class CaseQuerySet(models.QuerySet["Case"]):
    def living(self) -> "CaseQuerySet":
        return self.exclude(state__in=ENDED)


class Case(models.Model):
    """办件. The applicant's data is encrypted; the digests beside it find equal values without showing them."""

    number = models.CharField("办件编号", max_length=40, unique=True)
    token = models.CharField("二维码标识", max_length=16, unique=True)
    item = models.ForeignKey(ServiceItem, on_delete=models.PROTECT, verbose_name="事项")
    window = models.ForeignKey(
        Window, on_delete=models.PROTECT, related_name="cases", db_index=False, verbose_name="收件窗口"
    )
    mode = models.CharField("办理模式", max_length=16, choices=Mode.choices())
    state = models.CharField("状态", max_length=12, choices=CaseState.choices(), default=CaseState.DRAFT)
    applicant_name = EncryptedTextField("申请人")
    applicant_id_number = EncryptedTextField("证件号码", blank=True)
    applicant_id_index = models.CharField(max_length=64, blank=True)
    applicant_phone = EncryptedTextField("联系电话", blank=True)
    applicant_phone_index = models.CharField(max_length=64, blank=True)
    applicant_address = EncryptedTextField("送达地址", blank=True)
    delivery = models.CharField(
        "结果送达方式", max_length=12, choices=Delivery.choices(), default=Delivery.MAIL
    )
    agent_consent = models.BooleanField("同意委托代办", default=False)
    created_at = models.DateTimeField("收件时间")
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    closed_at = models.DateTimeField("归结时间", null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "办件"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CaseState.values()), name="ingest_case_state"),
            models.CheckConstraint(
                condition=Q(state__in=[CaseState.DRAFT.value, CaseState.WITHDRAWN.value])
                | Q(submitted_at__isnull=False),
                name="ingest_case_submitted_at",
            ),
        ]
        indexes = [
            models.Index(fields=["window", "state", "-id"], name="ingest_case_window_list"),
            models.Index(fields=["submitted_at"], name="ingest_case_submitted"),
            # All that figures ask of a case, so that many are counted without reading what lies beside it: those of a
            # window, and those whose handlings are known.
            models.Index(
                fields=["window", "id", "submitted_at", "item", "mode"], name="ingest_case_of_window"
            ),
            models.Index(fields=["id", "submitted_at", "item", "mode"], name="ingest_case_counted"),
            # Digests are found whole. An index of the field itself would bring a second one, for beginnings.
            models.Index(fields=["applicant_id_index"], name="ingest_case_id_digest"),
            models.Index(fields=["applicant_phone_index"], name="ingest_case_phone_digest"),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(window_id=actor.window_id) & Q(window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            mine = Q(handlings__office_id=actor.office_id) & Q(handlings__office_id__isnull=False)
            return mine & Q(submitted_at__isnull=False)
        return Q(pk__in=())

    def lead_office(self) -> Office:
        """The office that leads, or the only one; one query."""
        return self.handlings.select_related("office").get(is_lead=True).office


class Handling(models.Model):
    """办理环节: one office's part. Exactly one per case except 多地联办."""

    # Neither has an index of its own: others begin with it.
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="handlings", db_index=False, verbose_name="办件"
    )
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, related_name="handlings", db_index=False, verbose_name="审批部门"
    )
    is_lead = models.BooleanField("牵头", default=False)
    state = models.CharField(
        "状态", max_length=12, choices=HandlingState.choices(), default=HandlingState.WAITING
    )
    resume_state = models.CharField("补正前状态", max_length=12, blank=True)
    accepted_at = models.DateTimeField("受理时间", null=True, blank=True)
    deadline = models.DateField("承诺办结日期", null=True, blank=True)
    counted_from = models.DateField("计时起始日期", null=True, blank=True)
    counted_days = models.SmallIntegerField("计时工作日", null=True, blank=True)
    deadline_certain = models.BooleanField("工作日历已公布", default=True)
    paused_on = models.DateField("暂停计时日期", null=True, blank=True)
    passed_deadline = models.DateField("已通报超期的期限", null=True, blank=True)
    noticed_at = models.DateTimeField("一次性告知时间", null=True, blank=True)
    notice = EncryptedTextField("一次性告知内容", blank=True)
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)
    decision = models.CharField("决定", max_length=20, blank=True)
    unsent = models.BooleanField("已决定、结果待寄出", default=False)
    reason = EncryptedTextField("理由", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "办理环节"
        constraints = [
            models.UniqueConstraint(fields=["case", "office"], name="ingest_handling_once"),
            models.UniqueConstraint(fields=["case"], condition=Q(is_lead=True), name="ingest_one_lead"),
            models.CheckConstraint(
                condition=Q(state__in=HandlingState.values()), name="ingest_handling_state"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[HandlingState.ACCEPTED.value, HandlingState.DECIDED.value])
                | Q(accepted_at__isnull=False, deadline__isnull=False),
                name="ingest_handling_has_deadline",
            ),
        ]
        indexes = [
            models.Index(fields=["office", "state", "deadline"], name="ingest_handling_list"),
            # All that figures, and the order of a window's list, ask of handlings: those of known cases, and an office's.
            models.Index(
                fields=["case", "is_lead", "office", "state", "deadline", "accepted_at", "decided_at", "id"],
                name="ingest_handling_of_case",
            ),
            models.Index(
                fields=["office", "case", "is_lead", "state", "deadline", "accepted_at", "decided_at"],
                name="ingest_handling_of_office",
            ),
            # Promises that run and of which nobody was told yet that they are over.
            models.Index(
                fields=["deadline"],
                condition=Q(state=HandlingState.ACCEPTED.value, passed_deadline__isnull=True),
                name="ingest_handling_running",
            ),
            models.Index(
                fields=["decided_at"],
                condition=Q(decided_at__isnull=False),
                name="ingest_handling_decided",
            ),
            # What an office still has on its desk, most urgent first: small however much it has decided.
            models.Index(
                F("office"),
                Coalesce(F("deadline"), Value(NO_DEADLINE), output_field=models.DateField()),
                F("id"),
                condition=ON_THE_DESK,
                name="ingest_handling_desk",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.office_id}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(case__window_id=actor.window_id) & Q(case__window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            return Q(office_id=actor.office_id, case__submitted_at__isnull=False) & Q(office_id__isnull=False)
        return Q(pk__in=())

    def is_late(self, today: date) -> bool:
        """Whether its promise is over; one that is paused is as late as it was when it was paused."""
        if self.deadline is None or self.decided_at is not None:
            return False
        return self.deadline < (self.paused_on or today)
