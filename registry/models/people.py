"""Who acts: people with one role each, and systems with keys."""

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from registry.models.places import Office, ServiceCentre, Window
from registry.terms import Role


class User(AbstractUser):
    """A person. The role says what, the place says on which objects."""

    role = models.CharField("角色", max_length=16, choices=Role.choices())
    window = models.ForeignKey(Window, on_delete=models.PROTECT, null=True, blank=True, verbose_name="窗口")
    office = models.ForeignKey(Office, on_delete=models.PROTECT, null=True, blank=True, verbose_name="部门")
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, null=True, blank=True, verbose_name="中心"
    )

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        constraints = [
            models.CheckConstraint(
                condition=~Q(role=Role.CLERK.value) | Q(window__isnull=False),
                name="registry_clerk_has_window",
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.OFFICER.value) | Q(office__isnull=False),
                name="registry_officer_has_office",
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.FINANCE.value) | Q(centre__isnull=False),
                name="registry_finance_has_centre",
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_full_name(self) -> str:
        return f"{self.last_name}{self.first_name}"


class ApiKey(models.Model):
    """A system that may call us. Only the key's digest is kept."""

    name = models.CharField("名称", max_length=60)
    prefix = models.CharField("前缀", max_length=12, unique=True)
    digest = models.CharField("摘要", max_length=64)
    scopes = models.JSONField("权限范围", default=list)
    window = models.ForeignKey(
        Window, on_delete=models.PROTECT, null=True, blank=True, verbose_name="代表窗口"
    )
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, null=True, blank=True, verbose_name="代表部门"
    )
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)
    created_at = models.DateTimeField("创建时间")

    class Meta:
        verbose_name = verbose_name_plural = "接口密钥"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def make(
        cls,
        *,
        name: str,
        scopes: list[str],
        now: datetime,
        window: Window | None = None,
        office: Office | None = None,
    ) -> tuple["ApiKey", str]:
        """A new key and its secret text, which is shown once and never stored."""
        prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        key = cls.objects.create(
            name=name,
            prefix=prefix,
            digest=_digest(secret),
            scopes=scopes,
            window=window,
            office=office,
            created_at=now,
        )
        return key, f"tb_{prefix}_{secret}"

    @classmethod
    def find(cls, text: str) -> "ApiKey | None":
        """The living key that this text opens, compared in constant time."""
        parts = text.split("_", 2)
        if len(parts) != 3 or parts[0] != "tb":
            return None
        key = cls.objects.filter(prefix=parts[1], revoked_at__isnull=True).first()
        if key and secrets.compare_digest(key.digest, _digest(parts[2])):
            return key
        return None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
