"""全程网办: an application filed by the platform for the Zhuji social security office, whose applicant sends two originals."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from ingest.models import Case, Handling, Original
from ingest.services.awaiting import awaited
from ingest.services.handlings import accept
from ingest.services.intake import create_case, submit
from logistics.models import Carrier, CarrierAccount, Parcel, PostagePolicy
from logistics.rules.payers import PUTIAN, Bearer, Leg, PaymentTerm, rules_to_data
from logistics.services.accounts import add_account, add_carrier
from logistics.services.announcing import CourierWord, announce
from registry.actors import SYSTEM, Actor
from registry.models import Office, ServiceItem, Window
from registry.terms import Delivery, Mode, Role
from tests.cast import APPLICANT as PERSON
from tests.cast import NOW, Cast, person
from tests.ingest.paper import hand_in_everything
from tests.logistics.couriers import NEUTRAL

NUMBER = "1012345678901"
APPLICANT = Actor(kind="applicant", id="", label="申请人（自助查询）")


@dataclass(frozen=True)
class Online:
    """The case, who decides it, the platform that filed it, and a courier with whom the office's centre has an account."""

    cast: Cast
    case: Case
    office: Office
    officer: Actor
    window: Window
    platform: Actor
    account: CarrierAccount
    elsewhere: Carrier

    @property
    def handling(self) -> Handling:
        return self.case.handlings.select_related("case", "office").get()

    def originals(self) -> list[Original]:
        return list(Original.objects.filter(case=self.case, kind="material").order_by("pk"))

    def places(self) -> list[tuple[str, int]]:
        return [(original.place, original.place_id) for original in self.originals()]

    def keys(self) -> list[int]:
        """Of the papers that the applicant has still to send."""
        return [original.pk for original in awaited(self.case)]

    def announced(
        self,
        papers: Collection[int] | None = None,
        *,
        number: str = NUMBER,
        carrier: Carrier | None = None,
        company: str = "",
    ) -> Parcel:
        """The applicant tells of a parcel with all papers, with the courier that can be followed."""
        told = CourierWord(number, None if company else carrier or self.account.carrier, company)
        papers = self.keys() if papers is None else papers
        return announce(case=self.case, papers=papers, told=told, actor=APPLICANT, now=NOW)

    def accepted(self) -> Handling:
        accept(handling=self.handling, actor=self.officer, now=NOW)
        return self.handling

    def office_pays(self) -> None:
        """The centre's own policy: what applicants in 全程网办 send is 到付 too."""
        rules = [
            replace(rule, bearer=Bearer.RECEIVER, term=PaymentTerm.COLLECT)
            if rule.leg == Leg.ONLINE_APPLICATION
            else rule
            for rule in PUTIAN.rules
        ]
        PostagePolicy.objects.create(
            code="zhuji-online",
            source="诸暨邮资规定",
            centre=self.office.centre,
            rules=rules_to_data(rules),
            outside_term=PaymentTerm.SENDER_MONTHLY.value,
            valid_from=date(2026, 1, 1),
        )


def build_online(cast: Cast, base_url: str, *, on_paper: Iterable[int] = (), mailed: bool = True) -> Online:
    """Filed and submitted. With `mailed` the item wants both of its papers; `on_paper` are positions for want of a seal."""
    office, window = Office.objects.get(code="330681-rsj"), Window.objects.get(code="331000-01")
    office.phone, office.address = "0575-88000000", "诸暨市东一路三十一号"
    office.save()
    item = ServiceItem.objects.get(code="ZJ-KS-05")
    item.requirements.update(mailed=mailed)
    platform = Actor(
        "integration",
        "key",
        "省平台",
        Role.INTEGRATION.value,
        window_id=window.pk,
        scopes=frozenset({"platform"}),
    )
    case = create_case(
        item=item,
        window=window,
        offices=[office],
        mode=Mode.ONLINE,
        applicant=PERSON,
        delivery=Delivery.MAIL,
        agent_consent=False,
        actor=platform,
        now=NOW,
    )
    hand_in_everything(case)
    submit(case=case, on_paper=set(on_paper), actor=platform, now=NOW)
    carrier = add_carrier(code="neutral", name="中性快递", adapter="neutral", actor=SYSTEM, now=NOW)
    account = add_account(
        carrier=carrier,
        centre=office.centre,
        number="Z-330681-0001",
        credentials=NEUTRAL,
        options={"base_url": base_url},
        actor=SYSTEM,
        now=NOW,
    )
    elsewhere = add_carrier(code="ems", name="邮政特快专递", adapter="neutral", actor=SYSTEM, now=NOW)
    officer = person("rsj-officer", Role.OFFICER, office=office)
    return Online(cast, case, office, officer, window, platform, account, elsewhere)
