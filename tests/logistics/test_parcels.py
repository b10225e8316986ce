"""Packing: what may go into a parcel, when, and by whom."""

import pytest

from ingest.models import Case, Handling, Original
from ingest.rules import HandlingState
from ingest.services.handlings import accept, decide
from ingest.services.withdrawing import withdraw
from logistics.models import Parcel, ParcelItem
from logistics.rules.parcels import STEPS, NotNow, ParcelState, open_acts, target, waybill_number
from logistics.rules.payers import Leg, PaymentTerm
from logistics.sandbox.server import SandboxServer
from logistics.services.custody import hand_over
from logistics.services.ends import End
from logistics.services.parcels import (
    Stale,
    add_original,
    cancel_parcel,
    pack,
    remove_original,
    seal_parcel,
    unseal_parcel,
)
from logistics.services.waybills import register_waybill
from registry.models import Event
from registry.permissions import NotYours
from registry.terms import Delivery, Mode
from tests.cast import NOW, Cast
from tests.logistics.road import Road, build_road

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("objects")]


@pytest.fixture
def road(cast: Cast, sandbox: SandboxServer) -> Road:
    return build_road(cast, sandbox.url)


def test_no_parcel_before_the_offices_pre_review(road: Road) -> None:
    with pytest.raises(NotNow, match="预审通过后才能寄出"):
        road.packed()
    assert not Parcel.objects.exists()
    road.pre_reviewed()
    assert road.packed().items.count() == 2


def test_a_parcel_is_packed_sealed_and_its_events_belong_to_the_case(road: Road) -> None:
    parcel = road.pre_reviewed().sealed()
    assert parcel.state == ParcelState.SEALED
    assert parcel.weight_g == 320
    kinds = Event.objects.filter(case_number=road.case.number, kind__startswith="parcel.")
    assert sorted(kinds.values_list("kind", flat=True)) == [
        "parcel.original_added",
        "parcel.original_added",
        "parcel.sealed",
    ]


def test_an_original_is_in_one_open_parcel_only(road: Road) -> None:
    first = road.pre_reviewed().packed()
    with pytest.raises(NotNow, match="另一个未完成的寄件"):
        road.packed()
    remove_original(parcel=first, original=road.originals[0], actor=road.cast.clerk, now=NOW)
    second = pack(
        leg=Leg.MATERIALS,
        sender=road.cast.zhuji,
        receiver=road.cast.taizhou,
        originals=road.originals[:1],
        actor=road.cast.clerk,
        now=NOW,
    )
    assert second.items.count() == 1


def test_giving_a_parcel_up_frees_its_originals(road: Road) -> None:
    parcel = road.pre_reviewed().sealed()
    cancel_parcel(parcel=parcel, actor=road.cast.clerk, now=NOW)
    assert not ParcelItem.objects.filter(holds=True).exists()
    assert road.packed().state == ParcelState.PACKING


def test_a_sealed_parcel_takes_nothing_more_until_it_is_opened(road: Road) -> None:
    parcel = road.pre_reviewed().sealed()
    with pytest.raises(NotNow, match="已封装"):
        remove_original(parcel=parcel, original=road.originals[0], actor=road.cast.clerk, now=NOW)
    unseal_parcel(parcel=parcel, actor=road.cast.clerk, now=NOW)
    remove_original(parcel=parcel, original=road.originals[0], actor=road.cast.clerk, now=NOW)
    add_original(parcel=parcel, original=road.originals[0], actor=road.cast.clerk, now=NOW)
    assert parcel.weight_g is None


def test_an_empty_parcel_is_not_sealed(road: Road) -> None:
    parcel = pack(
        leg=Leg.MATERIALS,
        sender=road.cast.zhuji,
        receiver=road.cast.taizhou,
        actor=road.cast.clerk,
        now=NOW,
    )
    with pytest.raises(NotNow, match="空的"):
        seal_parcel(parcel=parcel, weight_g=100, actor=road.cast.clerk, now=NOW)


@pytest.mark.parametrize("weight", [0, -5, 30_001])
def test_a_weight_is_one_that_a_scale_can_show(weight: int, road: Road) -> None:
    parcel = road.pre_reviewed().packed()
    with pytest.raises(NotNow, match="重量"):
        seal_parcel(parcel=parcel, weight_g=weight, actor=road.cast.clerk, now=NOW)


