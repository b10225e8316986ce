"""电子结果: the file that an office issued as its decision's result, and that it came to the applicant."""

from django.db import models
from django.db.models import Q

from ingest.models.cases import Handling
from registry.actors import Actor
from registry.permissions import Reach
from storage.models import StoredObject


class ResultFile(models.Model):
    """One issued file, kept byte for byte, so that a signature in it stays valid.

    Taken back it stands no more, and the row stays; `fetched_at` is when the applicant's side first took it.
    """

    class By(models.TextChoices):
        APPLICANT = "applicant", "申请人"
        PLATFORM = "platform", "一体化平台"

    handling = models.ForeignKey(
        Handling, on_delete=models.PROTECT, related_name="result_files", verbose_name="办理环节"
    )
    name = models.CharField("名称", max_length=100)
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, verbose_name="文件")
    attached_by = models.CharField("上传人", max_length=100)
    attached_at = models.DateTimeField("上传时间")
    voided_at = models.DateTimeField("作废时间", null=True, blank=True)
    fetched_at = models.DateTimeField("取得时间", null=True, blank=True)
    fetched_by = models.CharField("取得方", max_length=10, choices=By.choices, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "电子结果"
        constraints = [
            models.UniqueConstraint(
                fields=["handling", "stored"],
                condition=Q(voided_at__isnull=True),
                name="ingest_result_file_once",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True) | Q(fetched_at__isnull=True),
                name="ingest_result_file_fetched_stands",
            ),
            models.CheckConstraint(
                condition=Q(fetched_at__isnull=True, fetched_by="")
                | Q(fetched_at__isnull=False) & ~Q(fetched_by=""),
                name="ingest_result_file_fetched_by",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(handling__case__window_id=actor.window_id) & Q(handling__case__window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            return Q(handling__office_id=actor.office_id) & Q(handling__office_id__isnull=False)
        return Q(pk__in=())
