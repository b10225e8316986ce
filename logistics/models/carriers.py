"""承运商 and the accounts that centres hold with them."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import models
from django.db.models import Q

from logistics.couriers.base import Account, Retired
from logistics.couriers.opening import ADAPTERS
from registry.models import ServiceCentre
from storage.encryption import EncryptedJSONField, EncryptedTextField


class Carrier(models.Model):
    """承运商. `adapter` says how we speak with it; `company` is its code at an aggregator such as kuaidi100."""

    code = models.SlugField("代码", max_length=40, unique=True)
    name = models.CharField("名称", max_length=60)
    adapter = models.CharField("接口", max_length=20, choices=list(ADAPTERS.items()))
    company = models.CharField("聚合平台公司编码", max_length=40, blank=True)
    active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "承运商"

    def __str__(self) -> str:
        return self.name


class CarrierAccount(models.Model):
    """A centre's account: its number, secrets, and the unguessable path that pushes for it come in on.

    `credentials`: `{"current": {…}, "retired": [{"credentials": {…}, "until": ISO time}]}`.
    `options`: addresses and settings without secrets (`base_url`, `resultv2`, …).
    """

    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, related_name="accounts", verbose_name="承运商"
    )
    centre = models.ForeignKey(
        ServiceCentre,
        on_delete=models.PROTECT,
        related_name="carrier_accounts",
        verbose_name="承担邮资的中心",
    )
    number = EncryptedTextField("月结账号或协议客户号")
    credentials = EncryptedJSONField("接口密钥", default=dict)
    options = models.JSONField("接口设置", default=dict, blank=True)
    path_token = EncryptedTextField("推送路径")
    path_digest = models.CharField(max_length=64, unique=True)
    allowed_addresses = models.JSONField("允许的来源地址", default=list, blank=True)
    active = models.BooleanField("启用", default=True)
    created_at = models.DateTimeField("创建时间")

    class Meta:
        verbose_name = verbose_name_plural = "承运商账户"
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "centre"], condition=Q(active=True), name="logistics_one_active_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.carrier}／{self.centre}"

    @property
    def masked_number(self) -> str:
        """The account number with only its last four characters."""
        return f"****{self.number[-4:]}" if len(self.number) > 4 else "****"

    def old_secrets_until(self, *, now: datetime) -> datetime | None:
        """Until when pushes signed with a replaced secret are honoured; None when none is."""
        ends = [datetime.fromisoformat(old["until"]) for old in self.credentials.get("retired", [])]
        return max((end for end in ends if end > now), default=None)

    def opened(self) -> Account:
        """The account as the couriers package takes it."""
        return Account(
            number=self.number,
            credentials=_texts(self.credentials.get("current", {})),
            options=_texts(self.options),
            retired=tuple(
                Retired(credentials=_texts(old["credentials"]), until=datetime.fromisoformat(old["until"]))
                for old in self.credentials.get("retired", [])
            ),
        )


class RetiredPath(models.Model):
    """A push path that was replaced and is honoured until a moment, so that changing it loses no push.

    Beyond it for waybills whose courier knows no other. One that is ended by hand is forgotten.
    `used_at`: about when a push last came in on it.
    """

    account = models.ForeignKey(
        CarrierAccount, on_delete=models.CASCADE, related_name="retired_paths", verbose_name="账户"
    )
    digest = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField("并用至")
    used_at = models.DateTimeField("最近使用时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "旧推送路径"

    def __str__(self) -> str:
        return f"{self.account_id}/{self.until:%Y-%m-%d}"


class CourierBreaker(models.Model):
    """How often a courier's host failed in a row, and since when it is left alone: known to all processes."""

    host = models.CharField("接口地址", max_length=255, unique=True)
    failures = models.PositiveIntegerField("连续失败", default=0)
    opened_at = models.DateTimeField("暂停时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "接口熔断"

    def __str__(self) -> str:
        return self.host


def path_digest(token: str) -> str:
    """How a push path is looked up without the token standing readable in the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
