"""What the notices allow and forbid, paragraph by paragraph."""

from dataclasses import replace
from datetime import date

import pytest

from registry.rules import (
    AgreementFacts,
    GrantFacts,
    ItemFacts,
    Unlawful,
    allowed_modes,
    check_agreement,
    check_grant,
    check_item,
    check_mode,
    check_scope,
    covers,
    lies_within,
)
from registry.terms import Mode, Right, Scope

ITEM = ItemFacts(
    name="建筑业企业资质证书变更",
    scope=Scope.PROVINCE,
    effective_from=date(2021, 3, 9),
    effective_to=date(2030, 1, 1),
    negative=False,
    modes=(),
    stars=4,
    unified_platform=True,
)
ZHUJI, TAIZHOU, WENLING, NANCHONG, PUTIAN = "330681", "331000", "331081", "511300", "350300"


def test_an_item_is_open_from_its_first_to_its_last_day() -> None:
    check_item(ITEM, date(2021, 3, 9))
    check_item(ITEM, date(2030, 1, 1))
    for day, code in [(date(2021, 3, 8), "item_not_yet"), (date(2030, 1, 2), "item_expired")]:
        with pytest.raises(Unlawful) as refused:
            check_item(ITEM, day)
        assert refused.value.code == code


def test_the_negative_list_closes_an_item() -> None:
    with pytest.raises(Unlawful) as refused:
        check_item(replace(ITEM, negative=True), date(2026, 1, 1))
    assert refused.value.code == "item_negative"
    with pytest.raises(Unlawful, match="依据：台建〔2021〕40号 §二") as refused:
        check_item(replace(ITEM, negative=True, source="台建〔2021〕40号 §二(一)"), date(2026, 1, 1))
    assert "先联系审批部门" in refused.value.message


@pytest.mark.parametrize(
    ("scope", "window", "office", "lawful"),
    [
        (Scope.CROSS_PROVINCE, ZHUJI, PUTIAN, True),
        (Scope.PROVINCE, ZHUJI, TAIZHOU, True),
        (Scope.PROVINCE, ZHUJI, PUTIAN, False),
        (Scope.CITY, WENLING, TAIZHOU, True),
        (Scope.CITY, ZHUJI, TAIZHOU, False),
        (Scope.COUNTY, "330681001", ZHUJI, True),
        (Scope.COUNTY, WENLING, TAIZHOU, False),
    ],
)
def test_the_scope_must_cover_both_regions(scope: Scope, window: str, office: str, lawful: bool) -> None:
    item = replace(ITEM, scope=scope)
    if lawful:
        check_scope(item, window_region=window, office_region=office)
    else:
        with pytest.raises(Unlawful):
            check_scope(item, window_region=window, office_region=office)


def test_one_signature_serves_the_whole_city_in_both_directions() -> None:
    signed_with_jiaojiang = AgreementFacts("331002", NANCHONG, shared_citywide=True)
    assert covers(signed_with_jiaojiang, window_region=NANCHONG, office_region=WENLING)
    assert covers(signed_with_jiaojiang, window_region=TAIZHOU, office_region="511302")
    assert not covers(signed_with_jiaojiang, window_region=ZHUJI, office_region=NANCHONG)


def test_an_unshared_agreement_binds_only_who_signed() -> None:
    private = AgreementFacts("331002", NANCHONG, shared_citywide=False)
    assert covers(private, window_region="331002", office_region=NANCHONG)
    assert not covers(private, window_region=WENLING, office_region=NANCHONG)


def test_within_a_province_no_agreement_is_needed_but_across_one_is() -> None:
    check_agreement([], window_region=ZHUJI, office_region=TAIZHOU)
    with pytest.raises(Unlawful) as refused:
        check_agreement([], window_region=PUTIAN, office_region=TAIZHOU)
    assert refused.value.code == "no_agreement"


@pytest.mark.parametrize(
    ("stars", "unified", "offices", "modes"),
    [
        (5, True, 1, {Mode.ONLINE, Mode.WINDOW_ACCEPT, Mode.WINDOW_FORWARD}),
        (4, True, 1, {Mode.WINDOW_ACCEPT, Mode.WINDOW_FORWARD}),
        (2, True, 1, {Mode.WINDOW_FORWARD}),
        (5, False, 1, {Mode.ONLINE, Mode.WINDOW_FORWARD}),
        (5, True, 2, {Mode.JOINT}),
    ],
)
def test_the_four_ways_follow_putian_4(stars: int, unified: bool, offices: int, modes: set[Mode]) -> None:
    item = replace(ITEM, stars=stars, unified_platform=unified)
    assert set(allowed_modes(item, offices=offices)) == modes
    for mode in set(Mode) - modes:
        with pytest.raises(Unlawful) as refused:
            check_mode(item, mode, offices=offices)
        assert "莆田 §四" in refused.value.message


def test_an_item_may_narrow_its_ways() -> None:
    assert allowed_modes(replace(ITEM, modes=(Mode.WINDOW_FORWARD,)), offices=1) == (Mode.WINDOW_FORWARD,)


def test_a_grant_names_a_window_or_a_region_and_an_item_or_all() -> None:
    region = GrantFacts(Right.ACCEPT, window=None, region=ZHUJI, item=None)
    ask = {"right": Right.ACCEPT, "window": "7", "item": "TZ-ZJ-001"}
    assert check_grant([region], window_region="330681001", **ask) is region  # type: ignore[arg-type]
    for grant in (
        replace(region, right=Right.DELIVER),
        replace(region, region="331000"),
        replace(region, region=None, window="8"),
        replace(region, item="OTHER"),
    ):
        with pytest.raises(Unlawful) as refused:
            check_grant([grant], window_region=ZHUJI, **ask)  # type: ignore[arg-type]
        assert refused.value.code == "no_grant_accept"


def test_places_lie_within_places_by_their_codes() -> None:
    assert lies_within("330681001", "330681")
    assert lies_within("330681", "330600")
    assert lies_within("330681", "330000")
    assert not lies_within("330681", "331000")
