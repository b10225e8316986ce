"""Charges: made once, with payer, rule and price; reversed, never edited; and the ledger follows."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from ingest.rules import HandlingState
from logistics.models import Charge, LedgerAccount, LedgerEntry, PostagePolicy, Posting, Waybill
from logistics.models.ledger import LedgerAccount as Account
from logistics.postage.charging import follow_waybill
from logistics.postage.regions import region_in
from logistics.postage.services import add_tariff, charge_parcel, decide_payment, end_tariff, reverse_charge
from logistics.rules.parcels import WaybillState
from logistics.rules.payers import PUTIAN, Leg, PaymentTerm, rules_to_data
from logistics.rules.tariffs import TariffFault
from registry.actors import SYSTEM
from registry.models import Event
from registry.permissions import NotYours
from storage.errors import Refused
from tests.cast import NOW, assemble
from tests.logistics.postage_world import PostageWorld, open_account, tariff_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> PostageWorld:
    return PostageWorld.build(assemble())


def balance(kind: Account.Kind) -> int:
    return sum(account.balance_fen() for account in LedgerAccount.objects.filter(kind=kind))


def test_inbound_materials_are_charged_to_the_deciding_offices_centre(world: PostageWorld) -> None:
    charge = world.charged()
    assert charge.amount_fen == 1100
    assert charge.term == "collect"
    assert charge.centre == world.cast.taizhou.centre
    assert charge.office == world.cast.taizhou
    assert charge.words == (
        "到付，由台州市行政服务中心承担：台州市住房和城乡建设局审批，市级部门（莆田 §五(七)）"
    )
    assert [(part["code"], part["amount_fen"]) for part in charge.parts] == [
        ("freight", 1000),
        ("collect", 100),
    ]
    assert (balance(Account.Kind.EXPENSE), balance(Account.Kind.ACCRUAL)) == (1100, -1100)


def test_results_go_on_the_sending_offices_monthly_account(world: PostageWorld) -> None:
    waybill = world.waybill(world.parcel(leg=Leg.RESULT), term=PaymentTerm.SENDER_MONTHLY)
    charge = world.charged(waybill)
    assert (charge.term, charge.amount_fen, charge.rule_code) == ("sender_monthly", 1000, "result")
    assert charge.consignment["destination"].startswith("330681")


def test_charging_again_changes_nothing(world: PostageWorld) -> None:
    charge = world.charged()
    assert charge_parcel(parcel=charge.parcel, actor=SYSTEM, now=NOW + timedelta(days=1)) == charge
    assert Charge.objects.count() == 1
    assert LedgerEntry.objects.count() == 1
    assert Event.objects.filter(kind="charge.made").count() == 1


def test_a_waybill_that_was_given_up_costs_nothing(world: PostageWorld) -> None:
    charge = world.charged()
    Waybill.objects.filter(pk=charge.waybill_id).update(state=WaybillState.CANCELLED, ended_at=NOW)
    for _ in range(2):
        assert follow_waybill(parcel=charge.parcel, actor=SYSTEM, now=NOW) is None
    assert list(Charge.objects.values_list("amount_fen", "reason")) == [(1100, ""), (-1100, "运单已取消")]
    assert balance(Account.Kind.EXPENSE) == 0


def test_a_waybill_that_was_given_up_before_it_was_charged_is_not_charged(world: PostageWorld) -> None:
    waybill = world.waybill()
    Waybill.objects.filter(pk=waybill.pk).update(state=WaybillState.FAILED, ended_at=NOW)
    assert follow_waybill(parcel=waybill.parcel, actor=SYSTEM, now=NOW) is None
    assert Charge.objects.count() == 0


def test_a_reweighed_parcel_is_charged_anew_and_the_old_charge_reversed(world: PostageWorld) -> None:
    charge = world.charged()
    parcel = charge.parcel
    parcel.weight_g = 1500
    parcel.save()
    heavier = charge_parcel(parcel=parcel, actor=SYSTEM, now=NOW)
    assert heavier.amount_fen == 1300
    assert list(Charge.objects.values_list("sequence", "amount_fen")) == [(1, 1100), (2, -1100), (3, 1300)]
    assert Charge.objects.standing().get() == heavier
    assert balance(Account.Kind.EXPENSE) == 1300


def test_a_reversal_needs_the_right_person_a_reason_and_happens_once(world: PostageWorld) -> None:
    charge = world.charged()
    for stranger in (world.cast.clerk, world.cast.officer, world.cast.administrator):
        with pytest.raises(NotYours):
            reverse_charge(charge=charge, reason="误计", actor=stranger, now=NOW)
    with pytest.raises(Refused, match="理由"):
        reverse_charge(charge=charge, reason=" ", actor=world.cast.finance, now=NOW)
    reversal = reverse_charge(charge=charge, reason="误计", actor=world.cast.finance, now=NOW)
    assert (reversal.amount_fen, reversal.reversal_of) == (-1100, charge)
    assert balance(Account.Kind.ACCRUAL) == 0
    with pytest.raises(Refused) as fault:
        reverse_charge(charge=charge, reason="误计", actor=world.cast.finance, now=NOW)
    assert fault.value.code == "stale"


def test_joint_results_are_shared_between_the_centres(world: PostageWorld) -> None:
    cast = world.cast
    parcel = world.parcel(leg=Leg.JOINT_RESULT, case=world.joint_case(), weight_g=2001)
    charge = world.charged(world.waybill(parcel, term=PaymentTerm.SENDER_MONTHLY))
    shares = [(share.centre, share.office, share.amount_fen) for share in charge.shares.all()]
    assert charge.amount_fen == 1400
    assert shares == [
        (cast.taizhou.centre, cast.taizhou, 700),
        (cast.wenling.centre, cast.wenling, 700),
    ]
    assert balance(Account.Kind.EXPENSE) == 1400


def test_an_office_that_was_withdrawn_from_pays_no_share_of_the_joint_result(world: PostageWorld) -> None:
    joint = world.joint_case()
    joint.handlings.filter(office=world.cast.wenling).update(state=HandlingState.WITHDRAWN)
    parcel = world.parcel(leg=Leg.JOINT_RESULT, case=joint, weight_g=2001)
    charge = world.charged(world.waybill(parcel, term=PaymentTerm.SENDER_MONTHLY))
    assert [(share.office, share.amount_fen) for share in charge.shares.all()] == [(world.cast.taizhou, 1400)]


def test_what_misses_is_said(world: PostageWorld) -> None:
    parcel = world.parcel()
    with pytest.raises(Refused, match="先下单"):
        charge_parcel(parcel=parcel, actor=SYSTEM, now=NOW)
    waybill = world.waybill(parcel)
    end_tariff(contract=world.contract, on=date(2026, 2, 1), actor=world.cast.finance, now=NOW)
    with pytest.raises(TariffFault, match="没有生效的资费合同"):
        charge_parcel(parcel=waybill.parcel, actor=SYSTEM, now=NOW)
    assert not Charge.objects.exists()


def test_contracts_are_the_finance_officers_of_that_centre_and_never_overlap(world: PostageWorld) -> None:
    own = tariff_of(world.cast.taizhou.centre, version="2026-2")
    with pytest.raises(TariffFault, match="有效期重叠"):
        add_tariff(tariff=own, actor=world.cast.finance, now=NOW)
    with pytest.raises(NotYours):
        add_tariff(tariff=tariff_of(world.cast.wenling.centre), actor=world.cast.finance, now=NOW)
    with pytest.raises(NotYours):
        add_tariff(tariff=own, actor=world.cast.clerk, now=NOW)


def test_a_contract_survives_the_database(world: PostageWorld) -> None:
    assert world.contract.as_tariff() == tariff_of(world.cast.taizhou.centre)


def test_a_centres_own_policy_comes_before_the_general_one(world: PostageWorld) -> None:
    parcel = world.parcel()
    general = [{**row, "code": f"general-{row['code']}"} for row in rules_to_data(PUTIAN.rules)]
    own = [{**row, "code": f"own-{row['code']}"} for row in rules_to_data(PUTIAN.rules)]
    PostagePolicy.objects.create(code="general", source="总则", rules=general, valid_from=date(2026, 1, 1))
    PostagePolicy.objects.create(
        code="own",
        source="台州办法",
        rules=own,
        centre=world.cast.taizhou.centre,
        valid_from=date(2026, 6, 1),
    )
    assert decide_payment(parcel=parcel, on=date(2025, 1, 1)).rule_code == "materials"
    assert decide_payment(parcel=parcel, on=date(2026, 5, 31)).rule_code == "general-materials"
    assert decide_payment(parcel=parcel, on=date(2026, 6, 1)).rule_code == "own-materials"


def test_an_office_in_the_windows_own_region_is_outside_the_rule(world: PostageWorld) -> None:
    cast = world.cast
    local = world.parcel()
    local.sender_id = cast.taizhou_window.pk
    local.save()
    world.case.window = cast.taizhou_window
    world.case.save()
    decision = decide_payment(parcel=local, on=date(2026, 3, 1))
    assert (decision.rule_code, decision.payer_centre_id) == ("outside", cast.taizhou_window.centre_id)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("浙江省绍兴市诸暨市暨阳街道一号", "330681001"),
        ("诸暨市城关一号", "330681"),
        ("浙江省 台州市 温岭市太平街道", "331081"),
        ("不知何处", ""),
    ],
)
def test_an_address_begins_with_its_region(world: PostageWorld, address: str, code: str) -> None:
    assert region_in(address) == code


def test_a_posting_has_two_sides_or_does_not_exist(world: PostageWorld) -> None:
    world.charged()
    posting = Posting.objects.get()
    for wrong in ({"credit": posting.debit}, {"amount_fen": 0}, {"credit_id": None}):
        values = {
            "entry": posting.entry,
            "debit": posting.debit,
            "credit": posting.credit,
            "amount_fen": 1,
            **wrong,
        }
        if "credit_id" in wrong:
            del values["credit"]
        with pytest.raises(IntegrityError), transaction.atomic():
            Posting.objects.create(**values)


def test_a_wrong_account_of_another_centre_is_no_obstacle_to_charging(world: PostageWorld) -> None:
    other = open_account(world.cast.wenling.centre, world.carrier, "90000009999999")
    assert world.charged(world.waybill(account=other)).centre == world.cast.taizhou.centre
