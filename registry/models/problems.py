"""How long an answer to a problem report may take: policy data with dates."""

from django.db import models
from django.db.models import Q

from registry.rules.problems import ProblemKind


class ProblemTime(models.Model):
    """Working days for the answer to one kind of problem, from a day on."""

    kind = models.CharField("问题类型", max_length=12, choices=ProblemKind.choices())
    workdays = models.PositiveSmallIntegerField("答复期限（工作日）")
    valid_from = models.DateField("生效日期")
    source = models.CharField("依据", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "问题答复期限"
        ordering = ["kind", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "valid_from"], name="registry_problem_time_once"),
            models.CheckConstraint(
                condition=Q(workdays__gte=1, workdays__lte=60), name="registry_problem_time_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.valid_from}：{self.workdays}"
