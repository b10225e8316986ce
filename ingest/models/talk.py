"""沟通: what window and offices say to each other about a case, who has read it, and what was taken back."""

from django.db import models
from django.db.models import Q

from ingest.models.cases import Case
from registry.actors import Actor
from registry.models import User
from registry.permissions import Reach
from registry.rules.talk import Phase, Side
from storage.encryption import EncryptedTextField


class Thread(models.Model):
    """The talk about one case; it begins with the first message.

    An office that is asked about a case before it is submitted reaches the talk, and nothing else of the case.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="thread", verbose_name="办件")
    last_message = models.PositiveBigIntegerField("最后一条", default=0)
    last_at = models.DateTimeField("最后留言时间")
    last_side = models.CharField("最后留言一方", max_length=8, choices=Side.choices())

    class Meta:
        verbose_name = verbose_name_plural = "办件沟通"
        indexes = [models.Index(fields=["-last_message"], name="ingest_thread_newest")]

    def __str__(self) -> str:
        return f"{self.case_id}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(case__window_id=actor.window_id) & Q(case__window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            return Q(case__handlings__office_id=actor.office_id) & Q(case__handlings__office_id__isnull=False)
        return Q(pk__in=())


class Message(models.Model):
    """One thing said. Rows are added, never changed; the words are encrypted like other personal data."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages", verbose_name="沟通")
    phase = models.CharField("步骤", max_length=8, choices=Phase.choices())
    side = models.CharField("一方", max_length=8, choices=Side.choices())
    place = models.CharField("窗口或部门", max_length=100)
    words = EncryptedTextField("内容")
    personal = models.BooleanField("含个人号码", default=False)
    by_id = models.CharField("留言人", max_length=40)
    by = models.CharField("留言人名称", max_length=100)
    at = models.DateTimeField("留言时间")

    class Meta:
        verbose_name = verbose_name_plural = "沟通留言"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.thread_id}#{self.pk}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(thread__case__window_id=actor.window_id) & Q(thread__case__window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            mine = Q(thread__case__handlings__office_id=actor.office_id)
            return mine & Q(thread__case__handlings__office_id__isnull=False)
        return Q(pk__in=())


class Retraction(models.Model):
    """撤回: who took a message back, and when. The message stays where it is; its words are shown no more."""

    message = models.OneToOneField(
        Message, on_delete=models.PROTECT, related_name="retraction", verbose_name="留言"
    )
    by = models.CharField("撤回人", max_length=100)
    at = models.DateTimeField("撤回时间")

    class Meta:
        verbose_name = verbose_name_plural = "撤回的留言"

    def __str__(self) -> str:
        return f"{self.message_id}"


class ThreadSeen(models.Model):
    """Up to which message somebody has read a talk."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="seen", verbose_name="沟通")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="用户")
    message = models.PositiveBigIntegerField("已读到", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "沟通已读标记"
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="ingest_seen_once")]

    def __str__(self) -> str:
        return f"{self.thread_id}/{self.user_id}"
