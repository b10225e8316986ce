"""Contracts: every price has its steps, no route is guessed, no two versions answer at once."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.rules.tariffs import (
    Basis,
    Consignment,
    Rounding,
    Surcharge,
    Tariff,
    TariffFault,
    Zone,
    chargeable_weight,
    check_tariff,
    quote,
    quote_at,
    tariff_for,
    volumetric_weight,
)

CITY = Zone("city", "市内", ("3310",), ("3310",), 1000, 800, 1000, 100)
PROVINCE = Zone("province", "省内", ("33",), ("33",), 1000, 1000, 1000, 200)
COUNTRY = Zone("country", "省外", ("33",), ("",), 1000, 1800, 500, 450)
TARIFF = Tariff(
    carrier="ems",
    centre_id=1,
    product="standard",
    version="2026",
    valid_from=date(2026, 1, 1),
    valid_until=date(2027, 1, 1),
    zones=(CITY, PROVINCE, COUNTRY),
    surcharges=(
        Surcharge("collect", Basis.FLAT, 100),
        Surcharge("insured", Basis.DECLARED, 10, minimum_fen=100),
        Surcharge("remote", Basis.FREIGHT, 200, regions=("5425", "65")),
    ),
    round_to_g=100,
)


def parcel(weight_g: int = 300, destination: str = "331000", **changes: object) -> Consignment:
    return replace(Consignment("330681", destination, weight_g), **changes)  # type: ignore[arg-type]


def test_the_narrowest_zone_wins() -> None:
    assert quote(TARIFF, parcel()).zone == "province"
    assert quote(TARIFF, replace(parcel(), origin="331081")).zone == "city"
    assert quote(TARIFF, parcel(destination="350300")).zone == "country"


def test_a_route_without_a_tariff_is_an_error_and_never_a_guess() -> None:
    with pytest.raises(TariffFault, match="没有 350300 到 331000 的资费") as fault:
        quote(TARIFF, Consignment("350300", "331000", 100))
    assert fault.value.code == "no_tariff_route"


@pytest.mark.parametrize(
    ("weight_g", "fen"), [(1, 1000), (1000, 1000), (1001, 1200), (2000, 1200), (2001, 1400), (5000, 1800)]
)
def test_further_weight_counts_in_whole_steps(weight_g: int, fen: int) -> None:
    assert quote(TARIFF, parcel(weight_g)).total_fen == fen


def test_surcharges_follow_the_parcel_and_the_region() -> None:
    priced = quote(TARIFF, parcel(extras=frozenset({"collect", "insured"}), declared_fen=50_000))
    assert (priced.part("freight"), priced.part("collect"), priced.part("insured")) == (1000, 100, 500)
    far = quote(TARIFF, parcel(destination="650100"))
    assert far.part("remote") == 360
    assert quote(TARIFF, parcel(extras=frozenset({"insured"}), declared_fen=1)).part("insured") == 100


def test_discount_and_minimum_show_as_steps() -> None:
    cheap = replace(TARIFF, discount_permille=855, minimum_fen=900)
    priced = quote(cheap, parcel())
    assert [part.amount_fen for part in priced.parts] == [1000, -145, 45]
    assert priced.total_fen == 900


def test_volume_counts_when_it_weighs_more() -> None:
    bulky = parcel(300, sides_mm=(400, 300, 200))
    assert volumetric_weight(TARIFF, bulky) == 4000
    assert chargeable_weight(TARIFF, bulky) == 4000
    assert chargeable_weight(replace(TARIFF, divisor=0), bulky) == 300


@pytest.mark.parametrize(
    ("rounding", "grams"), [(Rounding.UP, 500), (Rounding.HALF_UP, 400), (Rounding.DOWN, 400)]
)
def test_weights_round_as_the_contract_says(rounding: Rounding, grams: int) -> None:
    assert chargeable_weight(replace(TARIFF, rounding=rounding), parcel(449)) == grams


@given(st.integers(1, 30_000), st.integers(1, 30_000), st.integers(1, 1000), st.integers(0, 5000))
def test_parts_add_up_and_heavier_is_never_cheaper(one: int, other: int, discount: int, minimum: int) -> None:
    tariff = replace(TARIFF, discount_permille=discount, minimum_fen=minimum)
    light, heavy = (quote(tariff, parcel(weight)) for weight in sorted((one, other)))
    assert light.total_fen <= heavy.total_fen
    for priced in (light, heavy):
        assert sum(part.amount_fen for part in priced.parts) == priced.total_fen
        assert priced.total_fen >= minimum
        assert quote_at(tariff, parcel(one), priced.charged_weight_g) == priced


def test_two_versions_may_not_overlap_but_may_follow_each_other() -> None:
    check_tariff(TARIFF)
    later = replace(TARIFF, version="2027", valid_from=date(2027, 1, 1), valid_until=None)
    check_tariff(later, [TARIFF])
    with pytest.raises(TariffFault, match="有效期重叠"):
        check_tariff(replace(later, valid_from=date(2026, 12, 31)), [TARIFF])
    check_tariff(replace(later, valid_from=date(2026, 12, 31), product="slow"), [TARIFF])


def test_zones_that_tie_are_refused() -> None:
    crossing = (
        Zone("a", "甲", ("3310",), ("33",), 1, 1, 1, 1),
        Zone("b", "乙", ("33",), ("3310",), 1, 1, 1, 1),
    )
    with pytest.raises(TariffFault, match="覆盖同一线路"):
        check_tariff(replace(TARIFF, zones=crossing))


@pytest.mark.parametrize(
    "changes",
    [
        {"zones": ()},
        {"discount_permille": 0},
        {"discount_permille": 1001},
        {"round_to_g": 0},
        {"valid_until": date(2026, 1, 1)},
        {"zones": (replace(CITY, step_weight_g=0),)},
        {"zones": (replace(CITY, first_price_fen=-1),)},
        {"surcharges": (Surcharge("collect", Basis.FLAT, -1),)},
    ],
)
def test_impossible_figures_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TariffFault, match="有误"):
        check_tariff(replace(TARIFF, **changes))  # type: ignore[arg-type]


def test_the_contract_in_force_is_found_by_day() -> None:
    later = replace(TARIFF, version="2027", valid_from=date(2027, 1, 1), valid_until=None)

    def on(day: date) -> Tariff:
        return tariff_for([TARIFF, later], carrier="ems", centre_id=1, product="standard", on=day)

    assert on(date(2026, 12, 31)).version == "2026"
    assert on(date(2027, 1, 1)).version == "2027"
    with pytest.raises(TariffFault, match="没有生效"):
        on(date(2025, 12, 31))
