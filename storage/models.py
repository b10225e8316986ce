"""What lies in the object store: one row for each kind of content, named by its SHA-256."""

from django.conf import settings
from django.db import models


class Kind(models.TextChoices):
    """What a stored object is for; decides its bucket and whether it is locked."""

    SOURCE = "source", "上传原件"
    PAGE = "page", "页图像"
    PHOTO = "photo", "交接照片"
    DOSSIER = "dossier", "卷宗"
    SLIP = "slip", "文书"
    LABEL = "label", "面单"
    STATEMENT = "statement", "对账单"
    SETTLEMENT = "settlement", "结算单"
    RESULT = "result", "电子结果"
    ANCHOR = "anchor", "审计锚点"


ARCHIVED = frozenset({Kind.DOSSIER, Kind.SLIP, Kind.STATEMENT, Kind.SETTLEMENT, Kind.RESULT, Kind.ANCHOR})


class StoredObject(models.Model):
    """Bytes in the store. Never edited: other bytes are another object."""

    sha256 = models.CharField("SHA-256", max_length=64)
    kind = models.CharField("用途", max_length=16, choices=Kind.choices)
    key = models.CharField("存储键", max_length=128, unique=True)
    size = models.PositiveBigIntegerField("字节数")
    media_type = models.CharField("类型", max_length=100)
    locked_until = models.DateTimeField("锁定至", null=True, blank=True)
    created_at = models.DateTimeField("存入时间")

    class Meta:
        verbose_name = verbose_name_plural = "存储对象"
        constraints = [
            models.UniqueConstraint(fields=["kind", "sha256"], name="storage_one_object_per_content"),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="storage_known_kind"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def bucket(self) -> str:
        return bucket_of(self.kind)


def bucket_of(kind: str) -> str:
    return settings.S3_ARCHIVE_BUCKET if kind in ARCHIVED else settings.S3_BUCKET
