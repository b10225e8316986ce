"""邮资例外: a centre bears one leg of one case that the policy gives to somebody else, with reason and approver."""

from django.db import models
from django.db.models import F, Q

from ingest.models import Case
from logistics.models.billing import own_centre
from logistics.rules.payers import Leg
from logistics.rules.policies import ExceptionState
from registry.actors import Actor
from registry.models import ServiceCentre
from registry.permissions import Reach


class PostageException(models.Model):
    """邮资例外: asked by one finance officer of the centre, approved by another."""

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="postage_exceptions", verbose_name="办件"
    )
    leg = models.CharField("寄件类型", max_length=20, choices=Leg.choices())
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="+", verbose_name="承担中心"
    )
    reason = models.CharField("理由", max_length=200)
    state = models.CharField(
        "状态", max_length=10, choices=ExceptionState.choices(), default=ExceptionState.ASKED.value
    )
    asked_by_id = models.CharField("申请人标识", max_length=40)
    asked_by = models.CharField("申请人", max_length=100)
    asked_at = models.DateTimeField("申请时间")
    decided_by_id = models.CharField("批准人标识", max_length=40, blank=True)
    decided_by = models.CharField("批准人", max_length=100, blank=True)
    decided_at = models.DateTimeField("批准时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "邮资例外"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "leg"],
                condition=Q(state__in=["asked", "approved"]),
                name="logistics_exception_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ExceptionState.values()), name="logistics_exception_state"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="logistics_exception_reason"),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(decided_by_id=F("asked_by_id")),
                name="logistics_exception_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.leg}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return own_centre(reach, actor)
