"""文书: every paper given to people, numbered once and never changed."""

from django.db import models
from django.db.models import Q

from registry.actors import Actor
from registry.models.places import Office, ServiceCentre, Window
from registry.paper.kinds import SlipKind
from registry.permissions import Reach
from storage.encryption import EncryptedJSONField
from storage.models import StoredObject


class Slip(models.Model):
    """One issued slip. `data` holds what it says; the PDF made from it is the same whenever it is made."""

    kind = models.CharField("种类", max_length=20, choices=SlipKind.choices())
    number = models.CharField("编号", max_length=40, unique=True)
    subject_type = models.CharField("对象类型", max_length=60)
    subject_id = models.CharField("对象", max_length=40)
    revision = models.PositiveSmallIntegerField("版次", default=1)
    case_number = models.CharField("办件编号", max_length=40, blank=True, db_index=True)
    code = models.CharField("二维码标识", max_length=16, unique=True)
    data = EncryptedJSONField("内容")
    template_version = models.PositiveSmallIntegerField("模板版本")
    stored = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="PDF"
    )
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    issued_at = models.DateTimeField("出具时间")
    window = models.ForeignKey(
        Window, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="窗口"
    )
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="部门"
    )
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="中心"
    )

    class Meta:
        verbose_name = verbose_name_plural = "文书"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id", "revision"], name="registry_slip_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=SlipKind.values()), name="registry_slip_kind"),
            models.CheckConstraint(
                condition=Q(stored__isnull=True, sha256="") | Q(stored__isnull=False) & ~Q(sha256=""),
                name="registry_slip_printed_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_WINDOW:
            return Q(window_id=actor.window_id) & Q(window_id__isnull=False)
        if reach == Reach.OWN_OFFICE:
            return Q(office_id=actor.office_id) & Q(office_id__isnull=False)
        if reach == Reach.OWN_CENTRE:
            return Q(centre_id=actor.centre_id) & Q(centre_id__isnull=False)
        return Q(pk__in=())
