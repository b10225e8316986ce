"""What a window found when it went through an item's review points."""

from django.db import models

from ingest.models.cases import Case


class ReviewAnswer(models.Model):
    """One answered 审查要点 of a case; `value` is empty where the question does not apply, with a reason."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="answers", verbose_name="办件")
    point = models.CharField("要点编号", max_length=40)
    value = models.BooleanField("答复", null=True, blank=True)
    reason = models.CharField("不适用的理由", max_length=200, blank=True)
    answered_by = models.CharField("答复人", max_length=100)
    answered_at = models.DateTimeField("答复时间")

    class Meta:
        verbose_name = verbose_name_plural = "审查要点答复"
        constraints = [
            models.UniqueConstraint(fields=["case", "point"], name="ingest_answer_once"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False) | ~models.Q(reason=""), name="ingest_answer_or_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.point}"