def test_a_withdrawn_case_stops_a_parcel_that_was_packed_before(road: Road) -> None:
    parcel = road.pre_reviewed().packed()
    withdraw(case=road.case, reason="申请人撤回", actor=road.cast.clerk, now=NOW)
    with pytest.raises(NotNow, match="预审"):
        seal_parcel(parcel=parcel, weight_g=100, actor=road.cast.clerk, now=NOW)


def test_paper_that_is_elsewhere_cannot_be_packed(road: Road) -> None:
    with pytest.raises(NotNow, match="不在寄件方手中"):
        pack(
            leg=Leg.ORIGINAL_RETURN,
            sender=road.cast.taizhou,
            receiver=road.case,
            originals=road.originals,
            actor=road.cast.officer,
            now=NOW,
        )


def test_paper_goes_only_to_the_office_that_decides(road: Road) -> None:
    road.pre_reviewed()
    with pytest.raises(NotNow, match="不应寄往"):
        pack(
            leg=Leg.MATERIALS,
            sender=road.cast.zhuji,
            receiver=road.cast.wenling,
            originals=road.originals,
            actor=road.cast.clerk,
            now=NOW,
        )


def test_the_ends_fit_the_leg(road: Road) -> None:
    with pytest.raises(NotNow, match="不能由"):
        pack(
            leg=Leg.RESULT,
            sender=road.cast.zhuji,
            receiver=road.cast.taizhou,
            actor=road.cast.clerk,
            now=NOW,
        )


def test_nobody_packs_for_another_window(road: Road) -> None:
    parcel = road.pre_reviewed().packed()
    for stranger in (road.cast.other_clerk, road.cast.officer, road.cast.finance, road.cast.auditor):
        with pytest.raises(NotYours):
            seal_parcel(parcel=parcel, weight_g=100, actor=stranger, now=NOW)
        with pytest.raises(NotYours):
            pack(
                leg=Leg.MATERIALS,
                sender=road.cast.zhuji,
                receiver=road.cast.taizhou,
                actor=stranger,
                now=NOW,
            )


def test_two_clerks_at_once_one_is_told(road: Road) -> None:
    parcel = road.pre_reviewed().packed()
    same = Parcel.objects.get(pk=parcel.pk)
    seal_parcel(parcel=parcel, weight_g=100, actor=road.cast.clerk, now=NOW)
    with pytest.raises(Stale):
        seal_parcel(parcel=same, weight_g=200, actor=road.cast.clerk, now=NOW)


def test_a_result_travels_once_it_was_decided(road: Road) -> None:
    result = road.pre_reviewed().decided()
    parcel = pack(
        leg=Leg.RESULT,
        sender=road.cast.taizhou,
        receiver=road.case,
        originals=[result],
        actor=road.cast.officer,
        now=NOW,
    )
    assert parcel.receiver_kind == "applicant"
    assert result.place == Original.Place.OFFICE


def test_a_result_goes_where_its_applicant_wants_it(road: Road) -> None:
    """选择邮寄或现场取件 (taizhou-2021 §三(二))."""
    cast, result = road.cast, road.pre_reviewed().decided()

    def send(receiver: End) -> Parcel:
        return pack(
            leg=Leg.RESULT,
            sender=cast.taizhou,
            receiver=receiver,
            originals=[result],
            actor=cast.officer,
            now=NOW,
        )

    with pytest.raises(NotNow, match="申请人选择“邮寄”") as refused:
        send(cast.zhuji)
    assert refused.value.code == "parcel_not_as_chosen"
    Case.objects.filter(pk=road.case.pk).update(delivery=Delivery.WINDOW)
    with pytest.raises(NotNow, match=cast.zhuji.name):
        send(road.case)
    with pytest.raises(NotNow, match="不应寄往"):
        send(cast.taizhou_window)
    parcel = send(cast.zhuji)
    seal_parcel(parcel=parcel, weight_g=90, actor=cast.officer, now=NOW)
    register_waybill(
        parcel=parcel,
        account=road.account,
        number="1012345678999",
        term=PaymentTerm.SENDER_MONTHLY,
        actor=cast.officer,
        now=NOW,
    )
    # The bag lies there when the applicant changes their mind: it does not leave the wrong way.
    Case.objects.filter(pk=road.case.pk).update(delivery=Delivery.MAIL)
    with pytest.raises(NotNow, match="申请人选择“邮寄”"):
        hand_over(token=parcel.token_text, actor=cast.officer, now=NOW)
    Case.objects.filter(pk=road.case.pk).update(delivery=Delivery.WINDOW)
    assert hand_over(token=parcel.token_text, actor=cast.officer, now=NOW).handed_over_at == NOW


