"""延误: with whom a handling lay, from when to when, and whether its promised time stood still meanwhile."""

from django.db import models
from django.db.models import F, Q

from ingest.models.cases import Handling
from registry.rules.deadlines import Delayer, DelayFacts


class Delay(models.Model):
    """One stretch of waiting for somebody: 补正 for the applicant, a late parcel for the courier, an unopened one for
    the office. It counts from the end of `began_on` to the end of `ended_on`; open while `ended_on` is empty.
    """

    handling = models.ForeignKey(
        Handling, on_delete=models.PROTECT, related_name="delays", verbose_name="办理环节"
    )
    who = models.CharField("等待谁", max_length=10, choices=Delayer.choices())
    parcel = models.CharField("寄件编号", max_length=40, blank=True)
    stopped = models.BooleanField("暂停计时", default=False)
    began_on = models.DateField("起")
    ended_on = models.DateField("止", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "延误"
        ordering = ["began_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["handling", "who", "parcel"],
                condition=Q(ended_on__isnull=True),
                name="ingest_delay_open_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("began_on")), name="ingest_delay_dates"
            ),
        ]
        indexes = [
            models.Index(
                fields=["who", "parcel"], condition=Q(ended_on__isnull=True), name="ingest_delay_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.handling_id} {self.who} {self.began_on}"

    @property
    def facts(self) -> DelayFacts:
        return DelayFacts(self.who, self.began_on, self.ended_on, self.stopped)

    @property
    def who_in_words(self) -> str:
        return Delayer(self.who).label
