"""Files on their way in: uploads that come piece by piece and may be interrupted."""

from django.db import models

from storage.encryption import EncryptedTextField


class Arrival(models.Model):
    """One upload in pieces. It belongs to whoever began it, until it is taken in somewhere or its time is over.

    The pieces lie in the spool folder; `sha256` is empty until the whole was taken in.
    """

    key = models.CharField("标识", max_length=32, unique=True)
    owner_kind = models.CharField("上传者类别", max_length=16)
    owner_id = models.CharField("上传者", max_length=64)
    original_name = EncryptedTextField("原文件名", blank=True)
    length = models.PositiveBigIntegerField("字节数")
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    created_at = models.DateTimeField("开始时间")
    expires_at = models.DateTimeField("失效时间")

    class Meta:
        verbose_name = verbose_name_plural = "续传中的文件"
        indexes = [
            models.Index(fields=["owner_kind", "owner_id", "created_at"], name="ingest_arrival_owner"),
            models.Index(fields=["expires_at"], name="ingest_arrival_expires"),
        ]

    def __str__(self) -> str:
        return self.key
