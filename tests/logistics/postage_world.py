"""A centre with a courier contract, parcels in every condition, and the statements a courier makes of them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from ingest.models import Case, Handling, Original
from logistics.models import Carrier, CarrierAccount, Charge, Parcel, ParcelItem, TariffContract, Waybill
from logistics.postage.services import add_tariff, charge_parcel
from logistics.rules.parcels import ParcelState, Party, WaybillState
from logistics.rules.payers import Leg, PaymentTerm
from logistics.rules.tariffs import Basis, Surcharge, Tariff, Zone
from registry.actors import SYSTEM
from registry.models import Office, ServiceCentre
from registry.terms import Mode
from tests.cast import NOW, Cast, open_case

ACCOUNT = "90000001234567"
HANDED_OVER = NOW
DELIVERED = NOW + timedelta(hours=30)
MONTH = "2026-03"
HEADER = ("收寄日期", "邮件号", "寄达地", "重量(克)", "合计费用", "收款情况", "大客户")


def tariff_of(centre: ServiceCentre, *, carrier: str = "ems", version: str = "2026-1") -> Tariff:
    """Ten yuan for the first kilogram, two for each further one; one for 到付; half back when later than 48 hours."""
    return Tariff(
        carrier=carrier,
        centre_id=centre.pk,
        product="standard",
        version=version,
        valid_from=date(2026, 1, 1),
        valid_until=None,
        zones=(Zone("province", "省内", ("33",), ("33",), 1000, 1000, 1000, 200),),
        surcharges=(Surcharge("collect", Basis.FLAT, 100),),
        round_to_g=100,
        weight_tolerance_g=50,
        promise_hours=48,
        late_refund_permille=500,
    )


def open_account(centre: ServiceCentre, carrier: Carrier, number: str) -> CarrierAccount:
    return CarrierAccount.objects.create(
        carrier=carrier, centre=centre, number=number, path_token=number, path_digest=number, created_at=NOW
    )


@dataclass
class PostageWorld:
    """Everything postage looks at, without couriers that listen."""

    cast: Cast
    carrier: Carrier
    account: CarrierAccount
    contract: TariffContract
    case: Case
    made: int = 0
    rows: list[tuple[str, ...]] = field(default_factory=list)

    @classmethod
    def build(cls, cast: Cast) -> "PostageWorld":
        centre = cast.taizhou.centre
        carrier = Carrier.objects.create(code="ems", name="邮政特快专递", adapter="neutral")
        return cls(
            cast=cast,
            carrier=carrier,
            account=open_account(centre, carrier, ACCOUNT),
            contract=add_tariff(tariff=tariff_of(centre), actor=SYSTEM, now=NOW),
            case=open_case(cast),
        )

    def joint_case(self) -> Case:
        """A case that Taizhou leads and Wenling decides with it."""
        joint = open_case(self.cast)
        Case.objects.filter(pk=joint.pk).update(mode=Mode.JOINT.value)
        joint.handlings.update(is_lead=True)
        Handling.objects.create(case=joint, office=self.cast.wenling)
        return Case.objects.get(pk=joint.pk)

    def parcel(
        self,
        *,
        leg: Leg = Leg.MATERIALS,
        weight_g: int = 320,
        state: ParcelState = ParcelState.DELIVERED,
        handed_over_at: datetime | None = HANDED_OVER,
        delivered_at: datetime | None = DELIVERED,
        ended_at: datetime | None = None,
        case: Case | None = None,
        sender: Office | None = None,
        receiver: Office | None = None,
    ) -> Parcel:
        """A sealed parcel of the case: inbound from the Zhuji window, outbound to the applicant."""
        self.made += 1
        case = case or self.case
        inbound = leg in {Leg.MATERIALS, Leg.SUPPLEMENT}
        office = (receiver if inbound else sender) or self.cast.taizhou
        window_end, applicant_end = (Party.WINDOW, self.cast.zhuji.pk), (Party.APPLICANT, case.pk)
        office_end = (Party.OFFICE, office.pk)
        (from_kind, from_id), (to_kind, to_id) = (
            (window_end, office_end)
            if inbound
            else (office_end, (Party.OFFICE, receiver.pk) if receiver else applicant_end)
        )
        parcel = Parcel.objects.create(
            number=f"JJ{self.made:06d}",
            code=f"C{self.made:06d}",
            leg=leg.value,
            state=state.value,
            sender_kind=from_kind.value,
            sender_id=from_id,
            receiver_kind=to_kind.value,
            receiver_id=to_id,
            weight_g=weight_g,
            created_at=NOW,
            sealed_at=NOW,
            handed_over_at=handed_over_at,
            delivered_at=delivered_at,
            ended_at=ended_at,
        )
        original = Original.objects.create(
            case=case,
            handling=case.handlings.order_by("-is_lead", "pk")[0],
            kind=Original.Kind.RESULT,
            name=f"证照 {self.made}",
            place=Original.Place.PARCEL,
            place_id=parcel.pk,
            moved_at=NOW,
        )
        ParcelItem.objects.create(parcel=parcel, original=original, added_at=NOW)
        return parcel

    def waybill(
        self,
        parcel: Parcel | None = None,
        *,
        term: PaymentTerm = PaymentTerm.COLLECT,
        account: CarrierAccount | None = None,
        state: WaybillState = WaybillState.BOOKED,
        ended_at: datetime | None = None,
        number: str = "",
        requested_at: datetime = NOW,
    ) -> Waybill:
        parcel = parcel or self.parcel()
        return Waybill.objects.create(
            parcel=parcel,
            carrier=self.carrier,
            account=account or self.account,
            reference=f"R{parcel.number}",
            number=number or f"10{parcel.pk:011d}",
            state=state.value,
            term=term.value,
            payer="receiver" if term == PaymentTerm.COLLECT else "sender",
            settling="monthly",
            requested_at=requested_at,
            booked_at=requested_at,
            ended_at=ended_at,
        )

    def charged(self, waybill: Waybill | None = None) -> Charge:
        """A waybill (a plain delivered one by default) with its expected charge."""
        waybill = waybill or self.waybill()
        return charge_parcel(parcel=waybill.parcel, actor=SYSTEM, now=NOW)

    def row(
        self,
        number: str,
        amount: str,
        *,
        weight_g: int = 320,
        term: str = "收件人集中付费",
        account: str = ACCOUNT,
        day: str = "2026-03-10",
    ) -> tuple[str, ...]:
        """A statement row as EMS writes it."""
        return (day, number, "台州市", str(weight_g), amount, term, account)


def write_csv(path: Path, rows: list[tuple[str, ...]], *, encoding: str = "gbk") -> Path:
    """A statement of those rows with a header."""
    path.write_text("\n".join(",".join(row) for row in [HEADER, *rows]) + "\n", encoding=encoding)
    return path
