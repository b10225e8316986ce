"""好差评: the one question at the end of a case, and the one answer to it."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ingest.models.cases import Case, Handling
from ingest.models.problems import Problem
from registry.actors import Actor
from registry.permissions import Reach
from registry.rules.satisfaction import Concern, Grade, grading_ends
from registry.tokens import Purpose, write
from storage.encryption import EncryptedTextField


class RatingAsk(models.Model):
    """The question that a closed case puts to its applicant. Who holds the printed token may answer it, once.

    The code may be printed before the case is closed, on a proof of delivery; `asked_at` is empty until then.
    """

    case = models.OneToOneField(
        Case, on_delete=models.PROTECT, related_name="rating_ask", verbose_name="办件"
    )
    code = models.CharField("链接标识", max_length=16, unique=True)
    asked_at = models.DateTimeField("发出时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "评价邀请"

    def __str__(self) -> str:
        return f"{self.case_id}"

    @property
    def token_text(self) -> str:
        """What the link ends with; made from the identifier and our key whenever it is shown."""
        return write(Purpose.RATING, self.code).text

    @property
    def link(self) -> str:
        """What is printed and shown: the address of the question, with nothing about anybody in it."""
        return f"{settings.PUBLIC_URL}{reverse('rating', args=[self.token_text])}"

    def is_over(self, now: datetime) -> bool:
        """Whether it was asked so long ago that it is closed."""
        return self.asked_at is not None and now >= grading_ends(self.asked_at)


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
            # By key, not by a join: what is asked of the case's other handlings stays a question of its own.
            return Q(ask__case__in=Handling.objects.filter(Q(office_id=actor.office_id)).values("case"))
        return Q(pk__in=())
