"""一叠扫描件: many papers scanned at once, split by separator sheets; what found no home waits in the window's tray."""

from django.db import models
from django.db.models import Q

from ingest.models.materials import Page, SourceFile
from registry.actors import Actor
from registry.models import User, Window
from registry.permissions import Reach
from storage.encryption import EncryptedTextField
from storage.models import StoredObject


class Stack(models.Model):
    """One scanned stack as it came. It may hold papers of several people, so it belongs to the window, to no case."""

    window = models.ForeignKey(Window, on_delete=models.PROTECT, related_name="stacks", verbose_name="窗口")
    stored = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, verbose_name="原文件"
    )
    original_name = EncryptedTextField("原文件名", blank=True)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField("字节数")
    media_type = models.CharField("类型", max_length=100, blank=True)
    verdict = models.CharField("结论", max_length=10, choices=SourceFile.Verdict.choices)
    reason = models.CharField("说明", max_length=300, blank=True)
    code = models.CharField("代码", max_length=40, blank=True)
    removed = models.JSONField("已移除内容", default=list, blank=True)
    uploaded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="上传人"
    )
    uploaded_at = models.DateTimeField("上传时间")

    class Meta:
        verbose_name = verbose_name_plural = "成叠扫描件"
        constraints = [
            models.UniqueConstraint(fields=["window", "sha256"], name="ingest_stack_once_per_window")
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _own_window("window_id", reach, actor)


class StackPage(models.Model):
    """One page of a stack and what became of it. The bytes never change; a page that found its home names it."""

    class Fate(models.TextChoices):
        PLACED = "placed", "已归入办件"
        SEPARATOR = "separator", "分隔页"
        WAITING = "waiting", "未归类"
        ASIDE = "aside", "搁置"

    stack = models.ForeignKey(
        Stack, on_delete=models.PROTECT, related_name="pages", verbose_name="成叠扫描件"
    )
    number = models.PositiveIntegerField("文件内页码")
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, verbose_name="图像")
    sha256 = models.CharField("SHA-256", max_length=64)
    media_type = models.CharField("类型", max_length=40)
    width = models.PositiveIntegerField("宽（像素）")
    height = models.PositiveIntegerField("高（像素）")
    dpi = models.PositiveSmallIntegerField("分辨率")
    rotation = models.PositiveSmallIntegerField("扶正需顺时针旋转", default=0)
    source = models.CharField("来源方式", max_length=12, choices=Page.Source.choices)
    faults = models.JSONField("图像问题", default=list, blank=True)
    faults_version = models.PositiveSmallIntegerField("图像判定版本", default=0)
    blank = models.BooleanField("空白页", default=False)
    fate = models.CharField("去向", max_length=10, choices=Fate.choices)
    why = models.CharField("原因", max_length=20, blank=True)
    page = models.OneToOneField(
        Page,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="scanned_as",
        verbose_name="归入的页",
    )

    class Meta:
        verbose_name = verbose_name_plural = "成叠扫描件的页"
        ordering = ["stack_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["stack", "number"], name="ingest_page_of_stack"),
            models.CheckConstraint(
                condition=Q(fate="placed", page__isnull=False) | (~Q(fate="placed") & Q(page__isnull=True)),
                name="ingest_stack_page_home",
            ),
        ]
        indexes = [models.Index(fields=["fate", "stack"], name="ingest_stack_page_tray")]

    def __str__(self) -> str:
        return f"{self.stack_id}#{self.number}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _own_window("stack__window_id", reach, actor)


def _own_window(field: str, reach: Reach, actor: Actor) -> Q:
    if reach == Reach.OWN_WINDOW and actor.window_id is not None:
        return Q(**{field: actor.window_id})
    return Q(pk__in=())
