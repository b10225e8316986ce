"""邮资: the policies and contracts in force, and what each parcel is expected to cost whom."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from ingest.models import Case
from logistics.models.carriers import Carrier
from logistics.models.parcels import Parcel
from logistics.models.waybills import Waybill
from logistics.rules.payers import Leg, PaymentTerm, Policy, rules_from_data
from logistics.rules.tariffs import Basis, Rounding, Surcharge, Tariff, Zone
from registry.actors import Actor
from registry.models import Office, ServiceCentre
from registry.permissions import Reach
from registry.terms import Mode


def _in_force(on: date) -> Q:
    """From `valid_from` up to, not including, `valid_until`."""
    return Q(valid_from__lte=on) & (Q(valid_until__isnull=True) | Q(valid_until__gt=on))


class PolicyQuerySet(models.QuerySet["PostagePolicy"]):
    def in_force(self, on: date) -> "PolicyQuerySet":
        return self.filter(_in_force(on))


class ContractQuerySet(models.QuerySet["TariffContract"]):
    def in_force(self, on: date) -> "ContractQuerySet":
        return self.filter(_in_force(on))


class PostagePolicy(models.Model):
    """邮资政策: one version of who pays; of one centre, or (no centre) of all that have none of their own."""

    code = models.SlugField("代码", max_length=60, unique=True)
    source = models.CharField("依据", max_length=100)
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, null=True, blank=True, verbose_name="适用中心"
    )
    rules = models.JSONField("规则", default=list)
    outside_term = models.CharField(
        "清单外付款方式",
        max_length=16,
        choices=PaymentTerm.choices(),
        default=PaymentTerm.SENDER_MONTHLY.value,
    )
    valid_from = models.DateField("生效日期")
    valid_until = models.DateField("失效日期", null=True, blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "邮资政策"
        constraints = [
            models.UniqueConstraint(
                fields=["centre", "valid_from"], name="logistics_policy_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="logistics_policy_dates",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _own_centre(reach, actor)

    def as_policy(self) -> Policy:
        """As a value for the rules. Raises Refused when the stored rules say something unknown."""
        return Policy(
            code=self.code,
            source=self.source,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            rules=rules_from_data(self.rules),
            outside_term=PaymentTerm(self.outside_term),
        )


class TariffContract(models.Model):
    """资费合同: one version of what a carrier charges a centre for a product. Money in fen, weights in grams."""

    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, related_name="tariffs", verbose_name="承运商"
    )
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="tariffs", verbose_name="中心"
    )
    product = models.SlugField("产品", max_length=40, default="standard")
    version = models.CharField("合同版本", max_length=60)
    valid_from = models.DateField("生效日期")
    valid_until = models.DateField("失效日期", null=True, blank=True)
    rounding = models.CharField(
        "重量取整", max_length=8, choices=Rounding.choices(), default=Rounding.UP.value
    )
    round_to_g = models.PositiveIntegerField("取整单位（克）", default=1)
    divisor = models.PositiveIntegerField("体积重除数（立方厘米每公斤）", default=6000)
    minimum_fen = models.PositiveBigIntegerField("最低收费（分）", default=0)
    discount_permille = models.PositiveSmallIntegerField("折扣（千分数）", default=1000)
    weight_tolerance_g = models.PositiveIntegerField("重量容差（克）", default=0)
    promise_hours = models.PositiveIntegerField("承诺时限（小时）", default=0)
    late_refund_permille = models.PositiveSmallIntegerField("超时退费（千分数）", default=0)
    surcharges = models.JSONField("附加费", default=list, blank=True)
    created_at = models.DateTimeField("录入时间")

    objects = ContractQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资费合同"
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "centre", "product", "version"], name="logistics_tariff_version"
            ),
            models.UniqueConstraint(
                fields=["carrier", "centre", "product", "valid_from"], name="logistics_tariff_start"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="logistics_tariff_dates",
            ),
            models.CheckConstraint(
                condition=Q(discount_permille__gt=0, discount_permille__lte=1000),
                name="logistics_tariff_discount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.carrier}／{self.version}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _own_centre(reach, actor)

    def as_tariff(self) -> Tariff:
        """As a value for the rules, with its zones."""
        return Tariff(
            carrier=self.carrier.code,
            centre_id=self.centre_id,
            product=self.product,
            version=self.version,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            zones=tuple(zone.as_zone() for zone in self.zones.all()),
            surcharges=tuple(
                Surcharge(
                    code=extra["code"],
                    basis=Basis(extra["basis"]),
                    amount=extra["amount"],
                    minimum_fen=extra.get("minimum_fen", 0),
                    regions=tuple(extra.get("regions", ())),
                )
                for extra in self.surcharges
            ),
            rounding=Rounding(self.rounding),
            round_to_g=self.round_to_g,
            divisor=self.divisor,
            minimum_fen=self.minimum_fen,
            discount_permille=self.discount_permille,
            weight_tolerance_g=self.weight_tolerance_g,
            promise_hours=self.promise_hours,
            late_refund_permille=self.late_refund_permille,
        )


class TariffZone(models.Model):
    """资费分区: routes of one price, by GB/T 2260 prefixes ("" is everywhere)."""

    contract = models.ForeignKey(TariffContract, on_delete=models.PROTECT, related_name="zones")
    code = models.CharField("代码", max_length=20)
    name = models.CharField("名称", max_length=40)
    origins = models.JSONField("寄件地区划前缀", default=list)
    destinations = models.JSONField("寄达地区划前缀", default=list)
    first_weight_g = models.PositiveIntegerField("首重（克）")
    first_price_fen = models.PositiveBigIntegerField("首重价格（分）")
    step_weight_g = models.PositiveIntegerField("续重单位（克）")
    step_price_fen = models.PositiveBigIntegerField("续重价格（分）")

    class Meta:
        verbose_name = verbose_name_plural = "资费分区"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "code"], name="logistics_zone_code"),
            models.CheckConstraint(
                condition=Q(first_weight_g__gt=0, step_weight_g__gt=0), name="logistics_zone_weights"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def as_zone(self) -> Zone:
        return Zone(
            code=self.code,
            name=self.name,
            origins=tuple(self.origins),
            destinations=tuple(self.destinations),
            first_weight_g=self.first_weight_g,
            first_price_fen=self.first_price_fen,
            step_weight_g=self.step_weight_g,
            step_price_fen=self.step_price_fen,
        )


class ChargeQuerySet(models.QuerySet["Charge"]):
    def standing(self) -> "ChargeQuerySet":
        """Expected charges that nothing has reversed."""
        return self.filter(reversal_of__isnull=True, reversed_by__isnull=True)


class Charge(models.Model):
    """邮资: what one parcel is expected to cost, who bears it and why. Append-only: a mistake is reversed.

    `consignment` and `parts` keep what was priced and each step of the price; `centre` is empty when the applicant
    pays the courier directly.
    """

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="charges", verbose_name="寄件")
    waybill = models.ForeignKey(
        Waybill, on_delete=models.PROTECT, related_name="charges", verbose_name="运单"
    )
    sequence = models.PositiveSmallIntegerField("序号")
    amount_fen = models.BigIntegerField("金额（分）")
    centre = models.ForeignKey(
        ServiceCentre,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charges",
        verbose_name="承担中心",
    )
    office = models.ForeignKey(
        Office,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charges",
        verbose_name="审批部门",
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="charges", verbose_name="办件")
    leg = models.CharField("寄件类型", max_length=20, choices=Leg.choices())
    mode = models.CharField("办理模式", max_length=16, choices=Mode.choices())
    term = models.CharField("付款方式", max_length=16, choices=PaymentTerm.choices())
    policy_code = models.CharField("政策版本", max_length=60)
    rule_code = models.CharField("规则", max_length=40)
    words = models.CharField("依据说明", max_length=400)
    contract = models.ForeignKey(
        TariffContract, on_delete=models.PROTECT, null=True, blank=True, verbose_name="资费合同"
    )
    charged_weight_g = models.PositiveIntegerField("计费重量（克）", null=True, blank=True)
    consignment = models.JSONField("计费依据", default=dict)
    parts = models.JSONField("费用明细", default=list)
    reversal_of = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
        verbose_name="冲销",
    )
    reason = models.CharField("冲销理由", max_length=200, blank=True)
    created_at = models.DateTimeField("计费时间")

    objects = ChargeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "邮资"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["parcel", "sequence"], name="logistics_charge_sequence"),
            models.CheckConstraint(
                condition=Q(reversal_of__isnull=True, amount_fen__gte=0)
                | Q(reversal_of__isnull=False, amount_fen__lte=0),
                name="logistics_charge_sign",
            ),
            models.CheckConstraint(
                condition=Q(centre__isnull=False) | Q(amount_fen=0), name="logistics_charge_has_payer"
            ),
        ]
        indexes = [models.Index(fields=["centre", "created_at"], name="logistics_charge_centre")]

    def __str__(self) -> str:
        return f"{self.parcel_id}#{self.sequence}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        if reach == Reach.OWN_CENTRE and actor.centre_id is not None:
            return Q(shares__centre_id=actor.centre_id)
        return Q(pk__in=())


class ChargeShare(models.Model):
    """分摊: what one office's centre bears of a charge. The first share (position 0) holds the remainder."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="shares")
    position = models.PositiveSmallIntegerField("次序")
    centre = models.ForeignKey(
        ServiceCentre, on_delete=models.PROTECT, related_name="charge_shares", verbose_name="承担中心"
    )
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审批部门"
    )
    amount_fen = models.BigIntegerField("金额（分）")

    class Meta:
        verbose_name = verbose_name_plural = "邮资分摊"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["charge", "position"], name="logistics_share_position")
        ]

    def __str__(self) -> str:
        return f"{self.charge_id}/{self.position}"

    @classmethod
    def within(cls, reach: Reach, actor: Actor) -> Q:
        return _own_centre(reach, actor)


def _own_centre(reach: Reach, actor: Actor) -> Q:
    if reach == Reach.OWN_CENTRE and actor.centre_id is not None:
        return Q(centre_id=actor.centre_id)
    return Q(pk__in=())
