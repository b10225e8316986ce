"""A case whose originals may travel: from the Zhuji window to the Taizhou office, with a courier that listens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from ingest.models import Case, Handling, Original
from ingest.services.handlings import accept, decide, pre_review
from ingest.services.intake import submit, take_in_original
from logistics.models import Carrier, CarrierAccount, Parcel, Waybill
from logistics.rules.payers import Leg, PaymentTerm
from logistics.sandbox.server import SandboxServer
from logistics.services.accounts import add_account, add_carrier
from logistics.services.custody import hand_over
from logistics.services.parcels import pack, seal_parcel
from logistics.services.waybills import book_waybill, register_waybill
from registry.actors import SYSTEM
from tests.cast import NOW, Cast, open_case
from tests.ingest.paper import hand_in_everything
from tests.logistics.couriers import KUAIDI100, NEUTRAL


@dataclass(frozen=True)
class Road:
    """The people, the papers and the account that pays."""

    cast: Cast
    case: Case
    handling: Handling
    originals: list[Original]
    account: CarrierAccount

    def pre_reviewed(self) -> "Road":
        """The office lets the paper come."""
        pre_review(handling=self.handling, actor=self.cast.officer, now=NOW)
        return self

    def another_case(self) -> list[Original]:
        """Two originals of a second case for the same office, which lets the paper come."""
        case, originals = _submitted(self.cast)
        pre_review(handling=case.handlings.get(), actor=self.cast.officer, now=NOW)
        return originals

    def packed(self, originals: list[Original] | None = None) -> Parcel:
        """A parcel with all originals, or with others that go the same way, still open."""
        return pack(
            leg=Leg.MATERIALS,
            sender=self.cast.zhuji,
            receiver=self.cast.taizhou,
            originals=originals or self.originals,
            actor=self.cast.clerk,
            now=NOW,
        )

    def sealed(self) -> Parcel:
        """The same, weighed and closed."""
        parcel = self.packed()
        seal_parcel(parcel=parcel, weight_g=320, actor=self.cast.clerk, now=NOW)
        return parcel

    def another_sealed(self) -> Parcel:
        """A second parcel on the same way, with another case's originals, weighed and closed."""
        parcel = self.packed(self.another_case())
        seal_parcel(parcel=parcel, weight_g=95, actor=self.cast.clerk, now=NOW)
        return parcel

    def booked(self, parcel: Parcel | None = None, *, now: datetime = NOW) -> Waybill:
        """A sealed parcel with a waybill of the neutral courier."""
        return book_waybill(
            parcel=parcel or self.sealed(),
            account=self.account,
            term=PaymentTerm.COLLECT,
            actor=self.cast.clerk,
            now=now,
        )

    def registered(
        self,
        number: str = "1012345678901",
        *,
        parcel: Parcel | None = None,
        account: CarrierAccount | None = None,
    ) -> Waybill:
        """A sealed parcel with a waybill that was written by hand."""
        return register_waybill(
            parcel=parcel or self.sealed(),
            account=account or self.account,
            number=number,
            term=PaymentTerm.COLLECT,
            actor=self.cast.clerk,
            now=NOW,
        )

    def on_the_road(self, waybill: Waybill) -> Parcel:
        """Handed to the courier by the clerk's scan."""
        return hand_over(
            token=waybill.parcel.token_text, actor=self.cast.clerk, now=NOW + timedelta(minutes=5)
        )

    def decided(self) -> Original:
        """The office accepted and decided; the paper result lies there."""
        self.handling.refresh_from_db()
        accept(handling=self.handling, actor=self.cast.officer, now=NOW)
        decide(
            handling=self.handling,
            approved=True,
            result_name="施工许可证",
            actor=self.cast.officer,
            now=NOW,
        )
        return Original.objects.get(case=self.case, kind=Original.Kind.RESULT)

    def result_on_the_road(self) -> Waybill:
        """The result on its way to the applicant, ordered and handed over by the office."""
        officer = self.cast.officer
        parcel = pack(
            leg=Leg.RESULT,
            sender=self.cast.taizhou,
            receiver=self.case,
            originals=[self.decided()],
            actor=officer,
            now=NOW,
        )
        seal_parcel(parcel=parcel, weight_g=90, actor=officer, now=NOW)
        waybill = book_waybill(
            parcel=parcel, account=self.account, term=PaymentTerm.SENDER_MONTHLY, actor=officer, now=NOW
        )
        hand_over(token=parcel.token_text, actor=officer, now=NOW)
        return waybill


def wish(client: httpx.Client, sandbox: SandboxServer, path: str, **body: Any) -> None:
    """Tells the sandbox to misbehave, or to move a parcel."""
    client.post(f"{sandbox.url}/sandbox/{path}", json=body).raise_for_status()


def copy_of(waybill: Waybill, number: int) -> Waybill:
    """Another parcel's waybill in the same state."""
    parcel = Parcel.objects.get(pk=waybill.parcel_id)
    parcel.pk, parcel.number, parcel.code = None, f"{parcel.number}-{number}", f"{number:016d}"
    parcel.save(force_insert=True)
    twin = Waybill.objects.get(pk=waybill.pk)
    twin.pk, twin.parcel = None, parcel
    twin.reference, twin.number = f"{parcel.number}-1", f"10{number:011d}"
    twin.save(force_insert=True)
    return twin


def build_road(cast: Cast, base_url: str) -> Road:
    """A submitted case with two originals at the window."""
    for place, phone in ((cast.zhuji, "0575-87000000"), (cast.taizhou, "0576-88000000")):
        place.phone, place.address = phone, f"{place.region.full_name}一号"
        place.save()
    case, originals = _submitted(cast)
    return Road(
        cast=cast,
        case=case,
        handling=case.handlings.get(),
        originals=originals,
        account=neutral_account(cast, base_url),
    )


def _submitted(cast: Cast) -> tuple[Case, list[Original]]:
    case = open_case(cast)
    hand_in_everything(case)
    materials = list(case.materials.all())[:2]
    originals = [
        take_in_original(material=material, name="", verified=False, actor=cast.clerk, now=NOW)
        for material in materials
    ]
    submit(case=case, actor=cast.clerk, now=NOW)
    return case, originals


def neutral_account(cast: Cast, base_url: str) -> CarrierAccount:
    """The Taizhou centre's account with the neutral courier."""
    carrier = add_carrier(code="neutral", name="中性快递", adapter="neutral", actor=SYSTEM, now=NOW)
    return _account(cast, carrier, NEUTRAL, {"base_url": base_url})


def kuaidi100_account(cast: Cast, base_url: str) -> CarrierAccount:
    """The Taizhou centre's EMS account, followed through kuaidi100."""
    carrier = add_carrier(
        code="ems", name="邮政特快专递", adapter="kuaidi100", company="ems", actor=SYSTEM, now=NOW
    )
    return _account(
        cast, carrier, KUAIDI100, {"poll_url": f"{base_url}/poll", "query_url": f"{base_url}/poll/query.do"}
    )


def _account(
    cast: Cast, carrier: Carrier, credentials: dict[str, str], options: dict[str, str]
) -> CarrierAccount:
    return add_account(
        carrier=carrier,
        centre=cast.taizhou.centre,
        number="T-331000-8868",
        credentials=credentials,
        options=options,
        actor=cast.administrator,
        now=NOW,
    )
