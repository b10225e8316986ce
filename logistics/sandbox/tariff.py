"""The contract by which the sandbox's couriers carry for a centre, for whoever engages them."""

from datetime import date

from logistics.rules.tariffs import Basis, Surcharge, Tariff, Zone


def sample_tariff(*, carrier: str, centre_id: int, day: date) -> Tariff:
    """In force from the beginning of the year of `day`, without an end."""
    return Tariff(
        carrier=carrier,
        centre_id=centre_id,
        product="standard",
        version="2026",
        valid_from=day.replace(month=1, day=1),
        valid_until=None,
        zones=(
            Zone("province", "省内", ("33",), ("33",), 1000, 1200, 1000, 200),
            Zone("nation", "省外", ("",), ("",), 1000, 2000, 1000, 800),
        ),
        surcharges=(Surcharge("collect", Basis.FLAT, 100),),
        weight_tolerance_g=20,
        promise_hours=72,
    )
