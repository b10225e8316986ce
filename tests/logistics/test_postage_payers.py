"""谁审批谁付费, leg by leg, in the words of the notice."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.rules.payers import (
    PUTIAN,
    Bearer,
    Centre,
    Decision,
    Leg,
    NoPayer,
    OfficeFacts,
    PaymentTerm,
    Policy,
    PolicyRule,
    Share,
    Shipment,
    decide,
    rules_from_data,
    rules_to_data,
)
from storage.errors import Refused

TAIZHOU = Centre(1, "台州市行政服务中心", "city")
WENLING = Centre(2, "温岭市行政服务中心", "county")
ZHUJI = Centre(3, "诸暨市行政服务中心", "county")
HOUSING = OfficeFacts(10, "台州市住房和城乡建设局", "city", TAIZHOU)
WENLING_HOUSING = OfficeFacts(20, "温岭市住房和城乡建设局", "county", WENLING)
TOWN = OfficeFacts(30, "泽国镇人民政府", "town", WENLING)


def shipment(leg: Leg, **changes: object) -> Shipment:
    inbound = leg in {Leg.MATERIALS, Leg.SUPPLEMENT, Leg.ONLINE_APPLICATION}
    values: dict[str, object] = {
        "leg": leg,
        "mode": "joint" if leg in {Leg.TRANSFER, Leg.JOINT_RESULT} else "window_forward",
        "deciding": (HOUSING,),
        "sender": None if inbound else HOUSING,
        "receiver": HOUSING if inbound else None,
        "covered": True,
        "sending_centre": ZHUJI if inbound else TAIZHOU,
    }
    return Shipment(**{**values, **changes})  # type: ignore[arg-type]


def test_materials_are_collect_and_borne_by_the_deciding_offices_centre() -> None:
    decision = decide(shipment(Leg.MATERIALS), PUTIAN)
    assert decision.term == PaymentTerm.COLLECT
    assert decision.payer_centre_id == TAIZHOU.id
    assert decision.rule_code == "materials"
    assert decision.words == (
        "到付，由台州市行政服务中心承担：台州市住房和城乡建设局审批，市级部门（莆田 §五(七)）"
    )


@pytest.mark.parametrize(
    ("leg", "term", "centre"),
    [
        (Leg.MATERIALS, PaymentTerm.COLLECT, TAIZHOU.id),
        (Leg.SUPPLEMENT, PaymentTerm.COLLECT, TAIZHOU.id),
        (Leg.RESULT, PaymentTerm.SENDER_MONTHLY, TAIZHOU.id),
        (Leg.ORIGINAL_RETURN, PaymentTerm.SENDER_MONTHLY, TAIZHOU.id),
        (Leg.JOINT_RESULT, PaymentTerm.SENDER_MONTHLY, TAIZHOU.id),
        (Leg.ONLINE_APPLICATION, PaymentTerm.SENDER_CASH, None),
    ],
)
def test_each_leg_has_its_payer(leg: Leg, term: PaymentTerm, centre: int | None) -> None:
    decision = decide(shipment(leg), PUTIAN)
    assert (decision.term, decision.payer_centre_id) == (term, centre)


def test_a_transfer_is_paid_by_the_office_that_needs_the_paper() -> None:
    decision = decide(
        shipment(Leg.TRANSFER, deciding=(HOUSING, WENLING_HOUSING), receiver=WENLING_HOUSING), PUTIAN
    )
    assert decision.payer_centre_id == WENLING.id
    assert "需要材料作出审批" in decision.words


def test_joint_materials_are_paid_by_the_office_they_go_to_not_by_the_lead() -> None:
    joint = shipment(
        Leg.MATERIALS, mode="joint", deciding=(HOUSING, WENLING_HOUSING), receiver=WENLING_HOUSING
    )
    assert decide(joint, PUTIAN).payer_centre_id == WENLING.id


def test_a_town_office_is_paid_for_by_its_county() -> None:
    decision = decide(shipment(Leg.RESULT, deciding=(TOWN,), sender=TOWN), PUTIAN)
    assert decision.payer_centre_id == WENLING.id
    assert "乡镇（街道）部门" in decision.words


def test_an_office_with_the_wrong_centre_is_refused() -> None:
    astray = OfficeFacts(40, "台州市公安局", "city", WENLING)
    with pytest.raises(NoPayer, match="不是本级中心"):
        decide(shipment(Leg.RESULT, sender=astray), PUTIAN)


def test_what_the_catalogue_does_not_cover_is_paid_by_the_sender() -> None:
    decision = decide(shipment(Leg.MATERIALS, covered=False), PUTIAN)
    assert decision.term == PaymentTerm.SENDER_MONTHLY
    assert decision.payer_centre_id == ZHUJI.id
    assert decision.rule_code == "outside"


@given(st.integers(0, 10**9), st.integers(1, 9))
def test_joint_shares_sum_to_the_whole_with_the_remainder_at_the_lead(total: int, offices: int) -> None:
    deciding = tuple(
        OfficeFacts(100 + n, f"部门{n}", "county", Centre(200 + n, f"中心{n}", "county"))
        for n in range(offices)
    )
    decision = decide(shipment(Leg.JOINT_RESULT, deciding=deciding, sender=deciding[0]), PUTIAN)
    shares = decision.share_out(total)
    assert sum(share.amount_fen for share in shares) == total
    assert decision.payer_centre_id == deciding[0].centre.id
    assert shares[0].amount_fen - min(share.amount_fen for share in shares) == total % offices


def test_two_offices_of_one_centre_have_a_share_each() -> None:
    other = OfficeFacts(11, "台州市自然资源和规划局", "city", TAIZHOU)
    decision = decide(shipment(Leg.JOINT_RESULT, deciding=(HOUSING, other)), PUTIAN)
    assert decision.share_out(101) == (Share(1, 10, 51), Share(1, 11, 50))
    assert decision.words.count("台州市行政服务中心") == 1


def test_the_first_rule_that_fits_mode_and_level_decides() -> None:
    policy = Policy(
        code="own",
        source="本中心办法",
        valid_from=date(2026, 1, 1),
        valid_until=None,
        rules=(
            PolicyRule(
                "online-free",
                Leg.ONLINE_APPLICATION,
                Bearer.DECIDING,
                PaymentTerm.COLLECT,
                modes=("online",),
                levels=("city",),
            ),
            *PUTIAN.rules,
        ),
    )
    free = decide(shipment(Leg.ONLINE_APPLICATION, mode="online"), policy)
    county = shipment(
        Leg.ONLINE_APPLICATION, mode="online", deciding=(WENLING_HOUSING,), receiver=WENLING_HOUSING
    )
    assert free.rule_code == "online-free"
    assert decide(county, policy).rule_code == "online_application"


def test_a_leg_without_a_rule_is_refused() -> None:
    bare = Policy(code="bare", source="", valid_from=date(2026, 1, 1), valid_until=None, rules=())
    with pytest.raises(NoPayer, match="没有规定"):
        decide(shipment(Leg.RESULT), bare)


def test_rules_survive_the_database() -> None:
    assert rules_from_data(rules_to_data(PUTIAN.rules)) == PUTIAN.rules
    with pytest.raises(Refused):
        rules_from_data([{"code": "x", "leg": "nowhere", "bearer": "sender", "term": "collect"}])


def test_the_applicants_parcel_has_no_shares() -> None:
    decision: Decision = decide(shipment(Leg.ONLINE_APPLICATION, mode="online"), PUTIAN)
    assert decision.share_out(500) == ()
