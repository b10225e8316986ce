"""好差评: the one question at the end of a case, and the one answer to it."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from ingest.models.cases import Case
from ingest.models.problems import Problem
from registry.actors import Actor
from registry.permissions import Reach
from registry.rules.satisfaction import Concern, Grade, grading_ends
from registry.tokens import Purpose, write
from storage.encryption import EncryptedTextField


class RatingAsk(models.Model):
    """The question that a closed case puts to its applicant. Who holds the printed token may answer it, once."""

    case = models.OneToOneField(
        Case, on_delete=models.PROTECT, related_name="rating_ask", verbose_name="办件"
    )
    code = models.CharField("链接标识", max_length=16, unique=True)
    asked_at = models.DateTimeField("发出时间")

    class Meta:
        verbose_name = verbose_name_plural = "评价邀请"

    def __str__(self) -> str:
        return f"{self.case_id}"

    @property
    def token_text(self) -> str:
        """What the link ends with; made from the identifier and our key whenever it is shown."""
        return write(Purpose.RATING, self.code).text

    @property
    def ends_at(self) -> datetime:
        return grading_ends(self.asked_at)


class Rating(models.Model):
    """What the applicant answered. Rows are added, never changed; the words are encrypted and shown masked."""

    ask = models.OneToOneField(
        RatingAsk, on_delete=models.PROTECT, related_name="rating", verbose_name="邀请"
    )
    grade = models.CharField("评价", max_length=10, choices=Grade.choices())
    concern = models.CharField("评价对象", max_length=10, choices=Concern.choices())
    words = EncryptedTextField("意见", blank=True)
    at = models.DateTimeField("评价时间")
    problem = models.OneToOneField(
        Problem, on_delete=models.PROTECT, null=True, blank=True, related_name="rating", verbose_name="回访单"
    )

    class Meta:
        verbose_name = verbose_name_plural = "评价"
        constraints = [
            models.CheckConstraint(condition=Q(grade__in=Grade.values()), name="ingest_rating_grade"),
            models.CheckConstraint(
                condition=~Q(grade__in=[Grade.BAD.value, Grade.VERY_BAD.value]) | Q(problem__isnull=False),
                name="ingest_bad_rating_is_followed_up",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="ingest_rating_at")]

    def __str__(self) -> str:
        return f"{self.ask_id}: {self.grade}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(ask__case__window_id=actor.window_id) & Q(ask__case__window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            mine = Q(ask__case__handlings__office_id=actor.office_id)
            return mine & Q(ask__case__handlings__office_id__isnull=False)
        return Q(pk__in=())
