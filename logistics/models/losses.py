"""报失核销: an original that nobody found, declared lost by one person and confirmed by another."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ingest.models import Original
from logistics.models.parcels import Incident
from logistics.rules.losses import LONGEST, STANDING, LossState, Remedy


class LossQuerySet(models.QuerySet["Loss"]):
    """Questions about losses."""

    def standing(self) -> "LossQuerySet":
        """Declared or confirmed: somebody says that the original is lost."""
        return self.filter(state__in=sorted(STANDING))


class Loss(models.Model):
    """What was said about one missing original. What was declared stays as it was declared; only its fate is added.

    `done` says what was done for the applicant, `answer` why it was sent back, `found_words` how it was found.
    """

    original = models.ForeignKey(
        Original, on_delete=models.PROTECT, related_name="losses", verbose_name="原件"
    )
    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, related_name="losses", verbose_name="物流异常"
    )
    state = models.CharField(
        "状态", max_length=10, choices=LossState.choices(), default=LossState.DECLARED.value
    )
    reason = models.CharField("核销理由", max_length=LONGEST)
    remedy = models.CharField("对申请人的处理", max_length=12, choices=Remedy.choices())
    done = models.CharField("处理说明", max_length=LONGEST)
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="申报人"
    )
    declared_label = models.CharField("申报人名称", max_length=100)
    declared_at = models.DateTimeField("申报时间")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="复核人",
    )
    decided_label = models.CharField("复核人名称", max_length=100, blank=True)
    decided_at = models.DateTimeField("复核时间", null=True, blank=True)
    answer = models.CharField("退回理由", max_length=LONGEST, blank=True)
    found_label = models.CharField("找到人名称", max_length=100, blank=True)
    found_at = models.DateTimeField("找到时间", null=True, blank=True)
    found_words = models.CharField("找到经过", max_length=LONGEST, blank=True)

    objects = LossQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报失核销"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["original"],
                condition=Q(state__in=["confirmed", "declared"]),
                name="logistics_loss_once",
            ),
            models.CheckConstraint(condition=Q(state__in=LossState.values()), name="logistics_loss_state"),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "returned"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="logistics_loss_decided",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("declared_by")),
                name="logistics_loss_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="found") | Q(found_at__isnull=False), name="logistics_loss_found"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_id}/{self.state}"
