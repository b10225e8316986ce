"""身份核验: that a window looked at who stands before it, without keeping what the card says."""

from django.db import models
from django.db.models import Q

from ingest.models.cases import Case
from ingest.rules import IdentityMethod, IdentityPerson


class IdentityCheck(models.Model):
    """One look at a person's document. Rows are added, never changed; the number and the picture are not kept."""

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="identity_checks", verbose_name="办件"
    )
    person = models.CharField("核验对象", max_length=10, choices=IdentityPerson.choices())
    method = models.CharField("核验方式", max_length=10, choices=IdentityMethod.choices())
    document = models.CharField("证件", max_length=40)
    reason = models.CharField("人工核验的原因", max_length=200, blank=True)
    checked_by = models.CharField("核验人", max_length=100)
    checked_at = models.DateTimeField("核验时间")

    class Meta:
        verbose_name = verbose_name_plural = "身份核验"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(method=IdentityMethod.SIGHT.value) | ~Q(reason=""),
                name="ingest_sight_has_reason",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.person}"
