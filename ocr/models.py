"""What was read on a page, by whom and how; readings are appended, the newest one counts."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q

from ingest.models import Page
from ocr.lines import Line
from registry.actors import Actor
from registry.permissions import Reach
from storage.encryption import EncryptedJSONField


class ReadingQuerySet(models.QuerySet["Reading"]):
    """Questions about readings."""

    def current(self, page: Page) -> "Reading | None":
        """The newest reading of a page."""
        return self.filter(page=page).order_by("-read_at", "-pk").first()

    def current_of(self, pages: Iterable[Page]) -> "dict[int, Reading]":
        """The newest reading of each page that has one, by the page's key. One query."""
        readings = self.filter(page__in=[page.pk for page in pages]).order_by("read_at", "pk")
        return {reading.page_id: reading for reading in readings}


class Reading(models.Model):
    """One engine's reading of one page. A redo with other settings is another reading; none is ever changed."""

    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="readings", verbose_name="页")
    engine = models.CharField("引擎", max_length=20)
    engine_version = models.CharField("引擎版本", max_length=40)
    settings_digest = models.CharField("设置摘要", max_length=64)
    precision = models.CharField("运算精度", max_length=40)
    angle = models.PositiveSmallIntegerField("扶正需顺时针旋转", default=0)
    slope = models.FloatField("倾斜（度）", default=0.0)
    # Text and numbers of a page are personal data.
    lines = EncryptedJSONField("文字行", default=list)
    fields = EncryptedJSONField("字段", default=list)
    line_count = models.PositiveIntegerField("行数", default=0)
    uncertain = models.PositiveIntegerField("待核对行数", default=0)
    failure = models.CharField("无法识别的原因代码", max_length=40, blank=True)
    seconds = models.FloatField("用时（秒）")
    read_at = models.DateTimeField("识别时间")

    objects = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "识别结果"
        constraints = [
            models.UniqueConstraint(
                fields=["page", "engine", "engine_version", "settings_digest"], name="ocr_reading_once"
            ),
            models.CheckConstraint(condition=Q(angle__in=[0, 90, 180, 270]), name="ocr_reading_angle"),
        ]
        indexes = [models.Index(fields=["page", "-read_at"], name="ocr_reading_newest")]

    def __str__(self) -> str:
        return f"{self.page_id} {self.engine} {self.engine_version}"

    @property
    def unreadable(self) -> bool:
        """Whether the page could not be read at all; it goes into the dossier as a picture."""
        return bool(self.failure)

    def text_lines(self) -> list[Line]:
        """The lines in reading order, boxes in pixels of the page as stored."""
        return [Line.from_json(line) for line in self.lines]

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """The readings of the pages within reach."""
        pages = Page.objects.filter(Page.within(reach, actor))
        return Q(page__in=pages.values("pk"))