def test_the_table_names_every_state_and_refuses_the_rest() -> None:
    for state in ParcelState:
        for step in STEPS:
            if step.act in open_acts(state):
                assert target(step.act, state) is step.target
            else:
                with pytest.raises(NotNow):
                    target(step.act, state)
    assert open_acts(ParcelState.RECEIVED) == open_acts(ParcelState.CANCELLED) == ()


@pytest.mark.parametrize("number", ["EB000717618HK", "RB123456785GB", "EE471108151FR", "EX123456785CN"])
def test_check_digits_of_upu_numbers(number: str) -> None:
    assert waybill_number(f" {number[:2].lower()} {number[2:]} ") == number
    wrong = number[:10] + str((int(number[10]) + 1) % 10) + number[11:]
    with pytest.raises(NotNow, match="校验位"):
        waybill_number(wrong)


@pytest.mark.parametrize("number", ["1012345678901", "SF7444407228423", "YT6186594166532"])
def test_numbers_without_a_published_check_digit_are_taken_as_typed(number: str) -> None:
    assert waybill_number(number) == number


def test_joint_results_wait_until_every_office_has_decided(road: Road) -> None:
    """相关证件齐全后，管辖地…统一送达 (taizhou-2021 §三(三))."""
    cast, case = road.cast, road.case
    other = Handling.objects.create(case=case, office=cast.wenling, state=HandlingState.PENDING)
    Case.objects.filter(pk=case.pk).update(mode=Mode.JOINT.value)
    case.refresh_from_db()
    road.handling.case.refresh_from_db()
    accept(handling=road.handling, actor=cast.officer, now=NOW)
    decide(handling=road.handling, approved=True, result_name="施工许可证", actor=cast.officer, now=NOW)
    result = Original.objects.get(case=case, kind=Original.Kind.RESULT)

    def send(leg: Leg) -> Parcel:
        return pack(
            leg=leg, sender=cast.taizhou, receiver=case, originals=[result], actor=cast.officer, now=NOW
        )

    with pytest.raises(NotNow) as refused:
        send(Leg.JOINT_RESULT)
    assert refused.value.code == "parcel_results_held"
    with pytest.raises(NotNow) as refused:
        send(Leg.RESULT)
    assert refused.value.code == "parcel_joint_result"
    other.refresh_from_db()
    accept(handling=other, actor=cast.other_officer, now=NOW)
    decide(handling=other, approved=True, result_name="核准书", actor=cast.other_officer, now=NOW)
    parcel = send(Leg.JOINT_RESULT)
    assert parcel.items.get().original == result
    with pytest.raises(NotNow) as refused:
        seal_parcel(parcel=parcel, weight_g=80, actor=cast.officer, now=NOW)
    assert refused.value.code == "parcel_results_apart"
    assert "“核准书”" in refused.value.message


def test_a_joint_result_is_sent_by_the_lead_office_and_no_other(road: Road) -> None:
    cast, case = road.cast, road.case
    other = Handling.objects.create(case=case, office=cast.wenling, state=HandlingState.PENDING)
    Case.objects.filter(pk=case.pk).update(mode=Mode.JOINT.value)
    for pk, officer in ((road.handling.pk, cast.officer), (other.pk, cast.other_officer)):
        part = Handling.objects.get(pk=pk)
        accept(handling=part, actor=officer, now=NOW)
        decide(handling=part, approved=True, result_name="核准书", actor=officer, now=NOW)
    theirs = Original.objects.get(handling=other, kind=Original.Kind.RESULT)

    def send(leg: Leg, receiver: End) -> Parcel:
        return pack(
            leg=leg,
            sender=cast.wenling,
            receiver=receiver,
            originals=[theirs],
            actor=cast.other_officer,
            now=NOW,
        )

    with pytest.raises(NotNow) as refused:
        send(Leg.JOINT_RESULT, Case.objects.get(pk=case.pk))
    assert refused.value.code == "parcel_not_lead"
    assert cast.taizhou.name in refused.value.message
    assert send(Leg.TRANSFER, cast.taizhou).items.get().original == theirs
