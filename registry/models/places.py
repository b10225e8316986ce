"""Where things are taken in and decided: regions, centres, offices, windows and their seals."""

from django.db import models

from registry.terms import Level


class Region(models.Model):
    """行政区划: GB/T 2260 six digits, nine at town level. Every nation-wide level above city is a province."""

    code = models.CharField("代码", max_length=9, primary_key=True)
    name = models.CharField("名称", max_length=60)
    level = models.CharField("层级", max_length=10, choices=Level.choices())
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        names = [self.name]
        above = self.parent
        while above:
            names.append(above.name)
            above = above.parent
        return "".join(reversed(names))


class Seal(models.Model):
    """签章: names a signing key, never holds one."""

    class Source(models.TextChoices):
        LOCAL = "local", "本地签发（演示）"
        PKCS12 = "pkcs12", "PKCS#12 文件"
        PKCS11 = "pkcs11", "PKCS#11 密码机"
        PLATFORM = "platform", "签章平台（CSC 接口）"

    code = models.SlugField("代码", max_length=60, unique=True)
    name = models.CharField("印章名称", max_length=100)
    source = models.CharField("密钥来源", max_length=10, choices=Source.choices, default=Source.LOCAL)
    reference = models.CharField(
        "密钥引用",
        max_length=200,
        blank=True,
        help_text="PKCS#12 的路径、PKCS#11 的标签或“https://平台地址#凭证编号”；口令只从环境变量读取",
    )

    class Meta:
        verbose_name = verbose_name_plural = "印章"

    def __str__(self) -> str:
        return self.name


class ServiceCentre(models.Model):
    """行政服务中心: managing body of one city or county; bears the postage of the offices of its level."""

    code = models.SlugField("代码", max_length=60, unique=True)
    name = models.CharField("名称", max_length=100)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="centres", verbose_name="区划")
    address = models.CharField("地址", max_length=200, blank=True)
    phone = models.CharField("电话", max_length=40, blank=True)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, null=True, blank=True, verbose_name="印章")

    class Meta:
        verbose_name = verbose_name_plural = "行政服务中心"
        constraints = [models.UniqueConstraint(fields=["region"], name="registry_one_centre_per_region")]

    def __str__(self) -> str:
        return self.name


class Office(models.Model):
    """审批部门: may decide items; exactly one centre pays for it."""

    code = models.SlugField("代码", max_length=60, unique=True)
    name = models.CharField("名称", max_length=100)
    short_name = models.CharField("简称", max_length=40, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="offices", verbose_name="区划")
    level = models.CharField("层级", max_length=10, choices=Level.choices())
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="offices", verbose_name="承担邮资的中心"
    )
    address = models.CharField("地址", max_length=200, blank=True)
    phone = models.CharField("电话", max_length=40, blank=True)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, null=True, blank=True, verbose_name="印章")

    class Meta:
        verbose_name = verbose_name_plural = "审批部门"

    def __str__(self) -> str:
        return self.name


class Window(models.Model):
    """通办专窗: where paper is taken in."""

    class Place(models.TextChoices):
        CENTRE = "centre", "行政服务中心"
        TOWN = "town", "便民服务中心"
        NEIGHBOURHOOD = "neighbourhood", "邻里中心"

    code = models.SlugField("代码", max_length=60, unique=True)
    name = models.CharField("名称", max_length=100)
    place = models.CharField("设置地点", max_length=16, choices=Place.choices, default=Place.CENTRE)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="windows", verbose_name="区划")
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="windows", verbose_name="所属中心"
    )
    address = models.CharField("地址", max_length=200, blank=True)
    phone = models.CharField("电话", max_length=40, blank=True)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, null=True, blank=True, verbose_name="印章")
    active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "通办专窗"

    def __str__(self) -> str:
        return self.name
