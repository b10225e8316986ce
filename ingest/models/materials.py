"""材料, the pages that show it, the files they came in, and the paper originals."""

from django.db import models
from django.db.models import Q

from ingest.models.cases import Case, Handling
from registry.actors import Actor
from registry.models import MaterialRequirement, User
from registry.permissions import Reach
from storage.encryption import EncryptedTextField
from storage.models import StoredObject


def _through_case(reach: Reach, actor: Actor) -> Q:
    if reach == Reach.OWN_WINDOW:
        return Q(case__window_id=actor.window_id) & Q(case__window_id__isnull=False)
    if reach == Reach.OWN_OFFICE:
        mine = Q(case__handlings__office_id=actor.office_id) & Q(case__handlings__office_id__isnull=False)
        return mine & Q(case__submitted_at__isnull=False)
    return Q(pk__in=())


class Material(models.Model):
    """What was handed in for one row of the checklist."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="materials", verbose_name="办件")
    requirement = models.ForeignKey(MaterialRequirement, on_delete=models.PROTECT, verbose_name="材料要求")
    name = models.CharField("名称", max_length=100)
    position = models.PositiveSmallIntegerField("序号")
    token = models.CharField("分隔页标识", max_length=16, blank=True)
    deferred_until = models.DateField("容缺承诺补交日期", null=True, blank=True)
    promise_kept_at = models.DateTimeField("容缺材料补齐时间", null=True, blank=True)
    reminded_at = models.DateTimeField("容缺到期提醒时间", null=True, blank=True)
    lapsed_at = models.DateTimeField("容缺承诺过期时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "材料"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="ingest_material_position"),
            models.UniqueConstraint(
                fields=["token"], condition=~Q(token=""), name="ingest_material_token_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["deferred_until"],
                condition=Q(deferred_until__isnull=False, promise_kept_at__isnull=True),
                name="ingest_promise_open",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _through_case(reach, actor)


class SourceFile(models.Model):
    """One uploaded file as it came, and what inspection said of it. A refused file keeps its sentence."""

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", "接收"
        REPAIRED = "repaired", "修复后接收"
        REFUSED = "refused", "拒收"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="files", verbose_name="办件")
    material = models.ForeignKey(
        Material, on_delete=models.PROTECT, null=True, blank=True, related_name="files", verbose_name="材料"
    )
    stored = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, verbose_name="原文件"
    )
    stack = models.ForeignKey(
        "ingest.Stack",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="files",
        verbose_name="成叠扫描件",
    )
    original_name = EncryptedTextField("原文件名", blank=True)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField("字节数")
    media_type = models.CharField("类型", max_length=100, blank=True)
    verdict = models.CharField("结论", max_length=10, choices=Verdict.choices)
    reason = models.CharField("说明", max_length=300, blank=True)
    code = models.CharField("代码", max_length=40, blank=True)
    removed = models.JSONField("已移除内容", default=list, blank=True)
    uploaded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="上传人"
    )
    uploaded_at = models.DateTimeField("上传时间")

    class Meta:
        verbose_name = verbose_name_plural = "上传文件"
        constraints = [
            models.UniqueConstraint(fields=["case", "sha256"], name="ingest_file_once_per_case"),
        ]
        indexes = [models.Index(fields=["sha256"], name="ingest_file_anywhere")]

    def __str__(self) -> str:
        return self.sha256[:12]

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _through_case(reach, actor)


class Page(models.Model):
    """页: one captured page image. The bytes never change; turning and setting aside are notes beside them."""

    class Source(models.TextChoices):
        AS_CAPTURED = "as_captured", "原样"
        EXTRACTED = "extracted", "取自文件"
        REENCODED = "reencoded", "转码"
        RENDERED = "rendered", "渲染"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="pages", verbose_name="办件")
    material = models.ForeignKey(
        Material, on_delete=models.PROTECT, null=True, blank=True, related_name="pages", verbose_name="材料"
    )
    file = models.ForeignKey(
        SourceFile, on_delete=models.PROTECT, related_name="pages", verbose_name="来源文件"
    )
    number = models.PositiveIntegerField("文件内页码")
    position = models.PositiveIntegerField("材料内次序")
    stored = models.ForeignKey(StoredObject, on_delete=models.PROTECT, verbose_name="图像")
    sha256 = models.CharField("SHA-256", max_length=64)
    media_type = models.CharField("类型", max_length=40)
    width = models.PositiveIntegerField("宽（像素）")
    height = models.PositiveIntegerField("高（像素）")
    dpi = models.PositiveSmallIntegerField("分辨率")
    rotation = models.PositiveSmallIntegerField("扶正需顺时针旋转", default=0)
    source = models.CharField("来源方式", max_length=12, choices=Source.choices)
    own_text = models.BooleanField("自带文字", default=False)
    faults = models.JSONField("图像问题", default=list, blank=True)
    faults_version = models.PositiveSmallIntegerField("图像判定版本", default=0)
    set_aside = models.BooleanField("搁置", default=False)
    blank = models.BooleanField("空白页", default=False)
    captured_at = models.DateTimeField("采集时间")

    class Meta:
        verbose_name = verbose_name_plural = "页"
        ordering = ["material__position", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="ingest_page_of_file"),
            models.CheckConstraint(condition=Q(rotation__in=[0, 90, 180, 270]), name="ingest_page_rotation"),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}#{self.number}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _through_case(reach, actor)


class OriginalStop(models.Model):
    """One office that needs an original, in the order of its way; nearly always the only one."""

    original = models.ForeignKey(
        "Original", on_delete=models.PROTECT, related_name="stops", verbose_name="原件"
    )
    handling = models.ForeignKey(
        Handling, on_delete=models.PROTECT, related_name="stops", verbose_name="办理环节"
    )
    position = models.PositiveSmallIntegerField("次序")
    reached_at = models.DateTimeField("到达时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "原件去向"
        ordering = ["original", "position"]
        constraints = [
            models.UniqueConstraint(fields=["original", "handling"], name="ingest_stop_once"),
            models.UniqueConstraint(fields=["original", "position"], name="ingest_stop_order"),
        ]

    def __str__(self) -> str:
        return f"{self.original_id}→{self.handling_id}"


class Original(models.Model):
    """A paper that must not be lost: an applicant's original, or a result. It is at exactly one place.

    `place_id` is the window, office, parcel or case (of its applicant) that the place speaks of; what is lost or gone
    names its parcel, what is looked for the incident under which it is, and what vanished for good from a desk 0.
    `from_applicant`: no window takes it in, the applicant sends it to the office (全程网办, putian §四(一)).
    """

    class Kind(models.TextChoices):
        MATERIAL = "material", "申请材料原件"
        RESULT = "result", "审批结果"

    class Place(models.TextChoices):
        WINDOW = "window", "窗口"
        PARCEL = "parcel", "寄件途中"
        OFFICE = "office", "审批部门"
        APPLICANT = "applicant", "申请人"
        ARCHIVE = "archive", "归档"
        LOST = "lost", "报失"
        MISSING = "missing", "查找中"
        GONE = "gone", "报失核销"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="originals", verbose_name="办件")
    handling = models.ForeignKey(
        Handling, on_delete=models.PROTECT, related_name="originals", verbose_name="办理环节"
    )
    material = models.ForeignKey(
        Material,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="originals",
        verbose_name="材料",
    )
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    name = models.CharField("名称", max_length=100)
    verified = models.BooleanField("已核验原件", default=False)
    from_applicant = models.BooleanField("由申请人寄送", default=False)
    place = models.CharField("所在", max_length=10, choices=Place.choices)
    place_id = models.PositiveBigIntegerField("所在对象")
    moved_at = models.DateTimeField("到达时间")

    class Meta:
        verbose_name = verbose_name_plural = "原件"
        constraints = [
            models.UniqueConstraint(
                fields=["material", "name"], condition=Q(kind="material"), name="ingest_original_once"
            ),
            models.UniqueConstraint(
                fields=["handling", "name"], condition=Q(kind="result"), name="ingest_result_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="result") | Q(material__isnull=False), name="ingest_original_has_material"
            ),
            models.CheckConstraint(
                condition=Q(kind="material") | Q(from_applicant=False), name="ingest_original_of_applicant"
            ),
        ]
        indexes = [models.Index(fields=["place", "place_id"], name="ingest_original_place")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _through_case(reach, actor)
