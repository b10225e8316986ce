"""What was read on a page, by whom and how, and what people corrected: all of it appended, none of it changed."""

from collections.abc import Iterable

from django.db import models
from django.db.models import F, Q

from ingest.models import Material, Page
from ocr.continuing import Edges
from ocr.fields import Field
from ocr.lines import Line, as_box
from ocr.standing import Mark, Standing, standing
from registry.actors import Actor
from registry.permissions import Reach
from storage.encryption import EncryptedJSONField, EncryptedTextField


class ReadingQuerySet(models.QuerySet["Reading"]):
    """Questions about readings."""

    def current(self, page: Page) -> "Reading | None":
        """The reading of a page that counts: the newest, unless a person chose another."""
        return self.current_of([page]).get(page.pk)

    def current_of(self, pages: Iterable[Page]) -> "dict[int, Reading]":
        """The reading that counts of each page that has one, by the page's key. One query."""
        readings = self.filter(page__in=[page.pk for page in pages])
        ordered = readings.annotate(chosen=F("counts_for__chosen_at")).order_by(
            F("chosen").asc(nulls_first=True), "read_at", "pk"
        )
        return {reading.page_id: reading for reading in ordered}


class Reading(models.Model):
    """One engine's reading of one page. A redo with other settings is another reading; none is ever changed.

    A try that found no text may be followed by another of the same engine and settings: `attempt` counts them. Where
    the work was given up before an engine could say anything, its version and settings are empty.
    """

    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="readings", verbose_name="页")
    engine = models.CharField("引擎", max_length=20)
    engine_version = models.CharField("引擎版本", max_length=40)
    settings_digest = models.CharField("设置摘要", max_length=64)
    finders = models.PositiveSmallIntegerField("字段规则版本", default=1)
    attempt = models.PositiveSmallIntegerField("第几次尝试", default=1)
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
                fields=["page", "engine", "engine_version", "settings_digest", "finders", "attempt"],
                name="ocr_reading_once",
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

    def found_fields(self) -> list[Field]:
        """The fields as they were found when the page was read."""
        return [Field.from_json(field) for field in self.fields]

    def standing(self, corrections: "Iterable[Correction]" = ()) -> Standing:
        """What stands on the page by this reading and these corrections of the page, the oldest first."""
        marks = [correction.mark() for correction in corrections]
        return standing(self.text_lines(), self.found_fields(), marks)

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """The readings of the pages within reach."""
        pages = Page.objects.filter(Page.within(reach, actor))
        return Q(page__in=pages.values("pk"))


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Questions about corrections."""

    def of_pages(self, pages: Iterable[Page]) -> "dict[int, list[Correction]]":
        """The corrections of each page that has any, by the page's key, the oldest first. One query."""
        found: dict[int, list[Correction]] = {}
        for correction in self.filter(page__in=[page.pk for page in pages]).order_by("corrected_at", "pk"):
            found.setdefault(correction.page_id, []).append(correction)
        return found


class Correction(models.Model):
    """What a person says stands in one place of a page. Never changed: a second thought is another row.

    It belongs to the place, not to a line of one reading, so that it outlives reading the page again.
    """

    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="corrections", verbose_name="页")
    reading = models.ForeignKey(
        Reading, on_delete=models.PROTECT, related_name="corrections", verbose_name="识别结果"
    )
    line = models.PositiveIntegerField("行")
    box = models.JSONField("位置")
    original = EncryptedTextField("识别文字", blank=True)
    text = EncryptedTextField("核定文字", blank=True)
    confirms = models.BooleanField("与识别一致")
    corrected_by = models.CharField("核对人", max_length=100)
    corrected_at = models.DateTimeField("核对时间")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "文字更正"
        indexes = [models.Index(fields=["page", "corrected_at"], name="ocr_correction_of_page")]

    def __str__(self) -> str:
        return f"{self.page_id}/{self.line}"

    def mark(self) -> Mark:
        """The correction as a value."""
        return Mark(as_box(self.box), self.original, self.text, self.corrected_by, self.corrected_at)


class Review(models.Model):
    """How far a page's text has been looked at: the reading that counts, and how many of its places wait for a person.

    A page that could not be read is one such place, until a person says that it goes into the dossier as a picture.
    """

    page = models.OneToOneField(Page, on_delete=models.PROTECT, related_name="review", verbose_name="页")
    reading = models.OneToOneField(
        Reading, on_delete=models.PROTECT, related_name="counts_for", verbose_name="识别结果"
    )
    open = models.PositiveIntegerField("待核对处数", default=0)
    suggested = models.ForeignKey(
        Material,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="像哪一份材料",
    )
    printed_number = models.PositiveSmallIntegerField("印刷页码", default=0)
    printed_total = models.PositiveSmallIntegerField("印刷总页数", default=0)
    begins_within = models.BooleanField("开头承接上页", default=False)
    breaks_off = models.BooleanField("末尾未完", default=False)
    image_by = models.CharField("确认作为图像的人", max_length=100, blank=True)
    image_at = models.DateTimeField("确认作为图像的时间", null=True, blank=True)
    chosen_at = models.DateTimeField("选定时间")

    class Meta:
        verbose_name = verbose_name_plural = "核对进度"
        indexes = [models.Index(fields=["page"], condition=Q(open__gt=0), name="ocr_review_open")]

    def __str__(self) -> str:
        return f"{self.page_id}: {self.open}"

    @property
    def edges(self) -> Edges:
        """What the page says of its neighbours."""
        return Edges(self.printed_number, self.printed_total, self.begins_within, self.breaks_off)

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        """Reviews of the pages within reach."""
        pages = Page.objects.filter(Page.within(reach, actor))
        return Q(page__in=pages.values("pk"))
